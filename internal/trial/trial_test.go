package trial_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const policy = `[gateway]
name = "mx1.example.org"
[[client]]
id = "ivan"
addresses = ["ivan@example.org"]
[[rule]]
name = "first"
stage = "connect"
match = { client_ip = "192.0.2.0/24" }
weight = 1
[[rule]]
name = "listed"
stage = "connect"
match = { dnsbl = "list.example" }
weight = 8
[[rule]]
name = "mx"
stage = "mailfrom"
match = { sender_mx = "missing" }
weight = 2
[[rule]]
name = "field"
stage = "headers"
match.header.X-A = 'b'
weight = 4
[[rule]]
name = "signed"
stage = "complete"
match = { dkim_domain = "bad.example" }
weight = 16
[[rule]]
name = "body"
stage = "complete"
match = { attachment_name = '\.exe$' }
action = "reject"
[[module]]
name = "parts"
type = "attachment"
[[module]]
name = "away"
type = "rspamd"
url = "http://127.0.0.1:1"
on_error = "tempfail"
[[threshold]]
above = 4
tag_subject = "[X]"
`

func bench(t *testing.T, o trial.Options) *trial.Bench {
	t.Helper()
	o.Config = configtest.Text(t, policy)
	b, err := trial.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func message(t *testing.T, text string, recipients ...string) trial.Message {
	t.Helper()
	addr, err := trial.ParseClient("192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	m := trial.Message{Client: trial.Peer(addr, "", ""), Helo: "mail.example.com", Recipients: recipients}
	m.Envelope = gate.Envelope{Sender: "a@example.com", Size: -1}
	if text != "" {
		m.Text = []byte(text)
	}
	return m
}

func explain(t *testing.T, b *trial.Bench, m trial.Message) *trial.Explanation {
	t.Helper()
	o, err := b.Judge(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return trial.Explain(o)
}

// stages are those of an explanation with what matched in them.
func stages(e *trial.Explanation) string {
	var all []string
	for _, s := range e.Stages {
		line := s.Stage
		for _, r := range s.Rules {
			if r.Matched {
				line += " +" + r.Rule
			}
		}
		all = append(all, line+" "+s.Weight)
	}
	return strings.Join(all, ", ")
}

// Who tries a policy need have no state_dir of a gateway: a long archive is kept
// elsewhere.
func TestLongArchive(t *testing.T) {
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for i := range 900 {
		if _, err := z.Create(fmt.Sprintf("%0200d.txt", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := z.Create("invoice.exe"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	text := "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=docs.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(file.Bytes()) + "\r\n"
	if e := explain(t, bench(t, trial.Options{}), message(t, text, "ivan@example.org")); e.Verdict != "reject" || e.Rule != "body" {
		t.Errorf("%s by %q: %s", e.Verdict, e.Rule, e.Reason)
	}
}

func TestExplain(t *testing.T) {
	b := bench(t, trial.Options{Lookups: &trial.Answers{}})
	e := explain(t, b, message(t, "X-A: abc\nSubject: hello\n\nbody\n", "ivan@example.org", "nobody@example.org"))
	if e.Verdict != "accept" || e.Weight != "7" || e.Subject != "[X] hello" || len(e.Records) != 1 || e.Records[0].Recipient != "ivan@example.org" {
		t.Errorf("%+v", e)
	}
	if got, want := stages(e), "connect +first 1, mailfrom +mx 3, rcptto 3, rcptto 3, headers +field 7, complete 7"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if r := e.Recipients; len(r) != 2 || r[0].Verdict != "accept" || r[1].Verdict != "reject" || !strings.HasPrefix(r[1].Reply, "550 5.1.1") {
		t.Errorf("%+v", r)
	}
	var ops []string
	for _, c := range e.Header {
		ops = append(ops, c.Op+c.Name)
	}
	if got := strings.Join(ops, " "); got != "-Subject +Authentication-Results +Subject +X-Tollgate" {
		t.Error(got)
	}
	var top struct{ Verdict, Weight string }
	if text, err := json.Marshal(e); err != nil || json.Unmarshal(text, &top) != nil || top.Verdict != "accept" || top.Weight != "7" {
		t.Errorf("%+v, %v", top, err)
	}
	// The same bench again: nothing of the message before is left.
	if again := explain(t, b, message(t, "Subject: hello\n\n", "ivan@example.org")); again.Weight != "3" || len(again.Recipients) != 1 {
		t.Errorf("%+v", again)
	}
}

// Without look-ups what hangs on them is not known, and no service is asked.
func TestOffline(t *testing.T) {
	e := explain(t, bench(t, trial.Options{}), message(t, "Subject: hello\n\n", "ivan@example.org"))
	if e.Verdict != "accept" || e.Weight != "1" {
		t.Errorf("%+v", e)
	}
	if got := unknown(e); got != "dnsbl list.example, sender_mx" {
		t.Errorf("not known: %s", got)
	}
	// Only of a signature somebody is to be asked.
	e = explain(t, bench(t, trial.Options{}), message(t, "DKIM-Signature: v=1; a=rsa-sha256; d=good.example; s=s; h=from; bh=eA==; b=eA==\nSubject: hello\n\n", "ivan@example.org"))
	if got := unknown(e); got != "dnsbl list.example, sender_mx, dkim_domain" {
		t.Errorf("not known: %s", got)
	}
	// Who answers that there is none has answered.
	e = explain(t, bench(t, trial.Options{Lookups: &trial.Answers{}}), message(t, "Subject: hello\n\n", "ivan@example.org"))
	if got := unknown(e); got != "" {
		t.Errorf("not known: %s", got)
	}
}

// unknown are the attributes of which an explanation says that they are not known.
func unknown(e *trial.Explanation) string {
	var all []string
	for _, s := range e.Stages {
		for _, a := range s.Attributes {
			if a.Unknown {
				all = append(all, a.Name)
			}
		}
	}
	return strings.Join(all, ", ")
}

// An inspector that asks nobody is not left out.
func TestAttachment(t *testing.T) {
	text := "MIME-Version: 1.0\nContent-Type: application/octet-stream; name=a.exe\n\nMZ\n"
	if e := explain(t, bench(t, trial.Options{}), message(t, text, "ivan@example.org")); e.Verdict != "reject" || e.Rule != "body" {
		t.Errorf("%+v", e)
	}
}

// Without a message the envelope alone is judged.
func TestEnvelope(t *testing.T) {
	b := bench(t, trial.Options{})
	e := explain(t, b, message(t, "", "ivan@example.org"))
	if e.Verdict != "accept" || e.Weight != "1" || len(e.Records) > 0 {
		t.Errorf("%+v", e)
	}
	if e = explain(t, b, message(t, "", "nobody@example.org")); e.Verdict != "reject" || !strings.HasPrefix(e.Reply, "550 5.1.1") {
		t.Errorf("%+v", e)
	}
}

// Schedules and dates are those of the time that is asked for.
func TestTime(t *testing.T) {
	then := time.Date(2001, 1, 2, 3, 4, 5, 0, time.UTC)
	e := explain(t, bench(t, trial.Options{Now: func() time.Time { return then }}), message(t, "Subject: x\n\n", "ivan@example.org"))
	if len(e.Records) != 1 || !e.Records[0].Time.Equal(then) {
		t.Errorf("%+v", e.Records)
	}
}

// A body comes in lines that end in CRLF, whatever its size.
func TestBody(t *testing.T) {
	b := bench(t, trial.Options{})
	for _, n := range []int{0, 1, 100, 3000, 70_000} {
		for _, end := range []string{"\n", "\r\n"} {
			body := strings.Repeat("abc"+end, n)
			e := explain(t, b, message(t, "Subject: x"+end+end+body, "ivan@example.org"))
			if want := int64(len("Subject: x\r\n\r\n") + 5*n); e.Records[0].Size != want {
				t.Errorf("%d lines: %d octets, want %d", n, e.Records[0].Size, want)
			}
		}
	}
	long := bytes.Repeat([]byte("x"), 200_000)
	if e := explain(t, b, message(t, "Subject: x\n\n"+string(long), "ivan@example.org")); e.Records[0].Size != int64(len("Subject: x\r\n\r\n")+len(long)+2) {
		t.Errorf("%d octets", e.Records[0].Size)
	}
}

// What a hostile message brings is bounded in what is shown.
func TestHostile(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "X-A: \x1b[31m%d%s\n", i, strings.Repeat("b", 500))
	}
	e := explain(t, bench(t, trial.Options{}), message(t, text.String()+"\nbody\n", "ivan@example.org"))
	for _, s := range e.Stages {
		for _, a := range s.Attributes {
			if len(a.Values) > 50 {
				t.Errorf("%s: %d values", a.Name, len(a.Values))
			}
			for _, v := range a.Values {
				if len(v) > 600 {
					t.Errorf("%s: a value of %d octets", a.Name, len(v))
				}
			}
		}
	}
}

func TestGuess(t *testing.T) {
	for text, want := range map[string]string{
		"Return-Path: <a@x>\nDelivered-To: b@x\nTo: c@x\n\n": "a@x [b@x]",
		"From: A <a@x>\nTo: B <b@x>, c@x\nCc: b@x\n\n":       "a@x [b@x c@x]",
		"Subject: x\n\n": " []",
	} {
		sender, recipients := trial.Guess([]byte(text))
		if got := fmt.Sprint(sender, " ", recipients); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
