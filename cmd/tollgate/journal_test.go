package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAnything(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"4v1kz8m2p0q3", []string{"4v1kz8m2p0q3"}},
		{"(4v1kz8m2p0q3)", []string{"4v1kz8m2p0q3"}},
		{"ivan", []string{"ivan"}},
		{"<a@example.com>", []string{"a@example.com"}},
		{`"a@example.com"`, []string{"a@example.com"}},
		{`"ivan"@example.org`, []string{`"ivan"@example.org`}},
		{`<"ivan"@example.org>,`, []string{`"ivan"@example.org`}},
		{`"\"ivan"@example.org`, []string{`"\"ivan"@example.org`}},
		{`"ivan petrov"@example.org`, []string{`"ivan petrov"@example.org`}},
		{`Nov 28 01:00:00 mx postfix/smtp[123]: to=<"ivan petrov"@example.org>, status=bounced`, []string{`"ivan petrov"@example.org`}},
		{`said "hello" to <ivan@example.org>`, []string{"ivan@example.org"}},
		{"host mx1.example.org[192.0.2.1] said: 550 5.7.1 Refused as unsolicited mail (weight 12.5) (ref 4v1kz8m2p0q3) (in reply to end of DATA command)", []string{"4v1kz8m2p0q3"}},
		{"Nov 28 01:00:00 mx postfix/smtp[123]: 4LwABC123F: to=<ivan@example.org>, status=bounced", []string{"ivan@example.org"}},
		{"Nov 28 01:00:00 mx postfix/smtp[123]: 9A4A4B9E5FFD: to=<ivan@example.org>, status=bounced", []string{"9A4A4B9E5FFD"}},
		{"250 2.0.0 Ok: queued as A4A4B9E5FFD", []string{"A4A4B9E5FFD"}},
		{"Message-ID: <x.1@example.com> from somebody", []string{"x.1@example.com"}},
		{"a mail from anna@example.com of yesterday", []string{"anna@example.com"}},
		{"ref=0daxw74tx983", []string{"0daxw74tx983"}},
		{"(ref=0daxw74tx983);", []string{"0daxw74tx983"}},
		{"ref 0daxw74tx983", []string{"0daxw74tx983"}},
		{"REF: 0daxw74tx983", []string{"0daxw74tx983"}},
		{`"ref":"0daxw74tx983",`, []string{"0daxw74tx983"}},
		{"message-id=<ref=1@example.com>", []string{"ref=1@example.com"}},
		{"queue_id=9A4A4B9E5FFD", []string{"9A4A4B9E5FFD"}},
		{"9A4A4B9E5FFD 4A4B9E5FFD9A", []string{"9A4A4B9E5FFD", "4A4B9E5FFD9A"}},
	} {
		got, err := anything(strings.Fields(tt.text))
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v", tt.text, got, err)
		}
	}
	if _, err := anything([]string{"where", "is", "it"}); err == nil {
		t.Error("no error for a text without a name")
	}
}

// A notice of failed delivery is pasted as one argument, folded as it is.
func TestFoldedBounce(t *testing.T) {
	for _, text := range []string{
		"550 5.7.1 Refused as unsolicited mail (ref\n    0daxw74tx983)", "Refused (ref\r\n\t0daxw74tx983) (in reply", "X-Tollgate: mx; ref=0daxw74tx983; weight=1",
	} {
		if got, err := anything([]string{text}); err != nil || !slices.Equal(got, []string{"0daxw74tx983"}) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if got, err := anything([]string{"status: queued as\n 9A4A4B9E5FFD"}); err != nil || !slices.Equal(got, []string{"9A4A4B9E5FFD"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// No condition is left out silently.
func TestConditionsAreOnce(t *testing.T) {
	h := newHouse(t)
	h.day()
	for _, args := range [][]string{
		{"journal", "sales@example.org", "ivan"}, {"journal", "ivan", "sales@example.org"}, {"journal", "ref", "0daxw74tx983", "ivan"}, {"journal", "9A4A4B9E5FFD", "ivan"},
		{"journal", "--recipient", "a", "--recipient", "b"}, {"journal", "--sender", ""}, {"journal", "--recipient", ""}, {"journal", "--recipient", "<>"},
		{"journal", "-n", "1", "--last", "2"}, {"journal", "--subject="}, {"journal", ""}, {"journal", "show", "thr1", "--dir", ""},
	} {
		if o := h.run(args...); o.code != 2 || o.out != "" {
			t.Errorf("%q: %+v", args, o)
		}
	}
	if o := h.run("journal", "-n", "1", "--utc", "--utc"); o.code != 0 {
		t.Errorf("a switch says the same twice: %+v", o)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string][2]int64{
		"": {0, 0}, "> 10 MiB": {10<<20 + 1, 0}, ">=1k": {1024, 0}, "10M": {10 << 20, 0}, "< 1 KiB": {0, 1023}, "<= 5": {0, 5}, "=7": {7, 7}, "1.5k": {1536, 0},
	} {
		least, most, err := parseSizes(text)
		if err != nil || [2]int64{least, most} != want {
			t.Errorf("%q: %d, %d, %v", text, least, most, err)
		}
	}
	for _, text := range []string{"big", "10 MB/s", "> > 1", "-1", "99999999999999999999G"} {
		if _, _, err := parseSizes(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// What is meant is named, or found.
func TestJournalGuesses(t *testing.T) {
	h := newHouse(t)
	h.journals()
	for _, tt := range []struct {
		args string // fields, "_" for a space within one
		code int
		want string
	}{
		{"IVAN", 0, "r1"},
		{"r2", 0, "ghost@example.org"},
		{"4lxb", 0, "r1"},
		{"550_5.1.1_No_such_user_(ref_r2xxxx)", 1, "nothing found"},
		{"--recipient gho", 0, "r2"},
		{"--sender example.net", 0, "r5"},
		{"--verdict rejected", 2, `did you mean "reject"?`},
		{"--stage rcpt", 2, `did you mean "rcptto"?`},
		{"--direction in", 2, "inbound"},
		{"--count-by verdicts", 2, `did you mean "verdict"?`},
		{"--rule color", 1, "nothing found"},
		{"message", 1, `did you mean "messages"?`},
		{"--count-by verdict", 0, "2  accept"},
		{"--count-by kind", 0, "COUNT  KIND\n      4  messages\n      1  blocks\n"},
		{"trace --count-by kind", 0, "1  trace"},
		{"--size >_10k", 0, "r1"},
		{"--host example.com --limit 1", 0, "r0"},
		{"show r2", 0, "550 5.1.1 No such user (ref r2)"},
		{"show 4LxB", 0, "Отчёт"},
		{"show nobody", 1, "nothing found"},
		{"--since 22.11.2026 --until 2026-11-22 --utc", 0, "TIME (UTC)"},
	} {
		args := strings.Fields(tt.args)
		for n := range args {
			args[n] = strings.ReplaceAll(args[n], "_", " ")
		}
		o := h.run(append([]string{"journal"}, args...)...)
		if o.code != tt.code || !strings.Contains(o.out+o.err, tt.want) {
			t.Errorf("%s: exit code %d, %q, %q", tt.args, o.code, o.out, o.err)
		}
	}
	for args, want := range map[string]string{"backup": `it is written "tollgate backup FILE"`, "jurnal": `did you mean "journal"?`, "restor": `did you mean "restore"?`, "xyzzy": "lists them"} {
		if o := h.run(args); o.code != 2 || !strings.Contains(o.err, want) {
			t.Errorf("%s: %d %q", args, o.code, o.err)
		}
	}
}

// The page of a message tells which attachment a rule and a symbol are about, what
// each symbol weighed, and why a module failed.
func TestJournalPageModules(t *testing.T) {
	h := newHouse(t)
	line := `{"time":"2026-11-23T10:00:00.000Z","kind":"messages","gateway":"gw","policy":"p","ref":"r77","queue_id":"Q77","sender":"a@example.com","recipients":["ivan@example.org"],` +
		`"verdict":"reject","stage":"complete","rule":"programs","rules":[{"name":"programs","stage":"complete","weight":"0","action":"reject","attribute":"module.files.symbol","text":"ARCHIVE_EXECUTABLE"}],` +
		`"modules":[{"name":"files","result":"ok","score":"0","weight":"0","action":"","symbols":["ARCHIVE_EXECUTABLE","PLAIN"],"about":{"ARCHIVE_EXECUTABLE":["docs.zip/setup.exe"]}},` +
		`{"name":"rspamd","result":"ok","score":"9.3","weight":"9.3","action":"reject","symbols":["BAYES_SPAM"],"scores":{"BAYES_SPAM":"5.1"},"about":{"BAYES_SPAM":["99.9%"]}},` +
		`{"name":"sa","result":"error","score":"0","weight":"0","action":"","error":"spamd at tcp:127.0.0.1:1133: connection refused at 127.0.0.1:1133","duration_ms":7003}],"weight":"9.3","took_ms":{"total":9512,"rcptto":12,"complete":8400,"dns":1250,"inspectors":7003}}` + "\n"
	h.write("journal/messages.jsonl", line)
	o := h.run("journal", "show", "r77")
	if o.code != 0 {
		t.Fatalf("%d %s", o.code, o.err)
	}
	for _, want := range []string{
		"module.files.symbol: ARCHIVE_EXECUTABLE (docs.zip/setup.exe)\n", "BAYES_SPAM", "5.1", "99.9%", "connection refused at 127.0.0.1:1133", "PLAIN",
		"7.003 s\n", "9.512 s from MAIL to the verdict: the client and Postfix 1.100 s, here rcptto 12 ms, complete 8.400 s; of that waited for dns 1.250 s, inspectors 7.003 s\n",
	} {
		if !strings.Contains(o.out, want) {
			t.Errorf("no %q in\n%s", want, o.out)
		}
	}
	if testing.Verbose() {
		t.Log("\n" + o.out)
	}
}

// Following goes on through a rotation.
func TestJournalFollow(t *testing.T) {
	h := newHouse(t)
	h.journals()
	c := h.command("journal", "blocks", "-f", "--policy", "policy.toml")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
	}()
	lines := bufio.NewScanner(out)
	awaited := func(ref string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), ref) {
				return
			}
		}
		t.Fatalf("%s was not shown", ref)
	}
	add := func(ref string) {
		t.Helper()
		f, err := os.OpenFile(h.path("journal/blocks.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := fmt.Fprintf(f, `{"time":%q,"kind":"blocks","ref":%q,"verdict":"reject"}`+"\n", time.Now().UTC().Format(time.RFC3339), ref); err != nil {
			t.Fatal(err)
		}
	}
	awaited("r2") // what was there
	add("new1")
	awaited("new1")
	if err := os.Rename(h.path("journal/blocks.jsonl"), h.path("journal/blocks.jsonl.1")); err != nil {
		t.Fatal(err)
	}
	add("new2")
	awaited("new2")
}
