package gate_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// listener writes down what it is told.
type listener struct {
	deaf bool
	told []string
	last gate.Result
}

func (l *listener) Observes(*gate.Session) bool { return !l.deaf }

func (l *listener) Observe(s *gate.Session, e gate.Event) {
	var text string
	switch e := e.(type) {
	case gate.Asked:
		text = fmt.Sprintf("asked %s %s %q", e.Stage, e.Key, e.Value.Text)
	case gate.Tried:
		text = fmt.Sprintf("tried %s %s %v", e.Stage, e.Rule.Name, e.Matched)
	case gate.Hit:
		text = fmt.Sprintf("hit %s %s %q again=%v", e.Rule.Name, e.Recipient, e.Text, e.Again)
	case gate.Tagged:
		text = fmt.Sprintf("marked %q", e.Rule)
	case gate.Passed:
		text = fmt.Sprintf("passed %s shadow=%v", gate.ThresholdName(e.Threshold), e.Threshold.Shadow)
	case gate.Decided:
		text = fmt.Sprintf("decided %s %s %q %s", e.Stage, e.Recipient, e.Verdict, e.Reason)
	case gate.Charged:
		text = fmt.Sprintf("charged %d", len(e.Records))
	case gate.Ended:
		text = "ended " + string(e.Result.Verdict)
		l.last = e.Result
	}
	l.told = append(l.told, text)
}

func observedWorld(t testing.TB, src rules.Source, l gate.Observer) *world {
	w := newWorld(t, src)
	parts := w.Parts
	parts.Observers = []gate.Observer{l}
	w.Gate = gate.New(w.policy, parts)
	return w
}

// Whoever listens is told every step, in order, and of what became of it.
func TestObserver(t *testing.T) {
	t.Parallel()
	l := &listener{}
	hello := weighing("hello", "headers", 1500, "subject", "hello")
	hello.TagHeader = []string{"X-Note: hello"}
	w := observedWorld(t, source(
		rule("no-off", "rcptto", "reject", "recipient", "^sales@"),
		weighing("ours", "rcptto", 500, "recipient", "@example.org$"), hello), l)
	o := w.send(sending{to: []string{"ivan@example.org", "sales@example.org", "orders@example.org"}})
	want := []string{
		`decided mailfrom  "" `,
		`asked rcptto recipient "ivan@example.org"`,
		`tried rcptto no-off false`,
		`tried rcptto ours true`,
		`hit ours ivan@example.org "ivan@example.org" again=false`,
		`decided rcptto ivan@example.org "" `,
		`asked rcptto recipient "sales@example.org"`,
		`tried rcptto no-off true`,
		`hit no-off sales@example.org "sales@example.org" again=false`,
		`decided rcptto sales@example.org "reject" rule no-off`,
		`asked rcptto recipient "orders@example.org"`,
		`tried rcptto no-off false`,
		`tried rcptto ours true`,
		`hit ours orders@example.org "orders@example.org" again=true`,
		`decided rcptto orders@example.org "" `,
		`asked headers subject "hello"`,
		`tried headers hello true`,
		`hit hello  "hello" again=false`,
		`marked "ours"`,
		`marked "no-off"`,
		`marked "hello"`,
		`charged 2`,
		`decided complete  "accept" `,
		`ended accept`,
	}
	got := strings.Join(l.told, "\n")
	// Marks follow the order in which rules matched.
	if strings.Join(want, "\n") != got {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if r := o.result; r.Weight != 2000 || len(r.Hits) != 3 || len(r.Records) != 2 || l.last.Ref != r.Ref {
		t.Errorf("the result has weight %s, %d hits, %d records", r.Weight, len(r.Hits), len(r.Records))
	}
}

// A message that nobody receives has an end, too.
func TestObserverAbort(t *testing.T) {
	t.Parallel()
	l := &listener{}
	w := observedWorld(t, rules.Source{}, l)
	w.send(sending{to: []string{"nobody@example.org"}})
	if l.told[len(l.told)-1] != "ended reject" {
		t.Errorf("told %q", l.told)
	}
}

// Who does not listen costs nothing.
func TestObserverCosts(t *testing.T) {
	src := source(rule("no-off", "rcptto", "reject", "recipient", "^off@"), weighing("hello", "headers", 1500, "subject", "nothing"))
	message := func(w *world) func() {
		ctx := context.Background()
		s := w.Session(ctx, stranger)
		s.Helo(ctx, "mail.example.com")
		return func() {
			m, _ := s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
			m.Rcpt(ctx, gate.Recipient{Address: "ivan@example.org"})
			m.Header("Subject", " hello")
			m.EndOfHeader(ctx)
			m.Complete(ctx)
			s.Abort()
			clear(w.entries)
			w.records, w.order = w.records[:0], w.order[:0]
		}
	}
	without := testing.AllocsPerRun(200, message(newWorld(t, src)))
	with := testing.AllocsPerRun(200, message(observedWorld(t, src, &listener{deaf: true})))
	if with > without+2 { // some, for the race detector empties pools at random
		t.Errorf("%v allocations a message, %v with one who does not listen", without, with)
	}
}

// slowDNS answers when it is let, or not at all.
type slowDNS struct {
	gate.DNS
	asked   chan struct{}
	running atomic.Int32
}

func (d *slowDNS) Listed(ctx context.Context, _ string, _ netip.Addr) ([]netip.Addr, error) {
	d.running.Add(1)
	defer d.running.Add(-1)
	d.asked <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (d *slowDNS) SPF(ctx context.Context, _ netip.Addr, _, _ string) (dnscheck.SPFResult, error) {
	_, err := d.Listed(ctx, "", netip.Addr{})
	return dnscheck.SPFResult{}, err
}

// A look-up takes along what it needs, for the session goes on and adopts
// another policy; and it ends with the session.
func TestLookupsAreOwned(t *testing.T) {
	t.Parallel()
	dns := &slowDNS{asked: make(chan struct{}, 100)}
	// Asked at connect, needed at the end only.
	src := source(weighing("listed", "complete", 1000, "dnsbl", "list.example"), weighing("spf", "complete", 1000, "spf", "fail"))
	w := newWorld(t, src, func(p *gate.Policy) { p.DNS = dns })
	ctx := context.Background()
	s := w.Session(ctx, stranger)
	s.Helo(ctx, "mail.example.com")
	for range 10 {
		s.Mail(ctx, gate.Envelope{Sender: "a@example.com", Size: -1})
		w.Swap(newPolicy(t, src, func(p *gate.Policy) { p.DNS = dns }))
	}
	<-dns.asked
	s.Close()
	if n := dns.running.Load(); n != 0 {
		t.Errorf("%d look-ups outlive their session", n)
	}
}
