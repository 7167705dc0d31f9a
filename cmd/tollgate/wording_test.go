package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Nothing is said twice in one line.
func TestSaidOnce(t *testing.T) {
	closed := deed{Entry: journal.Entry{Verdict: "closed", By: "root", Reason: "period 2026-10 closed, number 1, by root"}}
	if text := closed.text(time.UTC); strings.Count(text, "by root") != 1 || !strings.HasSuffix(text, ": period 2026-10, number 1") {
		t.Error(text)
	}
	if text := lookLine(&journal.Entry{By: "root", Event: "trace", Detail: "trace is off"}); text != "root: trace is off" {
		t.Error(text)
	}
	if text := lookLine(&journal.Entry{By: "root", Event: "journal show", Detail: "r1"}); text != "root: journal show r1" {
		t.Error(text)
	}
}

// Wrong command lines are answered with what would be right, and with one exit code.
func TestWrongLines(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct{ args, want string }{
		{"help jurnal", `did you mean "journal"`}, {"help policy rolback", `did you mean "rollback"`}, {"report --form 2026-11", "did you mean --from?"},
		{"canary start policy.toml", "for which mail?"}, {"trace offf", `did you mean "off"`}, {"canary start policy.toml --share 1% --for 1", `"2d"`},
		{"trace off --client-ip 192.0.2.1", "unknown flag"},
	} {
		if o := h.run(strings.Fields(tt.args)...); o.code != exitUsage || !strings.Contains(o.err, tt.want) || strings.Contains(o.err, "time:") {
			t.Errorf("%s: %+v", tt.args, o)
		}
	}
	if o := h.run("help", "policy", "rollback"); o.code != 0 || !strings.Contains(o.out, "Rollback writes") {
		t.Errorf("%+v", o)
	}
	if err := os.Remove(h.path("policy.toml")); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"status", "check", "journal", "serve"} {
		if o := h.run(args); o.code != exitPolicy || strings.Count(o.err, "tollgate setup") != 1 || !strings.Contains(o.err, "--policy") {
			t.Errorf("%s: %+v", args, o)
		}
	}
}

// Of a message that a block has told of, who follows is not told the same again.
func TestToldOnce(t *testing.T) {
	told := map[string]string{}
	for _, tt := range []struct {
		kind, ref, verdict string
		want               bool
	}{
		{journal.Blocks, "a", "hold", false}, {journal.Messages, "a", "hold", true}, {journal.Messages, "b", "hold", false},
		{journal.Blocks, "c", "reject", false}, {journal.Messages, "c", "accept", false}, {journal.Messages, "", "accept", false},
	} {
		if got := again(told, &journal.Entry{Kind: tt.kind, Ref: tt.ref, Verdict: tt.verdict}); got != tt.want {
			t.Errorf("%+v", tt)
		}
	}
}
