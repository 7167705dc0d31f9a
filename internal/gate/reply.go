package gate

import (
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/rules"
)

const (
	// maxReplyLine is the text of one reply line: 510 octets (RFC 5321
	// §4.5.3.1.5 has 512 with CRLF) less "550-5.7.1 " with three-digit parts.
	maxReplyLine = 510 - len("550-5.777.777 ")
	// maxReplyText bounds the whole text; outside text may be any length.
	maxReplyText = 4 * maxReplyLine
	// maxReplyValue bounds what one placeholder puts into a reply.
	maxReplyValue = 256
)

// reply makes a clean reply of a template. value answers placeholders; ref is
// appended where the text does not name it.
func reply(r *rules.Reply, ref string, value func(string) string) Reply {
	text := clean(r.Text.Expand(func(name string) string {
		v := clean(asciiAddress(value(name)))
		if len(v) > maxReplyValue {
			v = v[:maxReplyValue]
		}
		return v
	}))
	text = breakLines(text[:min(len(text), maxReplyText)])
	if !r.Text.Uses("ref") {
		// The reference stays in one piece: people copy it from a bounce.
		tail := "(ref " + ref + ")"
		sep := " "
		if last := text[strings.LastIndexByte(text, '\n')+1:]; len(last)+len(sep)+len(tail) > maxReplyLine {
			sep = "\n"
		}
		text += sep + tail
	}
	return Reply{Code: r.Code, Enhanced: r.Enhanced, Text: text}
}

// asciiAddress has the domain of an address, or a domain, in A-labels, and a local
// part that is not ASCII as RFC 6533 §3 writes it: a reply is ASCII (RFC 5321
// §4.2), question marks name nobody, and similar letters somebody else.
func asciiAddress(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0 || strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	local, domain := address.Split(s)
	switch {
	case domain != "":
		return escape(local) + "@" + address.FoldDomain(domain)
	case strings.Contains(s, "."):
		return address.FoldDomain(s)
	}
	return s
}

// escape writes what is not ASCII by its number, as \x{438}.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > '~' {
			fmt.Fprintf(&b, `\x{%X}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// clean makes a text fit for an SMTP reply: printable ASCII only (RFC 5321
// §4.2 textstring), so that outside text can neither end the line nor begin
// another reply. Any other character is a question mark.
func clean(s string) string {
	ok := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r == '\t', r == '\n':
			b.WriteByte(' ')
		case r < ' ', r == 0x7f:
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// breakLines divides a text into lines of at most maxReplyLine, at spaces
// where there are any.
func breakLines(s string) string {
	if len(s) <= maxReplyLine {
		return s
	}
	var b strings.Builder
	for len(s) > maxReplyLine {
		cut := strings.LastIndexByte(s[:maxReplyLine+1], ' ')
		if cut <= 0 {
			cut = maxReplyLine
		}
		b.WriteString(strings.TrimRight(s[:cut], " "))
		b.WriteByte('\n')
		s = strings.TrimLeft(s[cut:], " ")
	}
	b.WriteString(s)
	return b.String()
}

// String is the reply as one line, for journals.
func (r Reply) String() string {
	if r.Code == 0 {
		return ""
	}
	code := [...]byte{byte('0' + r.Code/100), byte('0' + r.Code/10%10), byte('0' + r.Code%10), ' '}
	s := string(code[:])
	if r.Enhanced != "" {
		s += r.Enhanced + " "
	}
	return s + strings.ReplaceAll(r.Text, "\n", " ")
}

// verdict is the class of a reply's code.
func (r Reply) verdict() Verdict {
	if r.Code >= 500 {
		return Rejected
	}
	return Deferred
}
