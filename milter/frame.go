package milter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// frame is one command of the MTA, or a piece of a body chunk.
type frame struct {
	code byte
	data []byte // what follows the command letter
	raw  []byte // the whole frame with its length; nil for body pieces
	more bool   // of a body chunk: further pieces follow
}

// FrameError is something the MTA may not say.
type FrameError struct {
	Number  int  // of the frame in its connection, from 1
	Code    byte // its command letter, 0 when there is none
	Problem string
}

func (e *FrameError) Error() string {
	switch {
	case e.Code == 0:
		return fmt.Sprintf("frame %d: %s", e.Number, e.Problem)
	case commands[e.Code].name == "":
		return fmt.Sprintf("frame %d, command %q: %s", e.Number, e.Code, e.Problem)
	}
	return fmt.Sprintf("frame %d, command %q (%s): %s", e.Number, e.Code, commands[e.Code].name, e.Problem)
}

// check returns what is wrong with a whole frame, "" for nothing. What passes
// can be read without looking for a NUL that is not there.
func check(code byte, data []byte) (problem string) {
	switch code {
	case cmdNegotiate:
		return checkNegotiation(data)
	case cmdConnect:
		return checkConnect(data)
	case cmdHelo, cmdMail, cmdRcpt, cmdUnknown:
		if len(data) == 0 || data[len(data)-1] != 0 {
			return "no NUL at its end"
		}
	case cmdHeader:
		return checkHeader(data)
	case cmdMacro:
		return checkMacros(data)
	}
	return ""
}

func checkNegotiation(data []byte) string {
	if len(data) < 12 {
		return fmt.Sprintf("%d octets, fewer than 12", len(data))
	}
	// Version 1 had another negotiation; a later one than ours is answered
	// with ours.
	if v := binary.BigEndian.Uint32(data); v < 2 {
		return fmt.Sprintf("protocol version %d", v)
	}
	return ""
}

// checkHeader: a name and a value, each with its NUL.
func checkHeader(data []byte) string {
	n := bytes.IndexByte(data, 0)
	if n < 0 {
		return "no NUL after the name"
	}
	switch v := bytes.IndexByte(data[n+1:], 0); {
	case v < 0:
		return "no NUL after the value"
	case n+1+v+1 != len(data):
		return "more than a name and a value"
	}
	return ""
}

// checkMacros: a command letter, then names and values, each with its NUL.
func checkMacros(data []byte) string {
	if len(data) == 0 {
		return "no command letter"
	}
	data = data[1:]
	if len(data) == 0 {
		return ""
	}
	if data[len(data)-1] != 0 {
		return "no NUL at its end"
	}
	if bytes.Count(data, []byte{0})%2 != 0 {
		return "a name without a value"
	}
	return ""
}

// checkConnect: a name with its NUL, an address family and, but for the
// unknown one, a port and an address with its NUL.
func checkConnect(data []byte) string {
	n := bytes.IndexByte(data, 0)
	if n < 0 {
		return "no NUL after the host name"
	}
	rest := data[n+1:]
	if len(rest) == 0 {
		return "no address family"
	}
	family := rest[0]
	if family == 'U' {
		return ""
	}
	if family != 'L' && family != '4' && family != '6' {
		return fmt.Sprintf("address family %q", family)
	}
	if rest = rest[1:]; len(rest) < 3 {
		return "no port and address"
	}
	if rest[len(rest)-1] != 0 {
		return "no NUL after the address"
	}
	if family == 'L' {
		return ""
	}
	text := string(rest[2 : 2+bytes.IndexByte(rest[2:], 0)])
	if family == '4' {
		if addr, err := netip.ParseAddr(text); err != nil || !addr.Is4() {
			return fmt.Sprintf("IPv4 address %q", clip(text))
		}
	} else if addr, err := parseIPv6(text); err != nil || !addr.Is6() {
		return fmt.Sprintf("IPv6 address %q", clip(text))
	}
	return ""
}

// parseIPv6 takes an address as MTAs write it: with or without the prefix of
// RFC 5321 §4.1.3, brackets and a zone, which is dropped.
func parseIPv6(text string) (netip.Addr, error) {
	text = strings.TrimPrefix(text, "IPv6:")
	if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1]
	}
	addr, err := netip.ParseAddr(text)
	return addr.WithZone(""), err
}

// clip keeps what an MTA said short enough for a log line.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
