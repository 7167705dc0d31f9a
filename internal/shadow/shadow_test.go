package shadow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/shadow"
	"github.com/tollgate-mail/tollgate/internal/tape"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = `[gateway]
name = "mx1.example.org"
[[client]]
id = "ivan"
addresses = ["ivan@example.org", "anna@example.org"]
[[rule]]
name = "network"
stage = "connect"
match = { client_ip = "192.0.2.0/25" }
weight = 2
[[rule]]
name = "wrote"
stage = "rcptto"
match = { correspondent = true }
weight = -1
[[rule]]
name = "grey"
stage = "rcptto"
match = { sender = '^grey@' }
action = "greylist"
[[rule]]
name = "word"
stage = "headers"
match.subject = 'cheap'
weight = 3
tag_header = "X-Note: {ref} {subject}"
[[rule]]
name = "large"
stage = "complete"
match = { size = "> 400" }
action = "reject"
[[threshold]]
above = 4
tag_subject = "[X]"
`

// memory answers, and fails the test when somebody writes who may not.
type memory struct {
	mu                 sync.Mutex
	greylisted, writes int
}

func (m *memory) Greylist(_ context.Context, t gate.Try) (time.Duration, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.greylisted++
	return time.Duration(m.greylisted%2) * time.Minute, "new", nil
}

func (m *memory) Wrote(_ context.Context, local, remote string, _ time.Time) (bool, error) {
	return len(local+remote)%2 == 0, nil
}

func (m *memory) Remember(context.Context, string, []string, time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	return nil
}

// kept is the journal and the account.
type kept struct {
	mu      sync.Mutex
	entries []*journal.Entry
	records int
}

func (k *kept) Write(entries ...*journal.Entry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entries = append(k.entries, entries...)
	return nil
}
func (k *kept) Traced(netip.Addr) (bool, bool) { return false, false }
func (k *kept) Append(_ context.Context, r []accounting.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records += len(r)
	return nil
}

func (k *kept) of(kind string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func policy(t *testing.T, text string, m gate.Memory) *gate.Policy {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(path)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return &gate.Policy{Settings: cfg.Gate, Memory: m}
}

// world is a live gate with a tape and a second policy beside it.
type world struct {
	t       *testing.T
	kept    kept
	memory  memory
	gate    *gate.Gate
	live    *tape.Gate
	beside  *shadow.Beside
	pairs   chan shadow.Pair
	retired chan struct{}
}

func newWorld(t *testing.T, purpose, beside string, m gate.Memory, room int64) *world {
	t.Helper()
	w := &world{t: t, pairs: make(chan shadow.Pair, 1000), retired: make(chan struct{})}
	if m == nil {
		m = &w.memory
	}
	p := policy(t, base, &w.memory)
	tape.Live(p)
	w.gate = gate.New(p, gate.Parts{Records: &w.kept, Journal: &w.kept, Log: slog.New(slog.DiscardHandler), Now: time.Now, Stasher: &module.Stasher{}})
	second := policy(t, beside, m)
	second.Retired = func() { close(w.retired) }
	w.beside = shadow.New(shadow.Options{
		Purpose: purpose, Policy: second, Journal: &w.kept, Asking: tape.NewAsking(4, 10), Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(),
		Paired: func(p shadow.Pair) { w.pairs <- p },
	})
	w.live = tape.New(w.gate, tape.Options{
		Wanted: func(gate.Peer) bool { return true }, Done: w.beside.Take, Room: tape.NewRoom(room), Now: time.Now,
	})
	t.Cleanup(func() {
		w.beside.Close()
		<-w.retired // nothing of the policy is left
		w.gate.Wait()
	})
	return w
}

// send is one message, and whether it was accepted.
func (w *world) send(addr, sender, subject, body string, recipients ...string) gate.Verdict {
	ctx := w.t.Context()
	s := w.live.Session(ctx, gate.Peer{Addr: netip.MustParseAddr(addr), Host: "mail.example.com", Resolve: "ok"})
	defer s.Close()
	s.Helo(ctx, "mail.example.com")
	m, _ := s.Mail(ctx, gate.Envelope{Sender: sender, Size: -1, QueueID: "4Q"})
	accepted := false
	for _, r := range recipients {
		d := m.Rcpt(ctx, gate.Recipient{Address: r, QueueID: "4Q"})
		accepted = accepted || d.Verdict == gate.Pass
	}
	if !accepted {
		return gate.Rejected
	}
	m.Header("Subject", " "+subject)
	m.Header("From", " "+sender)
	m.EndOfHeader(ctx)
	m.Body(ctx, []byte(body))
	return m.Complete(ctx).Verdict
}

// all sends messages of all kinds and waits until each was judged twice.
func (w *world) all() (n int) {
	for _, addr := range []string{"192.0.2.1", "192.0.2.200", "2001:db8::1"} {
		for _, sender := range []string{"a@example.com", "grey@example.com", "", "bc@example.com"} {
			for _, subject := range []string{"hello", "cheap pills", "дёшево cheap"} {
				for _, body := range []string{"x\r\n", string(make([]byte, 600))} {
					w.send(addr, sender, subject, body, "ivan@example.org", "nobody@example.org", "anna@example.org")
					n++
				}
			}
		}
	}
	for range n {
		<-w.pairs
	}
	return n
}

// The policy in force judges each message again as it did, from its tape, and
// writes nothing.
func TestSelfCheck(t *testing.T) {
	w := newWorld(t, shadow.SelfCheck, base, nil, 1<<20)
	n := w.all()
	c := w.beside.Counts()
	if c.Judged != int64(n) || c.Same+c.Beyond != c.Judged || c.Different != 0 || c.Panics != 0 || c.Same < c.Judged/2 {
		t.Errorf("%+v of %d", c, n)
	}
	for _, e := range w.kept.entries {
		if e.Kind == journal.Shadow {
			t.Errorf("%+v", e)
		}
	}
	if got := w.kept.of(journal.Messages); got != n {
		t.Errorf("%d messages are journalled, %d were sent", got, n)
	}
	if w.memory.writes != 0 {
		t.Error("the memory was written to")
	}
}

// Another policy's differences are told with their recipients; it asks the memory
// nothing that would write.
func TestCandidate(t *testing.T) {
	w := newWorld(t, shadow.Candidate, base+"[[rule]]\nname = \"no\"\nstage = \"rcptto\"\nmatch = { recipient = '^anna@' }\naction = \"reject\"\n", nil, 1<<20)
	greys := w.memory.greylisted
	w.send("192.0.2.200", "a@example.com", "hello", "x", "ivan@example.org", "anna@example.org")
	p := <-w.pairs
	if p.Beside.Recipients[0] != gate.Accepted || p.Beside.Recipients[1] != gate.Rejected {
		t.Errorf("%+v", p.Beside)
	}
	if c := w.beside.Counts(); c.Different != 1 || c.Changes["accept -> reject"] != 1 {
		t.Errorf("%+v", c)
	}
	if n := w.kept.of(journal.Shadow); n != 1 {
		t.Errorf("%d entries", n)
	}
	if w.memory.greylisted != greys || w.kept.records != 2 {
		t.Errorf("%d questions to greylisting, %d records", w.memory.greylisted, w.kept.records)
	}
}

// broken panics and hangs.
type broken struct {
	memory
	hang chan struct{}
}

func (b *broken) Wrote(ctx context.Context, _, _ string, _ time.Time) (bool, error) {
	if b.hang != nil {
		select {
		case <-b.hang:
		case <-ctx.Done():
		}
		return false, errors.New("late")
	}
	panic("a candidate's own")
}

// A candidate that breaks costs live mail nothing: it is counted.
func TestPanic(t *testing.T) {
	const asks = base + "[[rule]]\nname = \"asks\"\nstage = \"complete\"\nmatch = { correspondent = true }\nweight = 1\n"
	w := newWorld(t, shadow.Candidate, asks, &broken{}, 1<<20)
	// The live policy asks only for the first recipient's answer; sender grey is
	// not asked about at complete.
	w.beside.Take(fake())
	<-w.pairs
	if c := w.beside.Counts(); c.Panics != 1 {
		t.Errorf("%+v", c)
	}
	if v := w.send("192.0.2.200", "a@example.com", "hello", "x", "ivan@example.org"); v != gate.Accepted {
		t.Error(v)
	}
	<-w.pairs
}

// fake is a tape whose answers are not known.
func fake() *tape.Tape {
	t := &tape.Tape{
		Peer: gate.Peer{Addr: netip.MustParseAddr("192.0.2.200"), Host: "unknown"}, Envelope: gate.Envelope{Sender: "z@example.com", Size: -1}, Ref: "r",
		Recipients: []tape.Recipient{{Recipient: gate.Recipient{Address: "ivan@example.org"}}}, Answers: &tape.Answers{}, Began: time.Now(), Ended: time.Now(),
	}
	t.In(tape.NewRoom(1))
	return t
}

// While a candidate hangs live mail is answered, and what has no room is left out.
func TestSlow(t *testing.T) {
	b := &broken{hang: make(chan struct{})}
	w := newWorld(t, shadow.Candidate, base, b, 1<<20)
	w.beside.Take(fake())
	for i := range 300 {
		if v := w.send("192.0.2.200", "a@example.com", fmt.Sprint(i), "x", "ivan@example.org"); v != gate.Accepted {
			t.Fatal(v)
		}
	}
	if c := w.beside.Counts(); c.LeftOut == 0 {
		t.Errorf("%+v", c)
	}
	close(b.hang)
}

// Of a message for which there is no room nobody knows what would have become.
func TestNoRoom(t *testing.T) {
	w := newWorld(t, shadow.SelfCheck, base, nil, 100)
	w.send("192.0.2.200", "a@example.com", "hello", "some text that is longer than the room", "ivan@example.org")
	if p := <-w.pairs; !p.Tape.Cut || p.Beside.Verdict != shadow.Unknown {
		t.Errorf("%+v", p.Beside)
	}
	if c := w.beside.Counts(); c.Beyond != 1 || c.Different != 0 {
		t.Errorf("%+v", c)
	}
}

// Patterns that are dear make no end of a judgement: of a candidate that takes all the
// work that rules may, the message is too much, and the live one is what it was.
func TestDearCandidate(t *testing.T) {
	dear := base
	for n := range 20 {
		dear += fmt.Sprintf("[[rule]]\nname = \"dear-%d\"\nstage = \"headers\"\nmatch.subject = '(%d|x?[a-w]?){400}y$'\nweight = 1\n", n, n)
	}
	w := newWorld(t, shadow.Candidate, dear, nil, 8<<20)
	long := strings.Repeat("x ", 15000) + "y " + strings.Repeat("x ", 15000) // the y that every pattern needs
	if v := w.send("192.0.2.200", "a@example.com", long, "x", "ivan@example.org"); v != gate.Rejected {
		t.Fatal(v) // by rule "large"
	}
	p := <-w.pairs
	if p.Panicked || p.Tape.Faulted || p.Beside.Verdict != gate.Rejected || !strings.Contains(p.Beside.Reply, "too much work") {
		t.Errorf("%+v", p.Beside)
	}
	if v := w.send("192.0.2.200", "a@example.com", "hello", "x", "ivan@example.org"); v != gate.Accepted {
		t.Error(v)
	}
	if p := <-w.pairs; p.Beside.Verdict != gate.Accepted { // it has its own work
		t.Errorf("a small message: %+v", p.Beside)
	}
	if c := w.beside.Counts(); c.Judged != 2 || c.Panics != 0 {
		t.Errorf("%+v", c)
	}
}
