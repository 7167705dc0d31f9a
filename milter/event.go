package milter

import (
	"math"
	"strconv"
	"strings"

	gomilter "github.com/d--j/go-milter"

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

// response makes the response of a refusal: several lines each with
// their codes, percent signs doubled, because the MTA undoes that.
func response(r gate.Reply) (*gomilter.Response, error) {
	code := r.Code
	if code == 421 {
		// RFC 5321 §3.8: the MTA would have to hang up, and Postfix puts its
		// own text in place of ours.
		code = 451
	}
	text := r.Text
	if r.Enhanced != "" {
		text = r.Enhanced + " " + text
	}
	return gomilter.RejectWithCodeAndReason(uint16(code), text)
}
