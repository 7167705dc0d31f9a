package mail

import (
	"net/netip"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// TraceIPs are the addresses in Received fields and X-Originating-IP, nearest
// hop first, without repeats. IPv4-mapped ones are as they were written. What is
// read is charged.
func (h Header) TraceIPs(b *budget.Budget) []netip.Addr {
	t := trace{budget: b, seen: make(map[netip.Addr]bool)}
	for _, f := range h {
		if f.Named("Received") {
			t.collect(fieldtext.Unfold(f.Value))
		}
	}
	for _, f := range h {
		if f.Named("X-Originating-IP") {
			t.collect(fieldtext.Unfold(f.Value))
		}
	}
	return t.ips
}

type trace struct {
	budget *budget.Budget
	ips    []netip.Addr
	seen   map[netip.Addr]bool
}

func (t *trace) collect(s string) {
	var c clause
	if t.budget.Charge(1+len(s)) != nil {
		return
	}
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && addrByte(s[j]) {
			j++
		}
		if run := s[i:j]; strings.ContainsAny(run, ".:") {
			t.token(run, s[:i], s[j:], &c)
			for i = j; i < len(s) && nameByte(s[i]); i++ {
				// the rest of a name that the run is part of
			}
			continue
		}
		i += c.next(s[i:])
	}
}

// clause is where in a Received field one is (RFC 5321 §4.4): which word began
// it, and how deep in comments.
type clause struct {
	word  string // lower case: from, by, via, with, id, for
	depth int
}

// next takes a word, or an octet that is none, and returns its length.
func (c *clause) next(s string) int {
	n := 0
	for n < len(s) && nameByte(s[n]) {
		n++
	}
	if n == 0 {
		switch s[0] {
		case '(':
			c.depth++
		case ')':
			c.depth = max(c.depth-1, 0)
		}
		return 1
	}
	if c.depth == 0 && n <= len("from") && (n == len(s) || strings.IndexByte(" \t", s[n]) >= 0) {
		switch word := strings.ToLower(s[:n]); word {
		case "from", "by", "via", "with", "id", "for":
			c.word = word
		}
	}
	return n
}

// token adds a run of the octets that addresses consist of, if it is one and
// stands by itself.
func (t *trace) token(tok, before, after string, c *clause) {
	const looked = 64 // octets of the word before
	if n := len(tok); n < len("::1") || n > 64 || !likely(tok) || t.budget.Charge(looked) != nil {
		return
	}
	// "IPv6:2001:db8::1" (RFC 5321 §4.1.3) is a word before a colon: the 6 and
	// what is before it have been passed over by now.
	if word := lastWord(before); len(tok) > 0 && tok[0] == ':' && (strings.EqualFold(word, "IPv6") || strings.EqualFold(word, "IPv4")) {
		tok, before = tok[1:], before[:len(before)-len(word)]
	}
	// "ip:2001:db8::1", "version:1.2.3.4": likewise.
	if tok[0] == ':' && !strings.HasPrefix(tok, "::") {
		switch word := strings.ToLower(lastWord(before)); {
		case counts(word):
			return
		case word == "ip", word == "ip6", word == "addr", word == "address", word == "client", word == "host", word == "peer":
			tok = tok[1:]
		}
	}
	a, ok := readAddr(tok)
	if !ok || after != "" && nameByte(after[0]) {
		return
	}
	if !version(before, after, c) && !a.IsUnspecified() && !t.seen[a] {
		t.seen[a] = true
		t.ips = append(t.ips, a)
	}
}

// likely tells a token that may be an address from times and pieces of names,
// of which a Received field is full.
func likely(tok string) bool {
	return strings.Count(tok, ".") >= 3 || strings.Contains(tok, "::") || strings.Count(tok, ":") >= 7
}

// readAddr reads an address that a sentence's dot or colon, or a port may
// follow, and a colon may precede.
func readAddr(tok string) (netip.Addr, bool) {
	tok = strings.TrimRight(tok, ".")
	if a, err := netip.ParseAddr(tok); err == nil {
		return a, true
	}
	if p, err := netip.ParseAddrPort(tok); err == nil {
		return p.Addr(), true
	}
	if a, err := netip.ParseAddr(strings.TrimRight(tok, ":")); err == nil {
		return a, true
	}
	if strings.Count(tok, ".") != 3 {
		return netip.Addr{}, false
	}
	// What is written with zeros in front is decimal all the same; what stands
	// before it, as in "ip:192.0.2.1", is a word.
	for _, part := range strings.Split(tok, ":") {
		if a, ok := readQuad(part); ok {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// readQuad reads four decimal numbers with any zeros in front of them.
func readQuad(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return netip.Addr{}, false
	}
	var quad [4]byte
	for i, p := range parts {
		if len(p) == 0 || len(p) > 3 {
			return netip.Addr{}, false
		}
		n := 0
		for j := range len(p) {
			if p[j] < '0' || p[j] > '9' {
				return netip.Addr{}, false
			}
			n = n*10 + int(p[j]-'0')
		}
		if n > 255 {
			return netip.Addr{}, false
		}
		quad[i] = byte(n)
	}
	return netip.AddrFrom4(quad), true
}

func addrByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == ':' || c == '.'
}

// version tells whether a dotted quad counts releases: beside a slash, as in
// (8.17.1.5/8.17.1.5) and Haraka/3.0.1.2; after the word "id", where Exchange
// puts its own; after words that say so; after the name of a program, which
// stands with who received, not with who sent.
func version(before, after string, c *clause) bool {
	if strings.HasPrefix(after, "/") && len(after) > 1 && after[1] >= '0' && after[1] <= '9' {
		return true
	}
	if b, ok := strings.CutSuffix(before, "/"); ok && b != "" && nameByte(b[len(b)-1]) {
		return true
	}
	if b, ok := strings.CutSuffix(before, "="); ok && counts(lastWord(b)) {
		return true
	}
	word := lastWord(strings.TrimRight(before, " \t"))
	if spaced := strings.HasSuffix(before, " ") || strings.HasSuffix(before, "\t"); spaced {
		if counts(word) {
			return true
		}
		switch strings.ToLower(word) {
		case "from", "by", "via", "for", "helo", "ehlo", "ip", "addr", "address", "client", "host", "unknown", "relay", "peer", "lhlo", "":
			return false
		}
		return c.word != "from" && c.word != "via" && c.word != "" && strings.Trim(word, "0123456789.") != ""
	}
	// SMTPSVC(8.5.96.84): nothing between a word and the parenthesis.
	if b, ok := strings.CutSuffix(before, "("); ok {
		word := lastWord(b)
		return word != "" && (c.word == "with" || c.word == "by") && !strings.HasSuffix(strings.TrimSuffix(b, word), ".")
	}
	return false
}

// counts tells a word that versions follow.
func counts(word string) bool {
	switch strings.ToLower(word) {
	case "id", "version", "ver", "v", "release", "build", "rev", "revision", "oid", "vers":
		return true
	}
	return false
}

// lastWord is the word that s ends with, "" when it ends with something else.
func lastWord(s string) string {
	i := len(s)
	for i > 0 && len(s)-i < 64 && nameByte(s[i-1]) {
		i--
	}
	return s[i:]
}

func nameByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c >= 0x80
}
