package dnscheck

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// udpSize is the largest reply asked for over UDP, which no path fragments
// (RFC 6891 §6.2.5, and the DNS flag day of 2020).
const udpSize = 1232

// mostStrays is how many datagrams that do not answer the question are passed
// over before it is asked over TCP, where nobody else can answer.
const mostStrays = 16

// What a reply can be besides an answer.
var (
	errStray     = errors.New("a reply to another question")
	errMalformed = errors.New("a malformed reply")
	errTruncated = errors.New("a truncated reply")
	errFormat    = errors.New("a reply that EDNS may be the reason of")
	errTimeout   = errors.New("no reply in time")
)

// exchange asks one server over UDP, and over TCP where UDP does not do. Each
// of both has the time try. The reply answers the question asked, or is an
// rcode.
func exchange(ctx context.Context, addr string, q question, try time.Duration) (*dns.Msg, error) {
	m, err := overUDP(ctx, addr, q, try, true)
	if errors.Is(err, errFormat) {
		// RFC 6891 §7: it may not know EDNS, and not everybody says FORMERR.
		m, err = overUDP(ctx, addr, q, try, false)
	}
	if errors.Is(err, errTruncated) || errors.Is(err, errStray) {
		m, err = overTCP(ctx, addr, q, try)
	}
	return m, err
}

func overUDP(ctx context.Context, addr string, q question, try time.Duration, edns bool) (*dns.Msg, error) {
	id, packet, err := query(q, edns)
	if err != nil {
		return nil, err
	}
	// A socket for each question: its port is as random as the kernel's are
	// (RFC 5452 §9.2), and only the server's datagrams arrive.
	conn, err := connect(ctx, "udp", addr, try)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	if _, err := conn.Write(packet); err != nil {
		return nil, conn.explain(err)
	}
	buf := make([]byte, 4096) // some send more than was asked for
	for range mostStrays {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, conn.explain(err)
		}
		m, err := read(buf[:n], id, q)
		switch {
		case errors.Is(err, errStray):
			continue // RFC 5452 §9.1: a guess from elsewhere must not end the wait
		case errors.Is(err, errMalformed) && n == len(buf):
			return nil, errTruncated // by us
		case err == nil && edns && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented || m.Rcode == dns.RcodeServerFailure):
			return nil, errFormat
		}
		return m, err
	}
	return nil, errStray
}

func overTCP(ctx context.Context, addr string, q question, try time.Duration) (*dns.Msg, error) {
	id, packet, err := query(q, true)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, "tcp", addr, try)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	// RFC 7766 §8: length and message in one write.
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)); err != nil {
		return nil, conn.explain(err)
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, conn.explain(err)
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, conn.explain(err)
	}
	m, err := read(buf, id, q)
	if errors.Is(err, errTruncated) {
		err = errMalformed // there is no larger way
	}
	return m, err
}

// query packs the question under a random id.
func query(q question, edns bool) (uint16, []byte, error) {
	m := &dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: true},
		Question: []dns.Question{{Name: q.name, Qtype: q.kind, Qclass: dns.ClassINET}},
	}
	if edns {
		m.SetEdns0(udpSize, false)
	}
	packet, err := m.Pack()
	if err != nil {
		return 0, nil, fmt.Errorf("a question that cannot be packed: %w", err)
	}
	return m.Id, packet, nil
}

// read is the reply in a packet, if it is one to this question (RFC 5452 §9.1
// and §4.2: id, name, type and class).
func read(packet []byte, id uint16, q question) (*dns.Msg, error) {
	const header, response, opcode, truncated = 12, 0x8000, 0x7800, 0x0200
	if len(packet) < header || binary.BigEndian.Uint16(packet) != id {
		return nil, errStray
	}
	flags := binary.BigEndian.Uint16(packet[2:])
	if flags&response == 0 || flags&opcode != 0 {
		return nil, errStray
	}
	m := new(dns.Msg)
	if err := m.Unpack(packet); err != nil {
		if flags&truncated != 0 {
			return nil, errTruncated // perhaps cut in the middle of a record
		}
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	switch len(m.Question) {
	case 1:
		asked := m.Question[0]
		if !strings.EqualFold(asked.Name, q.name) || asked.Qtype != q.kind || asked.Qclass != dns.ClassINET {
			return nil, errStray
		}
	case 0:
		// Some do not repeat the question with an error. It is believed, for
		// it never becomes an answer.
		if m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError {
			return nil, errStray
		}
	default:
		return nil, errStray
	}
	if m.Truncated {
		return nil, errTruncated
	}
	return m, nil
}

// line is a connection that ends with its context.
type line struct {
	net.Conn
	ctx  context.Context
	stop func() bool
}

func connect(ctx context.Context, network, addr string, try time.Duration) (*line, error) {
	deadline := time.Now().Add(try)
	d := net.Dialer{Deadline: deadline}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, (&line{ctx: ctx}).explain(err)
	}
	if err := conn.SetDeadline(deadline); err != nil {
		conn.Close()
		return nil, err
	}
	// A read that is under way does not see the context: it gets a deadline
	// in the past.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return &line{conn, ctx, stop}, nil
}

// close ends the connection. Nothing was written that its error could lose.
func (l *line) close() {
	l.stop()
	l.Conn.Close()
}

// explain tells why the line failed: our own end of it, a time-out, or what
// the network says.
func (l *line) explain(err error) error {
	if cause := context.Cause(l.ctx); cause != nil {
		return cause
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errTimeout
	}
	var t net.Error
	if errors.As(err, &t) && t.Timeout() {
		return errTimeout
	}
	return err
}
