package rspamd

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// told is what rspamd understood of the envelope.
func told(t *testing.T, e *module.Envelope, text string) map[string]string {
	t.Helper()
	f, err := inspector(t, Settings{URL: daemon.URL, Headers: true}).inspect(limit(t), e, message(text))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, field := range f.Add {
		if name, ok := strings.CutPrefix(field.Name, "X-Told-"); ok {
			all[name] = strings.TrimPrefix(field.Value, " ")
		}
	}
	return all
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	got := told(t, &module.Envelope{
		Ref: "4bz1", Gateway: "gate.example.org", QueueID: "4XyZ1a2b3c", ClientIP: netip.MustParseAddr("::ffff:192.0.2.7"),
		ClientHost: "mail.example.com", Helo: "mail", TLSVersion: "TLSv1.3", AuthUser: "ivan", Direction: "inbound",
		Sender: "a+b@example.com", Recipients: []string{"a@example.org", `"b, c"@example.org`, "получатель@example.org", "d@example.org"},
		Subject: "x",
	}, subject("x"))
	// rspamd 3.4 leaves out an address beyond ASCII, later ones read it.
	got["rcpt"] = strings.Replace(got["rcpt"], "получатель@example.org ", "", 1)
	for name, want := range map[string]string{
		"ip": "192.0.2.7", "hostname": "mail.example.com", "helo": "mail", "user": "ivan", "id": "4XyZ1a2b3c",
		"from": "a+b@example.com", "rcpt": "a@example.org b, c@example.org d@example.org",
		"tls": "TLSv1.3", "mta": "gate.example.org", "size": fmt.Sprint(len(subject("x"))), "subject": "x",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestEnvelopeOfNobody(t *testing.T) {
	t.Parallel()
	got := told(t, &module.Envelope{ClientHost: "unknown"}, subject("x"))
	for name, want := range map[string]string{"hostname": "nil", "helo": "nil", "user": "nil", "from": "", "rcpt": "", "tls": "nil"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// No value of the envelope adds a field to the request or keeps rspamd from
// answering.
func TestHostileEnvelope(t *testing.T) {
	t.Parallel()
	for name, hostile := range map[string]string{
		"lines":  "a\r\nUser: root\r\n\r\nSubject: " + harness.LotteryWord + "\r\n",
		"octets": "\x00\x01\x7f\xff\xfe", "long": strings.Repeat("ё", 100_000), "quotes": `"<a,b`, "spaces": " \t ",
	} {
		recipients := make([]string, 5000)
		for i := range recipients {
			recipients[i] = hostile
		}
		got := told(t, &module.Envelope{
			Ref: hostile, Gateway: hostile, QueueID: hostile, ClientIP: netip.MustParseAddr("fe80::1%" + "eth0"), ClientHost: hostile,
			Helo: hostile, TLSVersion: hostile, Sender: hostile, Recipients: recipients, Subject: hostile,
		}, subject("x"))
		if got["user"] != "nil" || got["subject"] != "x" || got["ip"] != "fe80::1" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestManyRecipients(t *testing.T) {
	t.Parallel()
	recipients := make([]string, 1000)
	for i := range recipients {
		recipients[i] = fmt.Sprintf("%03d@%s.example.org", i, strings.Repeat("r", 60))
	}
	e := &module.Envelope{Recipients: recipients}
	got := told(t, e, subject("x"))
	var n int
	if _, err := fmt.Sscan(got["rcpts"], &n); err != nil || n < 400 {
		t.Errorf("rspamd knows %q of %d recipients", got["rcpts"], len(recipients))
	}
}
