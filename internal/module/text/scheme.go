package text

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// canonical is an address as browsers read it (WHATWG URL §4.4): without the ends
// of lines in it, and with slashes for backslashes before a query.
func canonical(text string) string {
	if isCanonical(text) {
		return text
	}
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(text, "\t\n\r") {
		text = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(text)
	}
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	end := len(text)
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		end = i
	}
	return strings.ReplaceAll(text[:end], `\`, "/") + text[end:]
}

// isCanonical tells of most addresses that there is nothing to do.
func isCanonical(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == '\\' {
			return false
		}
	}
	return true
}

// schemeOf is the scheme that an address begins with (RFC 3986 §3.1), "" where there
// is none.
func schemeOf(text string) string {
	for i := range min(len(text), longestScheme+1) {
		switch c := text[i]; {
		case c == ':' && i > 1: // a single letter is a drive
			return text[:i]
		case isLetter(c), i > 0 && (isDigit(c) || c == '-' || c == '+' || c == '.'):
			continue
		}
		break
	}
	return ""
}

// ignored are schemes of what is in the message, or of whom to write or to call.
func ignored(scheme string) bool {
	return slices.ContainsFunc([]string{"mailto", "cid", "mid", "tel", "sms", "about", "xmpp", "sip", "callto"}, func(s string) bool { return strings.EqualFold(s, scheme) })
}

// hostWithin is the host that an address of a program speaks of.
func hostWithin(text string) string {
	const turns = 4 // of each
	text = text[:min(len(text), maxURL)]
	for _, begins := range []string{"https:", "http:", "//"} {
		at := 0
		for range turns {
			i := strings.Index(text[at:], begins)
			if i < 0 {
				break
			}
			if host := hostOf(text[at+i:]); host != "" {
				return strings.TrimRight(host, `'"&),;`)
			}
			at += i + len(begins)
		}
	}
	return ""
}

// bareHost is the host of an address that has no scheme: that of a page beside none.
func bareHost(text string) string {
	if i := strings.IndexAny(text, "/?#:"); i >= 0 {
		text = text[:i]
	}
	if len(text) > maxURL || !isPublic(text) {
		return ""
	}
	return hostOf("//" + text)
}

// numbered is the address that a number stands for, or several of any base (WHATWG URL
// §3.5); "" of names, and of an address that is written as usual.
func numbered(host string) string {
	if strings.IndexByte(host, ':') >= 0 {
		if ip, err := netip.ParseAddr(host); err == nil && ip.String() != host {
			return ip.String()
		}
		return ""
	}
	if host == "" || !isDigit(host[0]) {
		return ""
	}
	fields := strings.Split(host, ".")
	if len(fields) > 4 {
		return ""
	}
	var value uint64
	for i, field := range fields {
		most := uint64(0xff)
		if i == len(fields)-1 {
			most = 1<<(8*(5-len(fields))) - 1
		}
		n, ok := numberOf(field)
		if !ok || n > most {
			return ""
		}
		if i < len(fields)-1 {
			value |= n << (8 * (3 - i))
		} else {
			value |= n
		}
	}
	ip := netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}).String() //nolint:gosec // it is below 1<<32
	if ip == host {
		return ""
	}
	return ip
}

// numberOf is a number of base ten, of eight behind a zero, of sixteen behind 0x.
func numberOf(field string) (uint64, bool) {
	base := 10
	switch {
	case beginsWith(field, "0x"):
		if field, base = field[2:], 16; field == "" {
			return 0, true
		}
	case len(field) > 1 && field[0] == '0':
		field, base = field[1:], 8
	}
	n, err := strconv.ParseUint(field, base, 32)
	return n, err == nil
}
