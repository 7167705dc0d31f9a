package milter

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"go.uber.org/goleak"
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
	return readAgreement([]byte(p[1:]))
}

const connectFrame = "mail.example.com\x004\x12\x34192.0.2.7\x00"

// open negotiates, connects and greets.
func (m *mta) open() {
	m.t.Helper()
	m.negotiate(postfixOffer)
	m.say('C', connectFrame)
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
