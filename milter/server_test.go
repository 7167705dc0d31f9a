package milter

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// failing is a listener whose first Accepts fail.
type failing struct {
	*pipeListener
	mu   sync.Mutex
	errs []error
}

func (l *failing) Accept() (net.Conn, error) {
	l.mu.Lock()
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		l.mu.Unlock()
		return nil, err
	}
	l.mu.Unlock()
	return l.pipeListener.Accept()
}

// A full descriptor table or a client that went away in the queue must not
// end the server.
func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &failing{pipeListener: &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}}
		for range 20 {
			ln.errs = append(ln.errs, &net.OpError{Op: "accept", Err: syscall.EMFILE}, syscall.ECONNABORTED)
		}
		log := &logged{}
		s := New(newFake(), Options{Log: log.logger()})
		ours, theirs := net.Pipe()
		ln.conns <- ours
		done := make(chan error, 1)
		go func() { done <- s.Serve(t.Context(), ln) }()
		m := newMTA(t, theirs)
		m.open()
		m.message()
		m.expect("a")
		theirs.Close()
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "cannot be accepted"); n == 0 || n > 40 || !strings.Contains(log.String(), "accepted again") {
			t.Errorf("logged %s", log)
		}
	})
}

// Without descriptors those connections end on which nobody was named, but for those
// that were there before and those that have just come; who speaks is served.
func TestNoDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 24
		ln := &scarce{pipeListener: &pipeListener{conns: make(chan net.Conn, 1000), closed: make(chan struct{})}, left: room}
		log := &logged{}
		s := New(newFake(), Options{Log: log.logger()})
		done := make(chan error, 1)
		go func() { done <- s.Serve(t.Context(), ln) }()
		dial := func() *mta {
			ours, theirs := net.Pipe()
			ln.conns <- &descriptor{Conn: ours, of: ln}
			return newMTA(t, theirs)
		}
		before, busy, session := dial(), dial(), dial()
		for _, m := range []*mta{before, busy, session} {
			m.open()
		}
		busy.say('C', "host\x004\x00\x19192.0.2.1\x00")
		busy.say('M', "<a@b.example>\x00")
		session.say('C', "host\x004\x00\x19192.0.2.1\x00")
		synctest.Wait()
		began := time.Now()
		for range 200 {
			dial() // and says nothing
		}
		last := dial()
		last.open()
		last.say('C', "host\x004\x00\x19192.0.2.1\x00")
		last.message()
		last.expect("a")
		if took := time.Since(began); took > time.Second {
			t.Errorf("the last one was served after %v", took)
		}
		for _, m := range []*mta{before, session} {
			m.message()
			m.expect("a")
		}
		busy.say('R', "<c@d.example>\x00")
		busy.expect("c")
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		said := log.String()
		if n := strings.Count(said, "level=ERROR") + strings.Count(said, "accepted again"); n == 0 || n > 10 || !strings.Contains(said, "closed_without_client") {
			t.Errorf("%d lines for 200 connections:\n%s", n, log)
		}
	})
}

// scarce is a listener with few descriptors.
type scarce struct {
	*pipeListener
	mu   sync.Mutex
	left int
}

func (l *scarce) Accept() (net.Conn, error) {
	l.mu.Lock()
	if l.left == 0 {
		l.mu.Unlock()
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	l.left--
	l.mu.Unlock()
	return l.pipeListener.Accept()
}

// descriptor is a connection from it.
type descriptor struct {
	net.Conn
	of   *scarce
	once sync.Once
}

func (d *descriptor) Close() error {
	d.once.Do(func() {
		d.of.mu.Lock()
		d.of.left++
		d.of.mu.Unlock()
	})
	return d.Conn.Close()
}

func TestConnectionLimit(t *testing.T) {
	f := newFake()
	r := start(t, f, Options{MaxConnections: 2})
	a, b := r.dial(), r.dial()
	a.open()
	b.open()
	for range 3 {
		r.dial().expectEnd()
	}
	a.say('Q', "")
	a.expectEnd()
	// There is room again as soon as the server has noticed.
	for r.Status().Connections == 2 {
		time.Sleep(time.Millisecond)
	}
	c := r.dial()
	c.open()
	c.message()
	c.expect("a")
	if s := r.Status(); s.Refused != 3 || s.Connections != 2 || s.Total != 3 || s.Messages != 1 || s.Draining {
		t.Errorf("status %+v", s)
	}
	if n := strings.Count(r.log.String(), "too many milter connections"); n != 1 {
		t.Errorf("logged %d times: %s", n, r.log)
	}
}

func TestTimeLimits(t *testing.T) {
	tests := []struct {
		name  string
		bytes string
		after time.Duration
		want  string
	}{
		{"nothing said", "", 30 * time.Second, "no negotiation in time"},
		{"half a negotiation", "\x00\x00\x00\x0dO", 30 * time.Second, "no negotiation in time"},
		{"half a frame", string(appendFrame(nil, 'O', postfixOffer)) + "\x00\x00\x01\x00Lx", 30 * time.Second, "nothing heard in time"},
		{"half a body", string(appendFrame(nil, 'O', postfixOffer)) + "\x00\x00\x01\x00Bx", 30 * time.Second, "nothing heard in time"},
		{"an idle session", string(appendFrame(nil, 'O', postfixOffer)), time.Hour, "nothing heard in time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, _, log := piped(t, newFake(), Options{})
				if tt.bytes != "" {
					m.write([]byte(tt.bytes))
				}
				if len(tt.bytes) > 13 {
					m.hear()
				}
				began := time.Now()
				m.expectEnd()
				if d := time.Since(began); d < tt.after-time.Second || d > tt.after+3*time.Second {
					t.Errorf("closed after %v", d)
				}
				if !strings.Contains(log.String(), tt.want) {
					t.Errorf("logged %s", log)
				}
			})
		})
	}
}

// A slow client is no reason to give up: an octet each 10 s is.
func TestSlowFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _, _ := piped(t, newFake(), Options{})
		m.open()
		for range 5 { // frames far apart, each in two parts
			time.Sleep(30 * time.Minute)
			b := appendFrame(nil, 'L', "A\x00 b\x00")
			m.write(b[:7])
			time.Sleep(25 * time.Second)
			m.write(b[7:])
		}
		b := appendFrame(nil, 'L', "A\x00 b\x00")
		for i := range b {
			if _, err := m.c.Write(b[i : i+1]); err != nil {
				if i < 3 || i > 4 {
					t.Errorf("closed at octet %d", i)
				}
				return
			}
			time.Sleep(10 * time.Second)
		}
		t.Error("not closed")
	})
}

func TestServeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ln := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
		s := New(newFake(), Options{Log: (&logged{}).logger()})
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, ln) }()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Serve(t.Context(), &pipeListener{closed: make(chan struct{})}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("served again: %v", err)
		}
	})
}

// Drain lets sessions go on, closes between messages when grace is over, and
// never in a message or a verdict.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		release := make(chan struct{})
		ln := &pipeListener{conns: make(chan net.Conn, 10), closed: make(chan struct{})}
		log := &logged{}
		s := New(f, Options{Log: log.logger()})
		served := make(chan error, 1)
		go func() { served <- s.Serve(context.Background(), ln) }()
		dial := func() *mta {
			ours, theirs := net.Pipe()
			ln.conns <- ours
			m := newMTA(t, theirs)
			m.open()
			return m
		}
		idleOne, busy, judged, polite := dial(), dial(), dial(), dial()
		drained := make(chan error, 1)
		go func() { drained <- s.Drain(context.Background(), time.Minute) }()
		synctest.Wait()
		if !s.Status().Draining || s.Status().Connections != 4 {
			t.Errorf("status %+v", s.Status())
		}
		// Within the grace period everything goes on.
		for _, m := range []*mta{idleOne, busy} {
			m.message()
			m.expect("a")
			m.say('A', "")
		}
		polite.say('Q', "")
		polite.expectEnd()
		busy.say('M', "<a@example.com>\x00")
		f.judging = func(context.Context) { <-release }
		judged.message()
		verdict := make(chan string, 1)
		go func() { // as an MTA that waits
			p := judged.hear()
			for p == "p" {
				p = judged.hear()
			}
			verdict <- p
		}()
		time.Sleep(61 * time.Second)
		synctest.Wait()
		idleOne.expectEnd()
		// What is under way is finished.
		busy.say('R', "<b@example.org>\x00")
		busy.expect("c")
		time.Sleep(5 * time.Minute)
		close(release)
		if p := <-verdict; p != "a" {
			t.Errorf("heard %q", p)
		}
		judged.expectEnd()
		select {
		case <-drained:
			t.Error("drained with a message under way")
		default:
		}
		f.judging = nil
		busy.say('E', "")
		busy.expect("a")
		busy.expectEnd()
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		for _, e := range f.all() {
			if strings.HasPrefix(e, "unanswered") {
				t.Error(e)
			}
		}
	})
}

// When the time for draining is over, messages are cut, but no verdict.
func TestDrainCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		release := make(chan struct{})
		f.judging = func(ctx context.Context) {
			<-release
			if err := ctx.Err(); err != nil {
				t.Errorf("the verdict's context: %v", err)
			}
		}
		ln := &pipeListener{conns: make(chan net.Conn, 10), closed: make(chan struct{})}
		s := New(f, Options{Log: (&logged{}).logger()})
		served := make(chan error, 1)
		go func() { served <- s.Serve(context.Background(), ln) }()
		dial := func() *mta {
			ours, theirs := net.Pipe()
			ln.conns <- ours
			m := newMTA(t, theirs)
			m.open()
			return m
		}
		busy, judged := dial(), dial()
		busy.say('M', "<a@example.com>\x00")
		judged.message()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		drained := make(chan error, 1)
		go func() { drained <- s.Drain(ctx, time.Minute) }()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		busy.expectEnd()
		close(release)
		judged.expect("a")
		judged.expectEnd()
		if err := <-drained; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestLive(t *testing.T) {
	// The gate itself fits.
	var _ Gate = Live(&gate.Gate{})
}

// Who serves has ended when Serve returns, whoever looks after a socket included.
func TestServeWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m.sock")
	ln, err := Listen("unix:"+path, Socket{})
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowLog{entered: make(chan struct{}), served: make(chan struct{})}
	s := New(newFake(), Options{Log: slog.New(slog.NewTextHandler(slow, nil))})
	go func() {
		defer close(slow.served)
		if err := s.Serve(t.Context(), ln); err != nil {
			t.Error(err)
		}
	}()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	<-slow.entered // told that the socket was made anew
	s.Close()
	<-slow.served
	if slow.late.Load() {
		t.Error("Serve has returned while a socket was looked after")
	}
}

// slowLog takes a line for as long as the server may take to end.
type slowLog struct {
	entered, served chan struct{}
	once            sync.Once
	late            atomic.Bool
}

func (l *slowLog) Write(p []byte) (int, error) {
	l.once.Do(func() {
		close(l.entered)
		select {
		case <-l.served:
			l.late.Store(true)
		case <-time.After(200 * time.Millisecond):
		}
	})
	return len(p), nil
}
