package milter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// appendFrame appends a frame of the milter protocol.
func appendFrame(b []byte, code byte, data string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)+1))
	b = append(b, code)
	return append(b, data...)
}

// offer is the data of a negotiation.
func offer(version, actions, protocol uint32) string {
	var b []byte
	for _, v := range []uint32{version, actions, protocol} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return string(b)
}

// postfixOffer is what Postfix offers.
var postfixOffer = offer(6, 0x1ff, 0x1fffff)

// mta is the other end of a milter connection.
type mta struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

func newMTA(t testing.TB, c net.Conn) *mta { return &mta{t: t, c: c, r: bufio.NewReader(c)} }

func (m *mta) write(b []byte) {
	m.t.Helper()
	if _, err := m.c.Write(b); err != nil {
		m.t.Fatalf("writing: %v", err)
	}
}

func (m *mta) say(code byte, data string) { m.t.Helper(); m.write(appendFrame(nil, code, data)) }

// hear returns the next packet, code and data.
func (m *mta) hear() string {
	m.t.Helper()
	p, err := m.next()
	if err != nil {
		m.t.Fatalf("no reply: %v", err)
	}
	return p
}

func (m *mta) next() (string, error) {
	var size [4]byte
	if _, err := io.ReadFull(m.r, size[:]); err != nil {
		return "", err
	}
	p := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(m.r, p)
	return string(p), err
}

func (m *mta) expect(want ...string) {
	m.t.Helper()
	for _, w := range want {
		if got := m.hear(); got != w {
			m.t.Fatalf("heard %q, want %q", got, w)
		}
	}
}

// expectEnd wants the connection to be closed without a further packet.
func (m *mta) expectEnd() {
	m.t.Helper()
	if p, err := m.next(); err == nil {
		m.t.Fatalf("heard %q, want the end of the connection", p)
	}
}

func (m *mta) negotiate(data string) agreement {
	m.t.Helper()
	m.say('O', data)
	p := m.hear()
	if p[0] != 'O' || len(p) < 13 {
		m.t.Fatalf("negotiation answered with %q", p)
	}
	return readAgreement(p)
}

const connectData = "mail.example.com\x004\x12\x34192.0.2.7\x00"

// open negotiates, connects and greets.
func (m *mta) open() {
	m.t.Helper()
	m.negotiate(postfixOffer)
	m.say('C', connectData)
	m.say('H', "mail.example.com\x00")
}

// message says a message up to its end.
func (m *mta) message() {
	m.t.Helper()
	m.say('M', "<a@example.com>\x00")
	m.say('R', "<b@example.org>\x00")
	m.expect("c")
	m.say('T', "")
	m.say('L', "Subject\x00 hello\x00")
	m.say('N', "")
	m.say('B', "body\r\n")
	m.say('E', "")
}

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

func (s *fakeSession) Helo(_ context.Context, name string) { s.note("helo %s", name) }

func (s *fakeSession) Mail(_ context.Context, e gate.Envelope) (Message, gate.Decision) {
	s.note("mail <%s> size=%d queue=%s tls=%s auth=%s:%s", e.Sender, e.Size, e.QueueID, e.TLSVersion, e.AuthType, e.AuthUser)
	return fakeMessage{s.fake}, s.fake.mail
}
func (s *fakeSession) Abort()                    { s.note("abort") }
func (s *fakeSession) Close()                    { s.note("close") }
func (s *fakeSession) Fail(stage, detail string) { s.note("fail-session %s", stage) }
func (s *fakeSession) Ref() string               { return "ref" }
func (s *fakeSession) Trace(detail func() string) {
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
func (m fakeMessage) Header(name, value string)   { m.note("header %s:%s", name, value) }
func (m fakeMessage) EndOfHeader(context.Context) { m.note("end-of-header") }
func (m fakeMessage) Body(p []byte)               { m.note("body %s", p) }
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
func (m fakeMessage) Unheard(reason string) { m.note("unheard %s", reason) }

// logged is a log that can be read.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// running is a server on a unix socket.
type running struct {
	*Server
	t    testing.TB
	log  *logged
	path string
	done chan struct{}
}

func start(t testing.TB, g Gate, o Options) *running {
	t.Helper()
	r := &running{t: t, log: &logged{}, path: filepath.Join(t.TempDir(), "milter.sock"), done: make(chan struct{})}
	o.Log = r.log.logger()
	ln, err := Listen("unix:"+r.path, Socket{})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = New(g, o)
	go func() {
		defer close(r.done)
		if err := r.Serve(t.Context(), ln); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		r.Close()
		<-r.done
	})
	return r
}

func (r *running) dial() *mta {
	r.t.Helper()
	c, err := net.Dial("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return newMTA(r.t, c)
}
