package milter

import (
	"strings"
	"testing"
	"time"
)

// TestHostileFrames: what no MTA says ends the connection with a line that
// tells where and what, and nothing else.
func TestHostileFrames(t *testing.T) {
	const huge = "\x1d\xcd\x65\x00" // 500,000,000
	frame := func(code byte, data string) string { return string(appendFrame(nil, code, data)) }
	negotiation := frame('O', postfixOffer)
	tests := []struct {
		name, bytes string
		want        string // in the log
	}{
		{"an empty frame first", "\x00\x00\x00\x00", "frame 1: it is empty"},
		{"an empty frame later", negotiation + frame('C', connectFrame) + "\x00\x00\x00\x00", "frame 3: it is empty"},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", "frame 1: announces 1195725856 octets"},
		{"SMTP", "EHLO x\r\n", "frame 1: announces 1162366031 octets"},
		{"a huge frame", negotiation + huge + "L", "frame 2: announces 500000000 octets"},
		{"a huge macro frame", negotiation + "\x00\x02\x00\x00D", `frame 2, command 'D' (macro): announces 131072 octets, more than 65536`},
		{"no negotiation", frame('C', connectFrame), `frame 1, command 'C' (connect): before the negotiation`},
		{"a second negotiation", negotiation + negotiation, `frame 2, command 'O' (negotiation): a second one`},
		{"a short negotiation", frame('O', postfixOffer[:11]), "11 octets, fewer than 12"},
		{"version 1", frame('O', offer(1, 0x1ff, 0x1fffff)), "protocol version 1"},
		{"version 0", frame('O', offer(0, 0, 0)), "protocol version 0"},
		{"an unknown command", negotiation + frame('z', ""), `frame 2, command 'z': no such command`},
		{"command NUL", negotiation + frame(0, "x"), "frame 2: no such command"},
		{"an empty CONNECT", negotiation + frame('C', ""), "no NUL after the host name"},
		{"CONNECT without NUL", negotiation + frame('C', "host"), "no NUL after the host name"},
		{"CONNECT with a name only", negotiation + frame('C', "host\x00"), "no address family"},
		{"CONNECT with a family only", negotiation + frame('C', "host\x004"), "no port and address"},
		{"CONNECT with a port only", negotiation + frame('C', "host\x004\x12\x34"), "no port and address"},
		{"CONNECT without the last NUL", negotiation + frame('C', "host\x004\x12\x34192.0.2.7"), "no NUL after the address"},
		{"CONNECT in another family", negotiation + frame('C', "host\x00X\x12\x34192.0.2.7\x00"), "address family 'X'"},
		{"IPv6 as IPv4", negotiation + frame('C', "host\x004\x12\x342001:db8::1\x00"), `IPv4 address \"2001:db8::1\"`},
		{"IPv4 as IPv6", negotiation + frame('C', "host\x006\x12\x34192.0.2.7\x00"), `IPv6 address \"192.0.2.7\"`},
		{"no address", negotiation + frame('C', "host\x006\x12\x34\x00"), `IPv6 address \"\"`},
		{"brackets around IPv4", negotiation + frame('C', "host\x004\x12\x34[192.0.2.7]\x00"), `IPv4 address`},
		{"an endless address", negotiation + frame('C', "host\x004\x12\x34"+strings.Repeat("1", 60000)+"\x00"), "1…"},
		{"HELO without NUL", negotiation + frame('H', "me"), `command 'H' (helo): no NUL`},
		{"an empty HELO", negotiation + frame('H', ""), `command 'H' (helo): no NUL`},
		{"MAIL without NUL", negotiation + frame('M', "<a@b>"), `command 'M' (mail): no NUL`},
		{"MAIL with an open argument", negotiation + frame('M', "<a@b>\x00SIZE=1"), `command 'M' (mail): no NUL`},
		{"RCPT without NUL", negotiation + frame('R', "<a@b>"), `command 'R' (rcpt): no NUL`},
		{"an empty RCPT", negotiation + frame('R', ""), `command 'R' (rcpt): no NUL`},
		{"an unknown SMTP command without NUL", negotiation + frame('U', "FOO"), `no NUL`},
		{"an empty header field", negotiation + frame('L', ""), "no NUL after the name"},
		{"a header field of one string", negotiation + frame('L', "Subject\x00"), "no NUL after the value"},
		{"a header field without its last NUL", negotiation + frame('L', "Subject\x00 hi"), "no NUL after the value"},
		{"a header field of three strings", negotiation + frame('L', "Subject\x00 hi\x00there\x00"), "more than a name and a value"},
		{"an empty macro frame", negotiation + frame('D', ""), "no command letter"},
		{"macros without the last NUL", negotiation + frame('D', "Ri\x00ABC"), "no NUL at its end"},
		{"a macro without a value", negotiation + frame('D', "Ri\x00"), "a name without a value"},
	}
	f := newFake()
	r := start(t, f, Options{})
	before := r.dial()
	before.open()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.log.mu.Lock()
			r.log.buf.Reset()
			r.log.mu.Unlock()
			m := r.dial()
			m.write([]byte(tt.bytes))
			for {
				p, err := m.next()
				if err != nil {
					break
				}
				if p[0] != 'O' {
					t.Errorf("heard %q", p)
				}
			}
			if log := r.log.String(); !strings.Contains(log, tt.want) || strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=ERROR") {
				t.Errorf("logged %s, want %s", log, tt.want)
			}
		})
	}
	before.message()
	before.expect("a")
}

func TestUnfinished(t *testing.T) {
	r := start(t, newFake(), Options{})
	m := r.dial()
	m.write([]byte("\x00\x00\x00\x0dO\x00\x00"))
	m.c.Close()
	m = r.dial()
	m.c.Close() // a probe is not worth a line
	for s := r.Status(); s.Total < 2 || s.Connections > 0; s = r.Status() {
		time.Sleep(time.Millisecond)
	}
	if log := r.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "in the middle of a frame") {
		t.Errorf("logged %s", log)
	}
}
