package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Scripts that stand for Postfix's commands; what they were told is in the
// file calls.
const (
	fakePostqueue = `#!/bin/sh
echo "postqueue $*" >> "$CALLS"
case "$*" in
*-j) cat "$QUEUE" ;;
esac
`
	fakePostcat = `#!/bin/sh
echo "postcat $*" >> "$CALLS"
case "$*" in
*-hq*) printf 'Received: from mail.example.com\n\tby mx1.example.org\nSubject: \033[31mred\nX-Raw: \377\001\n' ;;
*-bhq*) printf 'Subject: whole\n\n\033[31mbody\n' ;;
esac
`
	fakePostsuper = `#!/bin/sh
echo "postsuper $*" >> "$CALLS"
while read id; do
  echo "$id" >> "$CALLS"
  case "$id:$*" in
  4XGone*) ;;
  *-d*) echo "postsuper: $id: removed" >&2 ;;
  *-H*) echo "postsuper: $id: released from hold" >&2 ;;
  esac
done
`
)

// holding is a house with a Postfix of scripts that holds four messages: two
// of ours, one of others, and one that goes away when it is touched.
func holding(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.write("policy.toml", strings.Replace(policy, "[journal]", "postfix_config = \"/pf\"\n[journal]", 1))
	bin := t.TempDir()
	for name, text := range map[string]string{"postqueue": fakePostqueue, "postcat": fakePostcat, "postsuper": fakePostsuper} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	var queue, blocks strings.Builder
	held := func(id, arrived, sender string, recipients ...string) {
		var all []map[string]string
		for _, r := range recipients {
			all = append(all, map[string]string{"address": r})
		}
		line, err := json.Marshal(map[string]any{
			"queue_name": "hold", "queue_id": id, "arrival_time": at(arrived).Unix(), "message_size": 2048, "sender": sender, "recipients": all,
		})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&queue, "%s\n", line)
	}
	block := func(e journal.Entry) {
		e.Kind, e.Gateway, e.ClientIP, e.ClientHost, e.Helo, e.Weight = "blocks", "mx1.example.org", "192.0.2.7", "mail.example.com", "mail", "3.5"
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&blocks, "%s\n", line)
	}
	held("4XSecond", "2026-11-22T11:00:00Z", "MAILER-DAEMON", "ivan@example.org")
	held("4XFirst", "2026-11-22T10:00:00Z", "anna@example.com", "ivan@example.org", "olga@example.org")
	held("4XOther", "2026-11-22T12:00:00Z", "list@example.net", "ivan@example.org")
	held("4XGone", "2026-11-22T13:00:00Z", "anna@example.com", "ivan@example.org")
	// An older message had the queue id of the first.
	block(journal.Entry{Time: at("2026-11-20T10:00:05Z"), Ref: "r0", QueueID: "4XFirst", Verdict: "hold", Subject: "older"})
	for _, r := range []string{"ivan@example.org", "olga@example.org"} {
		block(journal.Entry{
			Time: at("2026-11-22T10:00:05Z"), Ref: "r1", QueueID: "4XFirst", Sender: "anna@example.com", Recipient: r,
			Verdict: "hold", Stage: "headers", Rule: "lottery", Reason: "rule lottery", Subject: "Вы выиграли \x1b[31m",
		})
	}
	block(journal.Entry{Time: at("2026-11-22T11:00:00.9Z"), Ref: "r2", QueueID: "4XSecond", Verdict: "hold", Stage: "complete", Reason: "virus Eicar-Test-Signature"})
	block(journal.Entry{Time: at("2026-11-22T12:00:01Z"), Ref: "r3", QueueID: "4XOther", Verdict: "reject"})
	block(journal.Entry{Time: at("2026-11-22T13:00:01Z"), Ref: "r4", QueueID: "4XGone", Verdict: "hold", Stage: "mailfrom", Rule: "suspects", Reason: "rule suspects"})
	h.write("queue", queue.String())
	h.write("journal/blocks.jsonl", blocks.String())
	if err := os.MkdirAll(h.path("state"), 0o750); err != nil {
		t.Fatal(err)
	}
	store, err := embedded.Open(h.path("state/account.db"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return h
}

// hold runs a command with an answer to what it may ask.
func (h *house) hold(answer string, args ...string) output {
	h.t.Helper()
	c := h.command(append([]string{"hold", "--policy", "policy.toml"}, args...)...)
	c.Env = append(c.Env, "QUEUE="+h.path("queue"), "CALLS="+h.path("calls"))
	c.Stdin = strings.NewReader(answer)
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	_ = c.Run() // its exit code says it
	return output{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

func TestHold(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer string
		args   []string
		code   int
	}{
		{"list", "", []string{"list"}, 0},
		{"list-all", "", []string{"list", "--all"}, 0},
		{"list-json", "", []string{"list", "--all", "--json"}, 0},
		{"show", "", []string{"show", "R1"}, 0},
		{"show-json", "", []string{"show", "4XSecond", "--json"}, 0},
		{"show-eml", "", []string{"show", "--eml", "r1"}, 0},
		{"show-other", "", []string{"show", "4XOther"}, 1},
		{"show-other-all", "", []string{"show", "4XOther", "--all"}, 0},
		{"show-older", "", []string{"show", "r0"}, 1},
		{"show-nothing", "", []string{"show", "\x1b[31m"}, 1},
		{"release", "", []string{"release", "r1", "4XSecond", "R1", "4XFirst"}, 0},
		{"release-some", "", []string{"release", "r1", "r4", "4XOther", "nothing"}, 1},
		{"release-json", "", []string{"release", "r1", "r4", "nothing", "--json"}, 1},
		{"release-other", "", []string{"release", "--all", "4XOther"}, 0},
		{"delete-yes", "", []string{"delete", "--yes", "r1", "r2"}, 0},
		{"delete-asked", "y\n", []string{"delete", "r1", "r2"}, 0},
		{"delete-refused", "n\n", []string{"delete", "r1"}, 1},
		{"delete-unanswered", "", []string{"delete", "r1"}, 1},
		{"delete-nothing", "y\n", []string{"delete", "nothing"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := holding(t)
			o := h.hold(tt.answer, tt.args...)
			if o.code != tt.code {
				t.Errorf("exit code %d, want %d", o.code, tt.code)
			}
			calls, err := os.ReadFile(h.path("calls"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "hold-"+tt.name+".golden", "stdout:\n"+o.out+"stderr:\n"+o.err+"calls:\n"+string(calls))
		})
	}
}

// A damaged journal of before keeps nobody from what the others explain.
func TestHoldDamaged(t *testing.T) {
	h := holding(t)
	h.write("journal/blocks.jsonl.1.gz", "not packed")
	if o := h.hold("", "release", "r1"); o.code != 0 || !strings.Contains(o.out, "released r1") || !strings.Contains(o.err, "blocks.jsonl.1.gz") {
		t.Errorf("release: %+v", o)
	}
	// One message has no entry in what could be read.
	if o := h.hold("", "list"); o.code != exitAway || !strings.Contains(o.out, "r1") || !strings.Contains(o.err, "blocks.jsonl.1.gz") || !strings.Contains(o.err, "1 message more may be") {
		t.Errorf("list: %+v", o)
	}
	if o := h.hold("", "release", "4XOther"); o.code != exitNegative || !strings.Contains(o.err, "of 4XOther nothing is known") {
		t.Errorf("release of what is not known: %+v", o)
	}
	h.write("journal/blocks.jsonl", "")
	if o := h.hold("", "list", "--json"); o.code != exitAway || o.out != "[]\n" || strings.Contains(o.err, "nothing is on hold") {
		t.Errorf("nothing left: %+v", o)
	}
}

func TestHoldFailures(t *testing.T) {
	h := holding(t)
	for _, args := range []string{"", "dance", "list now", "show", "show r1 r2", "show --eml --json r1", "release", "delete", "delete --yes"} {
		if o := h.hold("", strings.Fields(args)...); o.code != 2 || o.out != "" || !strings.Contains(o.err, "--help") {
			t.Errorf("%q: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
	}
	if _, err := os.Stat(h.path("calls")); err == nil {
		t.Error("wrong usage reached Postfix")
	}
	h.write("mine.eml", "mine")
	if o := h.hold("", "show", "r1", "-o", "mine.eml"); o.code != 2 || !strings.Contains(o.err, "mine.eml") {
		t.Errorf("exit code %d, %q", o.code, o.err)
	}
	if o := h.hold("", "show", "r1", "-o", "nowhere/new.eml"); o.code != 75 {
		t.Errorf("exit code %d, %q", o.code, o.err)
	}
	for _, args := range []string{"list", "show r1", "release r1", "delete r1 --yes"} {
		broken := holding(t)
		broken.write("queue", "no JSON, but \"hold\"\n")
		if o := broken.hold("", strings.Fields(args)...); o.code != 75 || o.out != "" || !strings.Contains(o.err, "postqueue") {
			t.Errorf("%s: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
		if err := os.RemoveAll(h.path("journal")); err != nil {
			t.Fatal(err)
		}
		if o := h.hold("", strings.Fields(args)...); o.code != 75 || o.out != "" || !strings.Contains(o.err, "journal") {
			t.Errorf("%s without journals: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
		broken.write("policy.toml", "[gateway\n")
		if o := broken.hold("", strings.Fields(args)...); o.code != 78 || o.out != "" || !strings.Contains(o.err, "policy.toml:1") {
			t.Errorf("%s: exit code %d, %q, %q", args, o.code, o.out, o.err)
		}
	}
	empty := holding(t)
	empty.write("queue", "")
	if o := empty.hold("", "list", "--json"); o.code != 1 || o.out != "[]\n" {
		t.Errorf("exit code %d, %q", o.code, o.out)
	}
}
