package milter

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// fake is a gate that writes down what it is told.
type fake struct {
	mu     sync.Mutex
	events []string
	heard  chan struct{} // told after each event, when there is room

	wants   gate.Wants
	mail    gate.Decision
	rcpt    gate.Decision
	result  gate.Result
	judging func(ctx context.Context) // in Complete
	panics  map[string]bool           // events that panic, by their first word
	failed  gate.Result               // what Fail answers
}

func newFake() *fake {
	return &fake{result: gate.Result{Verdict: gate.Accepted, Ref: "ref"}, failed: gate.Result{Verdict: gate.Deferred, Reply: gate.Reply{Code: 451, Enhanced: "4.3.0", Text: "fault"}}, heard: make(chan struct{}, 1)}
}

func (f *fake) note(format string, args ...any) {
	e := fmt.Sprintf(format, args...)
	f.mu.Lock()
	f.events = append(f.events, e)
	boom := f.panics[strings.Fields(e)[0]]
	f.mu.Unlock()
	select {
	case f.heard <- struct{}{}:
	default:
	}
	if boom {
		panic("panic at " + e)
	}
}

func (f *fake) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.events...)
}

// await waits until an event with that beginning has happened.
func (f *fake) await(t testing.TB, begin string) string {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		for _, e := range f.all() {
			if strings.HasPrefix(e, begin) {
				return e
			}
		}
		select {
		case <-f.heard:
		case <-limit:
			t.Fatalf("%q never happened, but %q", begin, f.all())
		}
	}
}

func (f *fake) Wants() gate.Wants { return f.wants }

func (f *fake) Session(_ context.Context, p gate.Peer) Session {
	f.note("session %v %s local=%v resolve=%s", p.Addr, p.Host, p.Local, p.Resolve)
	return &fakeSession{fake: f}
}

type fakeSession struct {
	*fake
}

func (s *fakeSession) Ungreet() { s.note("ungreet") }

func (s *fakeSession) Helo(_ context.Context, name string) { s.note("helo %s", name) }

func (s *fakeSession) Mail(_ context.Context, e gate.Envelope) (Message, gate.Decision) {
	s.note("mail <%s> size=%d queue=%s tls=%s auth=%s:%s", e.Sender, e.Size, e.QueueID, e.TLSVersion, e.AuthType, e.AuthUser)
	return fakeMessage{s.fake}, s.fake.mail
}
func (s *fakeSession) Abort()                    { s.note("abort") }
func (s *fakeSession) Close()                    { s.note("close") }
func (s *fakeSession) Fail(stage, detail string) { s.note("fail-session %s", stage) }
func (s *fakeSession) Ref() string               { return "ref" }
func (s *fakeSession) Trace(_ string, detail func() string) {
	if s.wants.Helo { // any switch will do
		s.note("trace %s", detail())
	}
}

type fakeMessage struct{ *fake }

func (m fakeMessage) QueueID(id string) { m.note("queue-id %s", id) }
func (m fakeMessage) Rcpt(_ context.Context, r gate.Recipient) gate.Decision {
	refused := ""
	if r.Refused != nil {
		refused = " refused=" + r.Refused.String()
	}
	m.note("rcpt <%s> queue=%s%s", r.Address, r.QueueID, refused)
	return m.rcpt
}
func (m fakeMessage) Header(name, value string)        { m.note("header %s:%s", name, value) }
func (m fakeMessage) EndOfHeader(context.Context)      { m.note("end-of-header") }
func (m fakeMessage) Body(_ context.Context, p []byte) { m.note("body %s", p) }
func (m fakeMessage) Complete(ctx context.Context) gate.Result {
	m.note("complete")
	if m.judging != nil {
		m.judging(ctx)
	}
	return m.result
}
func (m fakeMessage) Fail(_ context.Context, stage rules.Stage, detail string) gate.Result {
	if !strings.Contains(detail, "panic at ") || !strings.Contains(detail, "goroutine") {
		detail = " without a stack: " + detail
	} else {
		detail = ""
	}
	m.note("fail %s%s", stage, detail)
	return m.failed
}
func (m fakeMessage) Unanswered(reason string) { m.note("unanswered %s", reason) }
