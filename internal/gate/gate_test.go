package gate_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// world is a gate with everything it writes kept in memory.
type world struct {
	t testing.TB
	*gate.Gate
	policy *gate.Policy
	clock  time.Time

	mu       sync.Mutex
	entries  map[string][]*journal.Entry
	records  []accounting.Record
	order    []string // what was written, in order
	blockErr error
	spoolErr error
	traced   bool
}

func (w *world) Write(entries ...*journal.Entry) error {
	kind := entries[0].Kind
	if kind == journal.Blocks && w.blockErr != nil {
		return w.blockErr
	}
	w.note(kind, entries...)
	return nil
}

func (w *world) Traced(netip.Addr) (bool, bool) { return w.traced, w.traced }

func (w *world) note(kind string, entries ...*journal.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries[kind] = append(w.entries[kind], entries...)
	w.order = append(w.order, kind)
}

func (w *world) Append(_ context.Context, records []accounting.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.spoolErr != nil && records[0].Kind == accounting.Usage {
		return w.spoolErr
	}
	w.records = append(w.records, records...)
	w.order = append(w.order, "records")
	return nil
}

// newWorld makes a gate in front of example.org: sales and ivan are clients,
// off is disabled, late has expired, raw is not filtered.
func newWorld(t testing.TB, src rules.Source, change ...func(*gate.Policy)) *world {
	t.Helper()
	w := &world{t: t, entries: map[string][]*journal.Entry{}, clock: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	w.policy = newPolicy(t, src, change...)
	w.Gate = gate.New(w.policy, gate.Parts{
		Records: w, Journal: w, Log: slog.New(slog.DiscardHandler),
		Now:     func() time.Time { return w.clock },
		Stasher: &module.Stasher{Dir: t.TempDir()},
	})
	return w
}

func newPolicy(t testing.TB, src rules.Source, change ...func(*gate.Policy)) *gate.Policy {
	t.Helper()
	compiled, problems := rules.Compile(src)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	clients := []*accounting.Client{
		{ID: "sales", Addresses: []string{"sales@example.org", "orders@example.org"}},
		{ID: "ivan", Addresses: []string{"ivan@example.org"}},
		{ID: "off", Addresses: []string{"off@example.org"}, Disabled: true},
		{ID: "late", Addresses: []string{"late@example.org"}, Expires: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		{ID: "raw", Addresses: []string{"raw@example.org"}, NoFilter: true},
	}
	for _, c := range clients {
		c.Location = time.UTC
	}
	dir, clashes := directory.New(directory.Config{Delimiter: "+"}, clients)
	if len(clashes) > 0 {
		t.Fatal(clashes)
	}
	p := &gate.Policy{Settings: gate.Settings{
		Gateway: "mx.test", ReportHeader: "X-Tollgate", Directory: dir,
		Refuse: accounting.Disabled | accounting.Expired | accounting.NotYetValid | accounting.OutOfSchedule,
		Rules:  compiled,
		Replies: gate.Replies{
			Unknown:     mustReply(t, "550 5.1.1 No such recipient", rules.Reject),
			Foreign:     mustReply(t, "550 5.7.1 Relaying denied", rules.Reject),
			Disabled:    mustReply(t, "550 5.2.1 Disabled", rules.Reject),
			Expired:     mustReply(t, "550 5.2.1 Expired", rules.Reject),
			NotYetValid: mustReply(t, "450 4.2.1 Not yet", rules.Tempfail),
			Schedule:    mustReply(t, "450 4.2.1 Closed", rules.Tempfail),
			Class:       mustReply(t, "452 4.5.3 Another class", rules.Tempfail),
			Accounting:  mustReply(t, "451 4.3.0 No room", rules.Tempfail),
		},
	}}
	for _, c := range change {
		c(p)
	}
	return p
}

func mustReply(t testing.TB, s string, a rules.Action) *rules.Reply {
	t.Helper()
	r, err := rules.ParseReply(s, a)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rule is short for tests: attr "client_ip", value "192.0.2.1".
func rule(name, stage, action string, conditions ...string) rules.SourceRule {
	r := rules.SourceRule{Name: name, Stage: stage, Action: action}
	for i := 0; i+1 < len(conditions); i += 2 {
		r.Match = append(r.Match, rules.Condition{
			Attr: conditions[i], Values: []rules.Operand{{V: conditions[i+1]}},
		})
	}
	return r
}

func source(r ...rules.SourceRule) rules.Source { return rules.Source{Rules: r} }

var stranger = gate.Peer{Addr: netip.MustParseAddr("192.0.2.7"), Host: "mail.example.com", Resolve: "ok"}

// sending is one message to play.
type sending struct {
	peer    gate.Peer
	helo    string
	env     gate.Envelope
	to      []string
	header  [][2]string
	body    string
	session *gate.Session
}

// outcome is what came of it.
type outcome struct {
	mail   gate.Decision
	rcpt   []gate.Decision
	result *gate.Result // nil when nobody was accepted
}

// send plays a message as Postfix would.
func (w *world) send(m sending) outcome {
	w.t.Helper()
	ctx := context.Background()
	s := m.session
	if s == nil {
		if !m.peer.Addr.IsValid() && !m.peer.Local {
			m.peer = stranger
		}
		s = w.Session(ctx, m.peer)
		if m.helo == "" {
			m.helo = "mail.example.com"
		}
		s.Helo(ctx, m.helo)
	}
	if m.env == (gate.Envelope{}) {
		m.env = gate.Envelope{Sender: "a@example.com", Size: -1}
	}
	var o outcome
	msg, d := s.Mail(ctx, m.env)
	o.mail = d
	if d.Verdict != gate.Pass {
		s.Abort()
		return o
	}
	passed := 0
	for _, to := range m.to {
		d := msg.Rcpt(ctx, gate.Recipient{Address: to})
		o.rcpt = append(o.rcpt, d)
		if d.Verdict == gate.Pass {
			passed++
		}
	}
	if passed == 0 {
		s.Abort()
		return o
	}
	msg.QueueID("4ABC")
	if m.header == nil {
		m.header = [][2]string{{"Subject", " hello"}, {"From", " a@example.com"}}
	}
	for _, h := range m.header {
		msg.Header(h[0], h[1])
	}
	msg.EndOfHeader(ctx)
	msg.Body(ctx, []byte(m.body))
	r := msg.Complete(ctx)
	o.result = &r
	s.Abort()
	return o
}

func (w *world) messages() []*journal.Entry { return w.entries[journal.Messages] }
func (w *world) blocks() []*journal.Entry   { return w.entries[journal.Blocks] }

// last is what the messages journal says of the last message.
func (w *world) last() *journal.Entry {
	w.t.Helper()
	if len(w.messages()) == 0 {
		w.t.Fatal("the messages journal is empty")
	}
	return w.messages()[len(w.messages())-1]
}

func wantReply(t testing.TB, d gate.Decision, want string) {
	t.Helper()
	if want == "" {
		if d.Reply.Code != 0 {
			t.Errorf("answered %s, want it passed", d.Reply)
		}
		return
	}
	if !strings.HasPrefix(d.Reply.String(), want) {
		t.Errorf("answered %q, want %q", d.Reply, want)
	}
}

var errDisk = errors.New("no space left on device")

// A policy is retired once, when no session judges by it any more.
func TestRetired(t *testing.T) {
	var retired int
	w := newWorld(t, rules.Source{}, func(p *gate.Policy) { p.Retired = func() { retired++ } })
	idle := w.Session(t.Context(), gate.Peer{Addr: netip.MustParseAddr("192.0.2.1")})
	busy := w.Session(t.Context(), gate.Peer{Addr: netip.MustParseAddr("192.0.2.2")})
	w.Swap(newPolicy(t, rules.Source{}))
	busy.Mail(t.Context(), gate.Envelope{Sender: "a@example.com"})
	if retired != 0 {
		t.Fatal("retired while a session judges by it")
	}
	idle.Close()
	idle.Close()
	busy.Close()
	if retired != 1 {
		t.Errorf("retired %d times", retired)
	}
}
