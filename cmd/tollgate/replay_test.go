package main

import (
	"os"
	"strings"
	"testing"
)

func TestReplayCommand(t *testing.T) {
	h := newHouse(t)
	h.write("new.toml", policy+"[[rule]]\nname = \"no\"\nstage = \"headers\"\nmatch.subject = 'hello'\naction = \"reject\"\n")
	h.write("mail/a.eml", "Delivered-To: ivan@example.org\nReturn-Path: <a@example.com>\nSubject: hello \x1b[1m\n\n")
	h.write("mail/b.eml", "Delivered-To: ivan@example.org\nSubject: other\n\n")
	h.write("mail/c.eml", "Subject: to nobody\n\n")
	o := h.run("replay", "--against", "new.toml", "--changed", "changed", "mail")
	for _, says := range []string{
		"mail/a.eml\n    accept, weight 0, ", "\n    reject, weight 0, 0 charged, by no: hello", "mail/c.eml: nothing tells to whom it was sent (left out)\n",
		"2 messages: 2 accept; against: 1 accept, 1 reject; 1 changed\n", "\n  no: 0 -> 1\n",
	} {
		if o.code != 0 || !strings.Contains(o.out, says) {
			t.Errorf("%d, %q is missing in\n%s%s", o.code, says, o.out, o.err)
		}
	}
	if strings.Contains(o.out, "\x1b") {
		t.Errorf("%q", o.out)
	}
	if kept, err := os.ReadDir(h.path("changed")); err != nil || len(kept) != 1 {
		t.Errorf("%v, %v", kept, err)
	}
	if out := h.mustRun("replay", "--json", "mail"); !strings.Contains(out, `"messages": 2`) || !strings.Contains(out, `"changes": []`) {
		t.Error(out)
	}
	for args, code := range map[string]int{"": 2, "none": 2, "--changed x mail": 2, "--against none.toml mail": 78, "--answers none mail": 2} {
		if o := h.run(append([]string{"replay"}, strings.Fields(args)...)...); o.code != code {
			t.Errorf("%s: exit code %d, want %d\n%s", args, o.code, code, o.err)
		}
	}
}
