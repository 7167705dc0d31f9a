package gate_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// Postfix would try a refused recipient of sendmail(1) again for ever: the
// message is refused whole at its end and for good, with a block for each
// recipient that was refused, and nobody pays.
func TestLocalRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		src   rules.Source
		to    []string
		reply string
		bad   []string // in order; the others are named in the reason
	}{
		"unknown":      {to: []string{"ivan@example.org", "ghost@example.org"}, reply: "550 5.1.1", bad: []string{"ghost@example.org"}},
		"disabled":     {to: []string{"off@example.org", "b@far.example"}, reply: "550 5.2.1", bad: []string{"off@example.org"}},
		"rule":         {src: source(rule("r", "rcptto", "reject", "recipient", "^sales@")), to: []string{"ivan@example.org", "sales@example.org"}, reply: "550 5.7.1", bad: []string{"sales@example.org"}},
		"rule for now": {src: source(rule("r", "rcptto", "tempfail", "recipient", "^sales@")), to: []string{"sales@example.org", "ivan@example.org"}, reply: "550 5.7.1", bad: []string{"sales@example.org"}},
		"two":          {to: []string{"ghost@example.org", "off@example.org", "ivan@example.org"}, reply: "550 5.1.1", bad: []string{"ghost@example.org", "off@example.org"}},
		"classes":      {to: []string{"raw@example.org", "ivan@example.org"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.src)
			o := w.send(sending{peer: gate.Peer{Local: true}, env: gate.Envelope{Sender: "root@example.org", Size: -1}, to: test.to})
			for i, d := range o.rcpt {
				if d.Verdict != gate.Pass {
					t.Fatalf("%s is answered %s", test.to[i], d.Reply)
				}
			}
			if len(test.bad) == 0 {
				if o.result.Verdict != gate.Accepted || len(w.records) == 0 {
					t.Errorf("%+v", o.result)
				}
				return
			}
			if o.result.Verdict != gate.Rejected || !strings.HasPrefix(o.result.Reply.String(), test.reply) || len(w.records) != 0 {
				t.Errorf("%v %s, %d records", o.result.Verdict, o.result.Reply, len(w.records))
			}
			if len(w.blocks()) != len(test.bad) {
				t.Fatalf("%d blocks", len(w.blocks()))
			}
			for i, b := range w.blocks() {
				if b.Recipient != test.bad[i] || b.Reply[0] != '5' || b.Verdict != "reject" {
					t.Errorf("block of %s: %s %s", b.Recipient, b.Verdict, b.Reply)
				}
				for _, to := range test.to {
					bad := strings.Contains(strings.Join(test.bad, " "), to)
					if strings.Contains(b.Reason, to) == bad {
						t.Errorf("reason %q, of %s", b.Reason, to)
					}
				}
			}
		})
	}
}
