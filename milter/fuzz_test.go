package milter

import (
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"
)

// attacker is a connection on which fixed octets arrive in pieces.
type attacker struct {
	net.Conn
	data  []byte
	piece int
	over  chan struct{}
}

func (a *attacker) Read(b []byte) (int, error) {
	if len(a.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, a.data[:min(len(a.data), a.piece)])
	a.data = a.data[n:]
	return n, nil
}

func (a *attacker) Write(b []byte) (int, error) { return len(b), nil }
func (a *attacker) Close() error                { close(a.over); return nil }
func (a *attacker) LocalAddr() net.Addr         { return &net.UnixAddr{Name: "attacker", Net: "unix"} }
func (a *attacker) RemoteAddr() net.Addr        { return a.LocalAddr() }
func (a *attacker) SetDeadline(time.Time) error { return nil }

// FuzzConversation plays any octets to guard and session in this process: what the
// guard lets through must not hang, and all memory must come back. A panic is
// recovered and would hide: it fails by the error count.
func FuzzConversation(f *testing.F) {
	frames := func(pairs ...string) []byte {
		b := appendFrame(nil, 'O', postfixOffer)
		for i := 0; i < len(pairs); i += 2 {
			b = appendFrame(b, pairs[i][0], pairs[i+1])
		}
		return b
	}
	f.Add(frames("C", connectFrame, "H", "me\x00", "D", "M{auth_type}\x00PLAIN\x00", "M", "<a@b>\x00SIZE=1\x00", "R", "<c@d>\x00", "T", "", "L", "A\x00 b\x00", "N", "", "B", "body", "E", "", "A", "", "Q", ""), 4096)
	f.Add(frames("C", "x\x006\x12\x34IPv6:[fe80::1%e]\x00", "K", "", "C", "x\x00L\x00\x00/x\x00", "U", "FOO\x00"), 3)
	f.Add(frames("C", "x\x006%%::1%\x00", "D", "Ri\x00Q\x00", "R", "\x00\x00", "E", "rest"), 1)
	f.Add(frames("H", "me"), 1)
	f.Add([]byte("\x00\x00\x00\x00"), 2)
	f.Add(appendFrame(appendFrame(nil, 'O', offer(2, 0, 0)), 'L', "\x00\x00"), 5)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		s := New(newFake(), Options{Log: slog.New(slog.DiscardHandler)})
		defer s.Close()
		a := &attacker{data: data, piece: max(1, piece), over: make(chan struct{})}
		s.take(a)
		<-a.over
		s.Close()
		<-s.empty
		if left := s.budget.left.Load(); left != unfinishedTotal {
			t.Errorf("%d octets of the budget are lost", unfinishedTotal-left)
		}
		if s.counts.faults.Load() != 0 {
			t.Error("a panic")
		}
	})
}

// FuzzFrame: a single frame that has been checked is carried out, and the dialogue
// goes on.
func FuzzFrame(f *testing.F) {
	f.Add(byte('C'), []byte(connectFrame))
	f.Add(byte('C'), []byte("x\x006\x12\x34IPv6:fe80::1%e\x00"))
	f.Add(byte('M'), []byte("<a>\x00"))
	f.Add(byte('L'), []byte("a\x00b\x00"))
	f.Fuzz(func(t *testing.T, code byte, data []byte) {
		known := commands[code]
		if known.name == "" || len(data) >= known.limit || code == cmdQuit || check(code, data) != "" {
			return
		}
		raw := appendFrame(nil, code, string(data))
		s := New(newFake(), Options{Log: slog.New(slog.DiscardHandler)})
		defer s.Close()
		wire := raw
		if code != cmdNegotiate {
			wire = append(appendFrame(nil, 'O', postfixOffer), raw...)
		}
		// It goes on to the next frame when this one is good.
		a := &attacker{data: append(wire, appendFrame(nil, 'H', "after\x00")...), piece: 1 << 20, over: make(chan struct{})}
		g := s.gate.(*fake)
		s.take(a)
		<-a.over
		if events := g.all(); !slices.Contains(events, "helo after") {
			t.Errorf("the dialogue stopped at %q %q: %q", code, data, events)
		}
	})
}
