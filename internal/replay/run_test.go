package replay_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/replay"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = `[gateway]
name = "mx1.example.org"
[[client]]
id = "ivan"
addresses = ["ivan@example.org"]
[[threshold]]
above = 2
tag_subject = "[SPAM?]"
tag_header = "X-Spam-Flag: YES"
[[rule]]
name = "bad-hop"
stage = "connect"
match = { client_ip = "192.0.2.0/24" }
weight = 1
[[rule]]
name = "greylist"
stage = "rcptto"
match = { client_ip = "0.0.0.0/0" }
action = "greylist"
[[rule]]
name = "lottery"
stage = "headers"
match.subject = 'lottery'
`

func load(t *testing.T, more string) *config.Config {
	t.Helper()
	return configtest.Text(t, base+more)
}

// delivered is a message as it lies in a mailbox behind the gateway.
const delivered = `Return-Path: <a@example.com>
Delivered-To: ivan@example.org
X-Original-To: ivan@example.org
Received: from mail.example.com (mail.example.com [192.0.2.7])
	by mx1.example.org (Postfix) with ESMTPS id 4AB; Mon, 23 Nov 2026 10:00:00 +0000
Received: from ws ([198.51.100.1]) by mail.example.com; Mon, 23 Nov 2026 09:59:00 +0000
Authentication-Results: mx1.example.org; spf=pass
Authentication-Results: mail.example.com; auth=pass
X-Tollgate: mx1.example.org; ref=0abc; weight=3
X-Spam-Flag: YES
Subject: [SPAM?] lottery %d
Date: Mon, 23 Nov 2026 10:00:00 +0000
From: a@example.com
To: others@example.net

From here on
body
`

func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// store has eight messages: two in a Maildir, two in a folder, three in
// mailboxes of which one is in a tar, one in the tar itself.
func store(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	one := func(n int) string { return fmt.Sprintf(delivered, n) }
	put(t, dir, "Maildir/cur/1.host:2,S", one(1))
	put(t, dir, "Maildir/.Junk/new/2.host", one(2))
	put(t, dir, "Maildir/dovecot.index", "no message")
	put(t, dir, "Maildir/tmp/half", "no message yet")
	put(t, dir, "eml/3.eml", one(3))
	put(t, dir, "eml/sub/4.EML", strings.ReplaceAll(one(4), "\n", "\r\n"))
	put(t, dir, "eml/README", "no message")
	mbox := func(n ...int) string {
		var b strings.Builder
		for _, i := range n {
			b.WriteString("From a@example.com Mon Nov 23 10:00:00 2026\n" + strings.ReplaceAll(one(i), "\nFrom here", "\n>From here") + "\n")
		}
		return b.String()
	}
	put(t, dir, "old.mbox", mbox(5, 6))
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range map[string]string{"a/7.eml": one(7), "a/8.mbox": mbox(8), "a/notes": "none"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "old.tar", b.String())
	return dir
}

func TestRun(t *testing.T) {
	dir := store(t)
	s, err := replay.Run(t.Context(), replay.Options{Policy: load(t, "")}, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.Messages != 8 || s.Verdicts["accept"] != 8 || len(s.Unread) > 0 || s.Guessed != 0 || len(s.Changes) > 0 {
		t.Errorf("%+v", s)
	}
	hits := map[string]int{}
	for _, r := range s.Rules {
		hits[r.Rule] = r.Hits
	}
	if hits["bad-hop"] != 8 || hits["lottery"] != 8 {
		t.Errorf("the client or the Subject is another's: %v", hits)
	}
}

// What the other policy does otherwise is told, and copied.
func TestAgainst(t *testing.T) {
	dir, changed := store(t), t.TempDir()
	for name, tt := range map[string]struct {
		more    string
		changes int
		is      replay.Outcome
	}{
		"the same": {"", 0, replay.Outcome{}},
		"refused": {"[[rule]]\nname = \"no\"\nstage = \"headers\"\nmatch.subject = 'lottery [12]$'\naction = \"reject\"\n", 2,
			replay.Outcome{Verdict: "reject", Weight: "1", Subject: "lottery 1", Rule: "no"}},
		"tagged": {"[[rule]]\nname = \"more\"\nstage = \"headers\"\nmatch.subject = 'lottery 3'\nweight = 2\n", 1,
			replay.Outcome{Verdict: "accept", Weight: "3", Subject: "[SPAM?] lottery 3", Tags: "X-Spam-Flag"}},
		"only weight": {"[[rule]]\nname = \"more\"\nstage = \"headers\"\nmatch.subject = 'lottery'\nweight = 0.5\n", 0, replay.Outcome{}},
	} {
		t.Run(name, func(t *testing.T) {
			o := replay.Options{Policy: load(t, ""), Against: load(t, tt.more)}
			if name == "refused" {
				o.Changed = changed
			}
			s, err := replay.Run(t.Context(), o, []string{dir})
			if err != nil {
				t.Fatal(err)
			}
			if s.Messages != 8 || len(s.Changes) != tt.changes {
				t.Fatalf("%+v", s)
			}
			if tt.changes == 0 {
				return
			}
			i := slices.IndexFunc(s.Changes, func(c replay.Changed) bool { return c.After.Subject == tt.is.Subject })
			if i < 0 {
				t.Fatalf("%+v", s.Changes)
			}
			is := s.Changes[i].After
			tt.is.Charged = is.Charged
			if is != tt.is || s.Changes[i].Before.Verdict != "accept" || s.Changes[i].Before.Charged == 0 {
				t.Errorf("%+v, want %+v", s.Changes[i], tt.is)
			}
		})
	}
	if kept, err := os.ReadDir(changed); err != nil || len(kept) != 2 {
		t.Errorf("%v, %v", kept, err)
	}
}

// What was added on the way in is taken off, and nothing else.
func TestStripped(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "1.eml", fmt.Sprintf(delivered, 1))
	more := ""
	for _, name := range []string{"X-Tollgate", "Return-Path", "Delivered-To", "X-Spam-Flag"} {
		more += "[[rule]]\nname = \"has-" + strings.ToLower(name) + "\"\nstage = \"headers\"\nmatch.header." + name + " = true\n"
	}
	more += "[[rule]]\nname = \"ours\"\nstage = \"headers\"\nmatch.header.Received = 'by mx1'\n"
	more += "[[rule]]\nname = \"foreign\"\nstage = \"headers\"\nmatch.header.Received = 'by mail'\n"
	more += "[[rule]]\nname = \"results\"\nstage = \"headers\"\nmatch.header.Authentication-Results = 'mx1'\n"
	s, err := replay.Run(t.Context(), replay.Options{Policy: load(t, more)}, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var hit []string
	for _, r := range s.Rules {
		hit = append(hit, r.Rule)
	}
	slices.Sort(hit)
	if got := strings.Join(hit, " "); got != "bad-hop foreign greylist lottery" {
		t.Error(got)
	}
}

// What cannot be read or judged is told, and the rest is judged.
func TestUnread(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "1.eml", fmt.Sprintf(delivered, 1))
	put(t, dir, "2.eml", "Subject: to nobody\n\n")
	put(t, dir, "3.eml", "Subject: to somebody\nTo: Ivan <ivan@example.org>\n\n")
	put(t, dir, "broken.tar", strings.Repeat("x", 600))
	s, err := replay.Run(t.Context(), replay.Options{Policy: load(t, ""), Answers: &trial.Answers{}}, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.Messages != 2 || len(s.Unread) != 2 || s.Guessed != 1 {
		t.Errorf("%+v", s)
	}
	if _, err := replay.Run(t.Context(), replay.Options{Policy: load(t, "")}, []string{filepath.Join(dir, "none")}); err == nil {
		t.Error("a path that is not there is no mail")
	}
}

// A folder of files that nothing says to be messages is told of, not passed over.
func TestFolderOfOthers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("Delivered-To: ivan@example.org\nSubject: x\n\nbody\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := replay.Run(t.Context(), replay.Options{Policy: load(t, "")}, []string{dir})
	if err != nil || s.Messages != 0 || len(s.Unread) != 1 || !strings.Contains(s.Unread[0], "none of its 2 files is named .eml") {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = replay.Run(t.Context(), replay.Options{Policy: load(t, "")}, []string{filepath.Join(dir, "a")})
	if err != nil || s.Messages != 1 || len(s.Unread) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// What nothing tells of a connection is named where a rule of either policy hangs on it.
func TestUnknownEnvelope(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "1.eml", "Delivered-To: ivan@example.org\nFrom: a@example.com\nSubject: lottery\n\nx\n")
	put(t, dir, "2.eml", "Delivered-To: ivan@example.org\nReceived: from far (far [198.51.100.7]) by elsewhere.example; Mon, 23 Nov 2026 10:00:00 +0000\nFrom: a@example.com\nSubject: lottery\n\nx\n")
	rule := "[[rule]]\nname = \"more\"\nstage = \"headers\"\nmatch.subject = 'lottery'\nunless.%s\nweight = 1\n"
	old := load(t, "")
	for _, tt := range []struct{ unless, want string }{
		{"client_ip = '203.0.113.0/24'", "[{client_ip 1}]"},
		{"helo = 'nobody'", "[{client_ip 1} {helo 1}]"},
		{"tls = false", "[{tls 2} {client_ip 1}]"},
		{"authenticated = true", "[{authenticated 2} {client_ip 1}]"},
		{"sender = 'nobody'", "[{client_ip 1}]"}, // of the base's rules
	} {
		s, err := replay.Run(t.Context(), replay.Options{Policy: old, Against: load(t, fmt.Sprintf(rule, tt.unless))}, []string{dir})
		if err != nil || fmt.Sprint(s.Unknown) != tt.want {
			t.Errorf("%s: %+v, %v", tt.unless, s, err)
		}
	}
}
