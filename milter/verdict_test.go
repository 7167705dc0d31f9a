package milter

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

func TestVerdicts(t *testing.T) {
	no := gate.Reply{Code: 550, Enhanced: "5.7.1", Text: "No"}
	edits := []gate.Edit{
		{Kind: gate.DeleteField, Name: "x-forged", Index: 2},
		{Kind: gate.ChangeField, Name: "Subject", Index: 1, Value: " [SPAM] hi\n folded"},
		{Kind: gate.InsertField, Name: "X-Top", Index: 0, Value: " top"},
		{Kind: gate.AppendField, Name: "X-End", Value: " end"},
	}
	noSpace := offer(6, 0x1ff, 0x0fffff)
	tests := []struct {
		name   string
		offer  string
		result gate.Result
		want   []string
		log    string
		events string // after the verdict
	}{
		{name: "accept", result: gate.Result{Verdict: gate.Accepted}, want: []string{"a"}},
		{name: "reject", result: gate.Result{Verdict: gate.Rejected, Reply: no}, want: []string{"y550 5.7.1 No\x00"}},
		{name: "defer", result: gate.Result{Verdict: gate.Deferred, Reply: gate.Reply{Code: 451, Text: "Later"}}, want: []string{"y451 Later\x00"}},
		{name: "discard", result: gate.Result{Verdict: gate.Discarded, Edits: edits}, want: []string{"d"}},
		{name: "hold", result: gate.Result{Verdict: gate.Held, Reason: "rule x\n(ref y)"}, want: []string{"qrule x (ref y)\x00", "a"}},
		{
			name: "edits", result: gate.Result{Verdict: gate.Accepted, Edits: edits},
			want: []string{"m\x00\x00\x00\x02x-forged\x00\x00", "m\x00\x00\x00\x01Subject\x00 [SPAM] hi\n folded\x00", "i\x00\x00\x00\x00X-Top\x00 top\x00", "hX-End\x00 end\x00", "a"},
		},
		{
			name: "edits, the MTA writes the space", offer: noSpace, result: gate.Result{Verdict: gate.Accepted, Edits: edits},
			want: []string{"m\x00\x00\x00\x02x-forged\x00\x00", "m\x00\x00\x00\x01Subject\x00[SPAM] hi\n folded\x00", "i\x00\x00\x00\x00X-Top\x00top\x00", "hX-End\x00end\x00", "a"},
		},
		{
			name: "an edit that cannot be", result: gate.Result{Verdict: gate.Accepted, Edits: []gate.Edit{{Kind: gate.AppendField, Name: "X bad", Value: " v"}, {Kind: gate.AppendField, Name: "X-Good", Value: " v"}}},
			want: []string{"hX-Good\x00 v\x00", "a"}, log: "a header field cannot be set",
		},
		{
			name: "edits the MTA does not allow", offer: offer(6, 0, 0x1fffff), result: gate.Result{Verdict: gate.Accepted, Edits: edits},
			want: []string{"a"}, log: "a header field cannot be set",
		},
		{
			name: "a hold the MTA does not allow", offer: offer(6, 0, 0x1fffff), result: gate.Result{Verdict: gate.Held},
			want: []string{"t"}, log: "cannot be held", events: "unanswered the message could not be held",
		},
		{name: "no verdict at all", want: []string{"t"}, log: "no verdict", events: "unanswered no verdict"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			f.result = tt.result
			r := start(t, f, Options{})
			m := r.dial()
			if tt.offer == "" {
				tt.offer = postfixOffer
			}
			m.negotiate(tt.offer)
			m.say('C', connectFrame)
			m.message()
			m.expect(tt.want...)
			m.say('Q', "")
			m.expectEnd()
			if !strings.Contains(r.log.String(), tt.log) {
				t.Errorf("logged %s, want %s", r.log, tt.log)
			}
			after := f.await(t, "close")
			for _, e := range f.all() {
				if strings.HasPrefix(e, "unanswered") {
					after = e
				}
			}
			if tt.events != "" && after != tt.events || tt.events == "" && after != "close" {
				t.Errorf("after the verdict: %q, want %q", after, tt.events)
			}
		})
	}
}

// counting counts writes.
type counting struct {
	net.Conn
	writes chan int
}

func (c counting) Write(p []byte) (int, error) {
	c.writes <- len(p)
	return c.Conn.Write(p)
}

// piped serves one connection of a pipe in the running test bubble.
func piped(t *testing.T, g Gate, o Options) (m *mta, writes chan int, log *logged) {
	t.Helper()
	log = &logged{}
	o.Log = log.logger()
	s := New(g, o)
	ours, theirs := net.Pipe()
	writes = make(chan int, 100)
	ln := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	ln.conns <- counting{ours, writes}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		s.Close()
		theirs.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return newMTA(t, theirs), writes, log
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func TestEditsAndVerdictInOneWrite(t *testing.T) {
	f := newFake()
	f.result.Edits = []gate.Edit{{Kind: gate.AppendField, Name: "X-A", Value: " a"}, {Kind: gate.AppendField, Name: "X-B", Value: " b"}}
	synctest.Test(t, func(t *testing.T) {
		m, writes, _ := piped(t, f, Options{})
		m.open()
		m.message()
		m.expect("hX-A\x00 a\x00", "hX-B\x00 b\x00", "a")
		synctest.Wait()
		if len(writes) != 3 { // negotiation, RCPT, end of message
			t.Errorf("%d writes", len(writes))
		}
	})
}

func TestSlowVerdict(t *testing.T) {
	f := newFake()
	f.judging = func(ctx context.Context) {
		select {
		case <-time.After(35 * time.Second):
		case <-ctx.Done():
			t.Error("the context ended early")
		}
	}
	synctest.Test(t, func(t *testing.T) {
		m, _, _ := piped(t, f, Options{})
		m.open()
		for range 2 {
			m.message()
			m.expect("p", "p", "p", "a")
			m.say('A', "")
		}
	})
}

func TestVerdictTooLate(t *testing.T) {
	f := newFake()
	f.judging = func(ctx context.Context) {
		began := time.Now()
		<-ctx.Done()
		if d := time.Since(began); d < 240*time.Second || d > 245*time.Second {
			t.Errorf("the context ended after %v", d)
		}
		if err := context.Cause(ctx); !errors.Is(err, errVerdictLate) {
			t.Errorf("cause %v", err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		m, _, _ := piped(t, f, Options{})
		m.open()
		for range 2 { // the next message has its whole time
			m.message()
			for {
				if p := m.hear(); p != "p" {
					if p != "a" { // Postfix still waits
						t.Errorf("heard %q", p)
					}
					break
				}
			}
			m.say('A', "")
		}
	})
}

// An MTA that does not wait for the verdict has deferred the message; it must
// not find our answer in place of one to its next command.
func TestUnwaitedVerdict(t *testing.T) {
	for name, goOn := range map[string]func(*mta){
		"abort": func(m *mta) { m.say('A', "") },
		"close": func(m *mta) { m.c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			judged := make(chan struct{})
			f.judging = func(ctx context.Context) {
				<-ctx.Done()
				if err := context.Cause(ctx); !errors.Is(err, errUnwaited) {
					t.Errorf("cause %v", err)
				}
				close(judged)
			}
			r := start(t, f, Options{Limits: Limits{Progress: 50 * time.Millisecond}})
			m := r.dial()
			m.open()
			m.message()
			f.await(t, "complete")
			goOn(m)
			<-judged
			f.await(t, "unanswered "+errUnwaited.Error())
			f.await(t, "close")
			if name == "abort" {
				for {
					p, err := m.next()
					if err != nil {
						break
					}
					if p != "p" {
						t.Errorf("heard %q", p)
					}
				}
			}
		})
	}
}

func TestVerdictCannotBeWritten(t *testing.T) {
	f := newFake()
	release := make(chan struct{})
	f.judging = func(context.Context) { <-release }
	r := start(t, f, Options{})
	m := r.dial()
	m.open()
	m.message()
	f.await(t, "complete")
	m.c.Close()
	close(release)
	if got := f.await(t, "unanswered"); !strings.Contains(got, "writing replies") {
		t.Error(got)
	}
	f.await(t, "close")
}

// An MTA that takes no replies costs no memory and, in the end, its
// connection.
func TestRepliesNotTaken(t *testing.T) {
	f := newFake()
	synctest.Test(t, func(t *testing.T) {
		m, _, log := piped(t, f, Options{})
		m.open()
		m.say('M', "<a@example.com>\x00")
		m.say('R', "<b@example.org>\x00")
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if !strings.Contains(log.String(), "writing replies") {
			t.Errorf("logged: %s", log)
		}
	})
}
