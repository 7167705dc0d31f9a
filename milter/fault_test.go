package milter

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// A panic in any event costs its message, not the conversation.
func TestPanics(t *testing.T) {
	fault := "y451 4.3.0 fault\x00"
	accept := gate.Result{Verdict: gate.Accepted}
	tests := []struct {
		at     string
		failed *gate.Result // what the gate answers, deferring if nil
		rcpt   string       // what RCPT is answered
		end    string       // what the end of the message is answered
		want   []string     // what the gate is told of it
	}{
		{at: "session", rcpt: "t", end: "t"},
		{at: "helo", rcpt: "c", end: "a", want: []string{"fail-session helo"}},
		{at: "mail", rcpt: "t", end: "t", want: []string{"fail-session mailfrom", "fail-session mailfrom"}},
		{at: "rcpt", rcpt: fault, end: "a", want: []string{"fail rcptto"}},
		{at: "rcpt", failed: &gate.Result{}, rcpt: "c", end: "a", want: []string{"fail rcptto"}},
		{at: "queue-id", rcpt: "c", end: "a", want: []string{"fail headers"}},
		{at: "header", rcpt: "c", end: "a", want: []string{"fail headers"}},
		{at: "end-of-header", rcpt: "c", end: "a", want: []string{"fail headers"}},
		{at: "body", rcpt: "c", end: "a", want: []string{"fail complete"}},
		{at: "complete", rcpt: "c", end: fault, want: []string{"fail complete"}},
		{at: "complete", failed: &accept, rcpt: "c", end: "a", want: []string{"fail complete"}},
		{at: "abort", rcpt: "c", end: "a", want: []string{"fail-session complete"}},
		{at: "close", rcpt: "c", end: "a"},
	}
	for _, tt := range tests {
		t.Run(tt.at, func(t *testing.T) {
			f := newFake()
			f.panics = map[string]bool{tt.at: true}
			if tt.failed != nil {
				f.failed = *tt.failed
			}
			r := start(t, f, Options{})
			m := r.dial()
			m.open()
			m.say('M', "<a@example.com>\x00")
			m.say('R', "<b@example.org>\x00")
			m.expect(tt.rcpt)
			m.say('D', "Ti\x00ABC\x00")
			for _, s := range []step{say('T', ""), say('L', "A\x00 b\x00"), say('N', ""), say('B', "x"), say('E', "", tt.end), say('A', "")} {
				m.say(s.code, s.data)
				m.expect(s.replies...)
			}
			if tt.at == "abort" {
				f.await(t, "fail-session")
			}
			// The next one is unharmed.
			f.mu.Lock()
			f.panics = nil
			f.mu.Unlock()
			m.message()
			m.expect("a")
			m.say('Q', "")
			m.expectEnd()
			var got []string
			for _, e := range f.all() {
				if strings.HasPrefix(e, "fail") {
					got = append(got, e)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
			if tt.at == "session" && !strings.Contains(r.log.String(), "panic at session") {
				t.Errorf("logged: %s", r.log)
			}
			if s := r.Status(); tt.at != "close" && s.Faults == 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// What fails after the verdict leaves the message deferred and its records
// taken back.
func TestPanicAfterTheVerdict(t *testing.T) {
	f := newFake()
	f.wants.Helo = true // the fake traces then
	m := start(t, f, Options{}).dial()
	m.negotiate(postfixOffer)
	m.say('C', connectFrame)
	f.judging = func(context.Context) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.panics = map[string]bool{"trace": true}
	}
	m.message()
	m.expect("t")
	f.await(t, "unanswered internal fault")
	f.mu.Lock()
	f.panics, f.judging = nil, nil
	f.mu.Unlock()
	m.message()
	m.expect("a")
}

// A gate that is broken so much that it cannot even take the fault.
func TestPanicWhileHandlingOne(t *testing.T) {
	f := newFake()
	f.panics = map[string]bool{"rcpt": true, "fail": true}
	r := start(t, f, Options{})
	m := r.dial()
	m.open()
	m.say('M', "<a@example.com>\x00")
	m.say('R', "<b@example.org>\x00")
	m.expect("y451 4.3.0 Temporary fault here, please try again later\x00")
	m.say('Q', "")
	m.expectEnd()
	if !strings.Contains(r.log.String(), "internal fault while handling one") {
		t.Errorf("logged: %s", r.log)
	}
}
