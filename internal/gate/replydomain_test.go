package gate_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// A reply names a domain that is not ASCII by its A-labels.
func TestReplyNamesDomains(t *testing.T) {
	r := rule("no", "rcptto", "reject")
	r.Match = []rules.Condition{{Attr: "sender", Values: []rules.Operand{{V: "."}}}}
	r.Reply = "550 5.7.1 {sender} may not write to {recipient} from {helo}"
	w := newWorld(t, rules.Source{Rules: []rules.SourceRule{r}})
	o := w.send(sending{helo: "почта.рф", env: gate.Envelope{Sender: "ivan@тест.рф", Size: -1}, to: []string{"ivan@example.org"}})
	if got, want := o.rcpt[0].Reply.Text, "ivan@xn--e1aybc.xn--p1ai may not write to ivan@example.org from xn--80a1acny.xn--p1ai"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
