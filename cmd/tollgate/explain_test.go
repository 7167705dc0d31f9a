package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
)

const explained = policy + `[[rule]]
name = "field"
stage = "headers"
match.header.X-A = 'b'
weight = 2.5
[[threshold]]
above = 2
tag_subject = "[X]"
`

func TestExplainCommand(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", explained)
	h.write("a.eml", "To: Ivan <ivan@example.org>\nFrom: a@example.com\nX-A: abc\nSubject: hello\n\nbody\n")
	o := h.run("explain", "--offline", "--client-ip", "192.0.2.7", "a.eml")
	for _, says := range []string{
		"\n  + field: match header.X-A = abc, weight 2.5\n", "\nverdict: accept\nweight: 2.5\n", "  - Subject: hello\n  + Subject: [X] hello\n",
		"\n  ivan@example.org: client sales, ",
	} {
		if o.code != 0 || !strings.Contains(o.out, says) {
			t.Errorf("%d, %q is missing in\n%s%s", o.code, says, o.out, o.err)
		}
	}
	var top struct{ Verdict, Weight, Subject string }
	if err := json.Unmarshal([]byte(h.mustRun("explain", "--json", "--offline", "a.eml")), &top); err != nil || top.Verdict != "accept" || top.Weight != "2.5" {
		t.Errorf("%+v, %v", top, err)
	}
	h.write("dns.toml", "[dns]\n\"example.com MX\" = \"0 .\"\n")
	for args, code := range map[string]int{
		"--answers dns.toml a.eml":                0,
		"--offline --recipient x@example.org":     0,
		"--offline":                               2,
		"--offline --online a.eml":                2,
		"--client-ip x --offline a.eml":           2,
		"--offline none.eml":                      exitUsage,
		"--answers none.toml a.eml":               exitUsage,
		"--offline --time yesterday a.eml":        0,
		"--offline --sender= --tls TLSv1.3 a.eml": 0,
	} {
		if o := h.run(append([]string{"explain"}, strings.Fields(args)...)...); o.code != code {
			t.Errorf("%s: exit code %d, want %d\n%s", args, o.code, code, o.err)
		}
	}
	h.write("policy.toml", "nonsense")
	if o := h.run("explain", "--offline", "a.eml"); o.code != 78 {
		t.Errorf("%+v", o)
	}
}

// Thresholds that the weight is above are told, with what one in shadow would do.
func TestExplainThresholds(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", explained+`[[threshold]]
above = 1
action = "reject"
shadow = true
[[threshold]]
above = 2.4
tag_subject = "[Y]"
action = "hold"
shadow = true
[[threshold]]
above = 3
action = "reject"
`)
	h.write("a.eml", "To: Ivan <ivan@example.org>\nFrom: a@example.com\nX-A: abc\nSubject: hello\n\nbody\n")
	o := h.run("explain", "--offline", "a.eml")
	for _, says := range []string{
		"\n  + threshold above 2, marks\n", "\n  + threshold above 1, reject (shadow: without effect)\n", "\n  + threshold above 2.4, marks, hold (shadow: without effect)\n",
		"\nverdict: accept\n", "  + Subject: [X] hello\n",
	} {
		if o.code != 0 || !strings.Contains(o.out, says) || strings.Contains(o.out, "above 3") {
			t.Errorf("%d, %q is missing in\n%s%s", o.code, says, o.out, o.err)
		}
	}
}

// Where a client has a limit, and nobody asked how it stands, explain says so.
func TestExplainStanding(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", explained)
	args := []string{"explain", "--offline", "--recipient", "ivan@example.org"}
	if o := h.run(args...); o.code != 0 || strings.Contains(o.out, "not asked") {
		t.Errorf("no client has a limit: %+v", o)
	}
	h.write("policy.toml", explained+"[[client]]\nid = \"full\"\naddresses = [\"full@example.org\"]\nquota = \"1 MiB\"\n")
	if o := h.run(args...); o.code != 0 || !strings.Contains(o.out, "were not asked for") {
		t.Errorf("%+v", o)
	}
	var top struct{ Standing string }
	if err := json.Unmarshal([]byte(h.mustRun(append(args, "--json")...)), &top); err != nil || top.Standing != notAsked {
		t.Errorf("%+v, %v", top, err)
	}
	if o := h.run(append(args, "--standing")...); o.code != 75 {
		t.Errorf("no daemon runs: %+v", o)
	}
}

// A hostile message brings no control character to the terminal.
func TestExplainHostile(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", explained)
	var b strings.Builder
	b.WriteString("Subject: \x1b]0;title\x07 =?utf-8?q?=1B[31m=E2=80=AE?=\nMIME-Version: 1.0\n")
	for i := range 900 {
		fmt.Fprintf(&b, "X-A: \x1b[2J%d \x9b\r%s\n", i, strings.Repeat("b\x7f", 20))
	}
	h.write("a.eml", b.String()+"\nbody\n")
	for _, form := range []string{"", "--json"} {
		args := []string{"explain", "--offline", "--recipient", "ivan@example.org", "--helo", "\x1b[1mx", "a.eml"}
		if form != "" {
			args = append(args, form)
		}
		o := h.run(args...)
		if o.code != 0 || !strings.Contains(o.out, "verdict") {
			t.Fatalf("%+v", o)
		}
		if form == "" && strings.ContainsFunc(o.out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("a character that is not printed in %q", o.out)
		}
	}
}

func TestTestCommand(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", explained)
	h.write("cases.toml", `[[case]]
name = "good"
recipients = ["ivan@example.org"]
header = { X-A = "b" }
expect.weight = 2.5
[[case]]
name = "bad"
recipients = ["ivan@example.org"]
expect.verdict = "reject"
`)
	o := h.run("test", "--coverage", "--junit", "report.xml", "cases.toml")
	want := `cases.toml:6: bad: failed
    verdict
        want reject
        got  accept
rules: 1 of 1 reached
thresholds: 1 of 1 reached
reasons to refuse a recipient: 0 of 2 reached; not unknown, foreign
2 cases, 1 failed (`
	if o.code != 1 || !strings.HasPrefix(o.out, want) {
		t.Errorf("%d, %s%s", o.code, o.out, o.err)
	}
	var rows []struct {
		Name   string
		Passed bool
	}
	if o := h.run("test", "--json", "cases.toml"); json.Unmarshal([]byte(o.out), &rows) != nil || len(rows) != 2 || !rows[0].Passed || rows[1].Passed {
		t.Errorf("%+v", o)
	}
	h.write("bad.toml", "[[case]]\n")
	for args, code := range map[string]int{"bad.toml": 2, "": 2, "none.toml": 2} {
		if o := h.run(append([]string{"test"}, strings.Fields(args)...)...); o.code != code {
			t.Errorf("%s: exit code %d, want %d\n%s", args, o.code, code, o.err)
		}
	}
}

// What the journals know of a message is told, and with a policy what would
// happen to it now.
func TestExplainRef(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", explained+"[[rule]]\nname = \"net\"\nstage = \"connect\"\nmatch.client_ip = \"192.0.2.7\"\nweight = 1\n")
	h.write("journal/messages.jsonl", `{"time":"2026-11-23T10:00:00.000Z","kind":"messages","gateway":"mx1","policy":"v1","ref":"REF1","queue_id":"4LX","client_ip":"192.0.2.7","client_host":"unknown","helo":"h","sender":"a@example.com","recipients":["ivan@example.org"],"subject":"hello","size":100,"stage":"headers","verdict":"accept","rules":[{"name":"field","stage":"headers","weight":"2.5"}],"weight":"2.5"}`+"\n")
	h.write("a.eml", "To: other@example.org\nFrom: b@example.com\nX-A: abc\nSubject: hello\n\nbody\n")
	for args, says := range map[string][]string{
		"--ref REF1 --offline":      {"reference  REF1", "judged by policy version v1", "what the journal does not know:\n  the body", "what would happen to its envelope now:", "weight: 1\n", "this is of the envelope alone"},
		"--ref 4LX --offline a.eml": {"what would happen to the message now:", "verdict: accept\nweight: 3.5\n", "ivan@example.org: client sales"},
	} {
		o := h.run(append([]string{"explain"}, strings.Fields(args)...)...)
		for _, s := range says {
			if o.code != 0 || !strings.Contains(o.out, s) {
				t.Errorf("%s: %d, %q is missing in\n%s%s", args, o.code, s, o.out, o.err)
			}
		}
		if strings.Contains(o.out, "\x1b") {
			t.Errorf("%s: colours where there is no terminal", args)
		}
	}
	if o := h.run("explain", "--ref", "NONE"); o.code != 1 {
		t.Errorf("%+v", o)
	}
	var f struct {
		Ref     string
		Entries []map[string]any
		Now     map[string]any
	}
	if err := json.Unmarshal([]byte(h.mustRun("explain", "--json", "--offline", "--ref", "REF1")), &f); err != nil || f.Ref != "REF1" || len(f.Entries) != 1 || f.Now["weight"] != "1" {
		t.Errorf("%+v, %v", f, err)
	}
}
