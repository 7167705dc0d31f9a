package milter

import (
	"math"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// unknownHost is the name of a client that has no verified one.
const unknownHost = "unknown"

// peer is the SMTP client as CONNECT tells it.
func peer(host, family string, port uint16, addr string) gate.Peer {
	p := gate.Peer{Host: host}
	// Postfix writes the address in brackets where there is no name.
	if host == "" || host[0] == '[' {
		p.Host = unknownHost
	}
	switch family {
	case "tcp4", "tcp6":
		if a, err := parseIPv6(addr); err == nil {
			p.Addr = a.Unmap()
		}
		// Mail of sendmail(1), through non_smtpd_milters, comes from port 0
		// of the loopback address. No connection does.
		p.Local = port == 0 && p.Addr.IsLoopback()
	case "unix":
		p.Local = true
	}
	// Family "unknown" is not local: a client whose address the MTA was not
	// told (XCLIENT) may be anybody.
	return p
}

// declaredSize is that of SIZE= among MAIL's parameters (RFC 1870 §6), -1
// where there is none.
func declaredSize(args string) int64 {
	for arg := range strings.FieldsSeq(args) {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || !strings.EqualFold(name, "SIZE") {
			continue
		}
		n, err := strconv.ParseUint(value, 10, 64) // 1*20DIGIT
		switch {
		case err != nil:
			return -1
		case n > math.MaxInt64:
			return math.MaxInt64
		}
		return int64(n)
	}
	return -1
}

// What ends a turn of ours, in the words of the protocol (SMFIR_…).
const (
	respAccept   = 'a'
	respContinue = 'c'
	respDiscard  = 'd'
	respTempFail = 't'
	respReply    = 'y'
)

// response is the packet that ends a turn; none has the code 0.
type response struct {
	code byte
	text []byte // of a reply
}

// refusal is the response of a refusal: lines each with both of their codes, percent
// signs doubled, because the MTA undoes that. The library writes such replies, too, and
// cuts the enhanced code of a line that ends where its buffer does.
func refusal(r gate.Reply) response {
	code := r.Code
	if code == 421 {
		// RFC 5321 §3.8: the MTA would have to hang up, and Postfix puts its
		// own text in place of ours.
		code = 451
	}
	text := make([]byte, 0, len(r.Text)+64)
	for rest, more := r.Text, true; more; {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		text = strconv.AppendInt(text, int64(code), 10)
		if more {
			text = append(text, '-')
		} else {
			text = append(text, ' ')
		}
		if r.Enhanced != "" {
			text = append(append(text, r.Enhanced...), ' ')
		}
		text = append(text, strings.ReplaceAll(line, "%", "%%")...)
		if more {
			text = append(text, "\r\n"...)
		}
	}
	return response{respReply, append(text, 0)}
}
