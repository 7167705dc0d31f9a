package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gomilter "github.com/d--j/go-milter"
	"github.com/d--j/go-milter/milterutil"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// The library's own loop behind the same guard, with the same session: what our
// loop is compared with.

// libraryConn gives the library its next command, octet by octet as it asks.
type libraryConn struct {
	*conn
	pending []byte
}

func (l *libraryConn) Read(p []byte) (int, error) {
	if len(l.pending) == 0 {
		var f frame
		if err := l.await(&f); err != nil {
			return 0, err
		}
		if l.pending = f.raw; f.code == cmdConnect {
			l.pending = withoutZone(f.raw)
		}
	}
	n := copy(p, l.pending)
	l.pending = l.pending[n:]
	return n, nil
}

func (l *libraryConn) Write(p []byte) (int, error) {
	l.out = append(l.out, p...)
	return len(p), nil
}

func (l *libraryConn) SetReadDeadline(time.Time) error  { return nil }
func (l *libraryConn) SetWriteDeadline(time.Time) error { return nil }

// withoutZone returns a checked CONNECT frame as the library can read it: it
// knows no zones ("fe80::1%eth0").
func withoutZone(raw []byte) []byte {
	family := 5 + bytes.IndexByte(raw[5:], 0) + 1
	if raw[family] != '6' {
		return raw
	}
	address := family + 1 + 2 // after the port
	end := address + bytes.IndexByte(raw[address:], 0)
	zone := bytes.IndexByte(raw[address:end], '%')
	if zone < 0 {
		return raw
	}
	cut := append([]byte(nil), raw[:address+zone]...)
	if raw[end-1] == ']' && bytes.IndexByte(raw[address:address+zone], '[') >= 0 {
		cut = append(cut, ']')
	}
	cut = append(cut, raw[end:]...)
	binary.BigEndian.PutUint32(cut, uint32(len(cut)-4))
	return cut
}

// libraryMilter is the session as the library calls it.
type libraryMilter struct {
	gomilter.NoOpMilter
	*session
}

func (m libraryMilter) NewConnection(gomilter.Modifier) error { m.newConnection(); return nil }
func (m libraryMilter) Connect(host, family string, port uint16, addr string, _ gomilter.Modifier) (*gomilter.Response, error) {
	return inLibrary(m.connect(host, family, port, addr)), nil
}
func (m libraryMilter) Helo(name string, _ gomilter.Modifier) (*gomilter.Response, error) {
	return inLibrary(m.hello(name)), nil
}
func (m libraryMilter) MailFrom(from, args string, _ gomilter.Modifier) (*gomilter.Response, error) {
	return inLibrary(m.mailFrom(from, args)), nil
}
func (m libraryMilter) RcptTo(to, args string, _ gomilter.Modifier) (*gomilter.Response, error) {
	return inLibrary(m.rcptTo(to, args)), nil
}
func (m libraryMilter) EndOfMessage(mod gomilter.Modifier) (*gomilter.Response, error) {
	resp, err := m.endOfMessage(mod)
	if errors.Is(err, errEnd) {
		err = io.EOF
	}
	return inLibrary(resp), err
}

// inLibrary is a response as the library has it, which writes replies by itself.
func inLibrary(r response) *gomilter.Response {
	switch r.code {
	case respAccept:
		return gomilter.RespAccept
	case respContinue:
		return gomilter.RespContinue
	case respDiscard:
		return gomilter.RespDiscard
	case respTempFail:
		return gomilter.RespTempFail
	case respReply:
		code, text := librarys(string(r.text))
		resp, err := gomilter.RejectWithCodeAndReason(code, text)
		if err != nil {
			panic(err)
		}
		return resp
	}
	return nil
}

// librarys are the code and the reason that make the library write a reply of ours: the
// enhanced code stands in the first line only, and percent signs once.
func librarys(reply string) (code uint16, reason string) {
	lines := strings.Split(strings.TrimSuffix(reply, "\x00"), "\r\n")
	n, err := strconv.ParseUint(lines[0][:3], 10, 16)
	if err != nil {
		panic(err)
	}
	enhanced := ""
	if end := milterutil.FindEnhancedErrorCodeEnd([]byte(lines[0][4:]), uint16(n)); end > 0 {
		enhanced = lines[0][4 : 4+end]
	}
	for i, line := range lines {
		if line = line[4:]; i > 0 {
			line = strings.TrimPrefix(line, enhanced)
		}
		lines[i] = strings.ReplaceAll(line, "%%", "%")
	}
	return uint16(n), strings.Join(lines, "\n")
}

func (m libraryMilter) Abort(gomilter.Modifier) error { m.abort(); return nil }
func (m libraryMilter) Cleanup(gomilter.Modifier)     { m.cleanup() }

// byLibrary has the library hold the conversation.
func byLibrary(c *conn) {
	s := c.server
	options := []gomilter.Option{
		gomilter.WithNegotiationCallback(func(version, _ uint32, actions, _ gomilter.OptAction, protocol, _ gomilter.OptProtocol, _ gomilter.DataSize) (uint32, gomilter.OptAction, gomilter.OptProtocol, gomilter.DataSize, error) {
			a := agree(agreement{version, actions, protocol}, s.wants(), c.tcp && !quickACK)
			return a.version, a.actions, a.protocol, gomilter.DataSize64K, nil
		}),
		gomilter.WithDynamicMilter(func(version uint32, actions gomilter.OptAction, protocol gomilter.OptProtocol, _ gomilter.DataSize) gomilter.Milter {
			c.session = newSession(c, agreement{version, actions, protocol})
			return libraryMilter{session: c.session}
		}),
	}
	if data := c.Conn.(*script).data; len(data) >= 13 && binary.BigEndian.Uint32(data[9:])&uint32(gomilter.OptSetMacros) != 0 {
		for stage, names := range macroRequests() {
			options = append(options, gomilter.WithMacroRequest(stage, []gomilter.MacroName{gomilter.MacroName(names)}))
		}
	}
	ended := make(chan struct{})
	ln := &oneConn{conn: &libraryConn{conn: c}, ended: ended}
	_ = gomilter.NewServer(options...).Serve(ln)
	<-ended
}

// oneConn is a listener with one connection; ended is closed with it.
type oneConn struct {
	conn  net.Conn
	ended chan struct{}
	given bool
}

type closing struct {
	net.Conn
	once  sync.Once
	ended chan struct{}
}

func (c *closing) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.ended) })
	return err
}

func (l *oneConn) Accept() (net.Conn, error) {
	if l.given {
		return nil, errors.New("there was one only")
	}
	l.given = true
	return &closing{Conn: l.conn, ended: l.ended}, nil
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return nil }

// script is a connection on which an MTA says what it says whatever it hears;
// what it hears is kept.
type script struct {
	net.Conn
	data  []byte
	at    int
	heard bytes.Buffer
}

func (s *script) Read(b []byte) (int, error) {
	if s.at == len(s.data) {
		return 0, io.EOF
	}
	n := copy(b, s.data[s.at:])
	s.at += n
	return n, nil
}
func (s *script) Write(b []byte) (int, error)      { return s.heard.Write(b) }
func (s *script) Close() error                     { return nil }
func (s *script) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "script", Net: "unix"} }
func (s *script) RemoteAddr() net.Addr             { return s.LocalAddr() }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// playedBy has the octets said to a gate that decides as make makes it, and returns
// what the MTA heard and what the gate was told.
func playedBy(data []byte, make func() *fake, hold func(*conn)) (heard string, events []string) {
	g := make()
	s := New(g, Options{Log: slog.New(slog.DiscardHandler)})
	defer s.Close()
	sc := &script{data: data}
	c := newConn(s, sc)
	hold(c)
	return sc.heard.String(), g.all()
}

// gates are answers of all kinds.
func gates() map[string]func() *fake {
	with := func(change func(*fake)) func() *fake {
		return func() *fake {
			f := newFake()
			change(f)
			return f
		}
	}
	no := gate.Reply{Code: 550, Enhanced: "5.7.1", Text: "No 100%\nagain"}
	return map[string]func() *fake{
		"accepts": newFake,
		"edits": with(func(f *fake) {
			f.wants = gate.Wants{Helo: true}
			f.result.Edits = []gate.Edit{
				{Kind: gate.ChangeField, Index: 1, Name: "Subject", Value: " [X] hello\n\tworld"},
				{Kind: gate.DeleteField, Index: 2, Name: "X-Forged"},
				{Kind: gate.InsertField, Index: 1, Name: "X-A", Value: " a\x00b\r\nc\r"},
				{Kind: gate.AppendField, Name: "X-Tollgate", Value: " x"},
				{Kind: gate.AppendField, Name: "not a name", Value: " x"},
				{Kind: gate.AppendField, Name: "X-Long", Value: " " + string(bytes.Repeat([]byte("x"), 70_000))},
				{Kind: gate.AppendField, Name: "X-Last", Value: ""},
			}
		}),
		"holds":    with(func(f *fake) { f.result = gate.Result{Verdict: gate.Held, Reason: "held\r\nfor 100% sure"} }),
		"refuses":  with(func(f *fake) { f.result = gate.Result{Verdict: gate.Rejected, Reply: no} }),
		"discards": with(func(f *fake) { f.result = gate.Result{Verdict: gate.Discarded} }),
		"says nothing": with(func(f *fake) {
			f.result = gate.Result{}
			f.wants = gate.Wants{Connect: true, MailFrom: true, Data: true, Header: true, Headers: true, Body: true}
		}),
		"refuses early": with(func(f *fake) {
			f.wants = gate.Wants{MailFrom: true}
			f.mail = gate.Decision{Verdict: gate.Rejected, Reply: no}
			f.rcpt = gate.Decision{Verdict: gate.Deferred, Reply: gate.Reply{Code: 421, Text: "Later"}}
		}),
		"panics": with(func(f *fake) {
			f.panics = map[string]bool{"mail": true, "rcpt": true, "complete": true, "helo": true}
		}),
	}
}

// sameAsLibrary says what octets are answered otherwise by our loop than by the
// library's.
func sameAsLibrary(t *testing.T, data []byte) {
	t.Helper()
	for name, make := range gates() {
		heard, events := playedBy(data, make, func(c *conn) { c.server.converse(c) })
		want, wanted := playedBy(data, make, byLibrary)
		if heard != want {
			t.Errorf("a gate that %s: the MTA hears\n%q, from the library\n%q", name, heard, want)
		}
		if !reflect.DeepEqual(events, wanted) {
			t.Errorf("a gate that %s is told\n%q, by the library\n%q", name, events, wanted)
		}
	}
}

func dialogueOf(offered string, pairs ...string) []byte {
	b := appendFrame(nil, 'O', offered)
	for i := 0; i < len(pairs); i += 2 {
		b = appendFrame(b, pairs[i][0], pairs[i+1])
	}
	return b
}

// dialogues are what MTAs say, and what they should not.
func dialogues() [][]byte {
	message := []string{"D", "M{mail_addr}\x00a@b\x00", "M", "<a@b>\x00SIZE=1\x00BODY=8BITMIME\x00", "R", "<c@d>\x00", "T", "", "L", "A\x00 b\x00", "N", "", "B", "body", "E", ""}
	all := func(parts ...[]string) (whole []string) {
		for _, p := range parts {
			whole = append(whole, p...)
		}
		return whole
	}
	begin := []string{"C", connectFrame, "H", "me\x00"}
	return [][]byte{
		dialogueOf(postfixOffer, all(begin, message, []string{"A", "", "A", ""}, message, message, []string{"Q", "", "H", "after\x00"})...),
		dialogueOf(postfixOffer, all(begin, message, []string{"K", "", "C", "x\x00L\x00\x00/x\x00"}, message, []string{"U", "FOO\x00", "E", ""})...),
		dialogueOf(offer(2, 0x3f, 0x7f), all(begin, message, []string{"E", "rest"})...),
		dialogueOf(offer(6, 0, 0), all(begin, message)...),
		dialogueOf(offer(6, 0x11, 0x1fffff), all(begin, message)...),
		dialogueOf(postfixOffer, "C", "x\x006\x12\x34IPv6:[fe80::1%e]\x00", "M", "<>\x00", "M", "x\x00\x00\x00", "R", "<\x00a b\x00", "C", "y\x00U"),
		dialogueOf(postfixOffer, "C", "x\x006\x00\x00::ffff:192.0.2.1\x00", "H", "a\x00b\x00", "R", "a\x00", "E", "", "A", "", "M", "<a>\x00", "C", connectFrame),
		dialogueOf(postfixOffer, "C", "x\x004\x12\x34192.0.2.1\x00more\x00", "Q", "rest"),
		dialogueOf(postfixOffer, "H", "me"),
		dialogueOf("short"),
		{},
	}
}

// TestSameAsLibrary: our loop answers as the library's does.
func TestSameAsLibrary(t *testing.T) {
	for _, data := range dialogues() {
		sameAsLibrary(t, data)
	}
}

func FuzzSameAsLibrary(f *testing.F) {
	for _, data := range dialogues() {
		f.Add(data)
	}
	f.Fuzz(sameAsLibrary)
}
