package list

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// listBuilder gathers the entries of a list.
type listBuilder struct {
	list     *List
	to       *target // the file that is built; nil: the list has the entries
	cache    *expr.Cache
	required []expr.Required // of each pattern
	waiting  []parsed        // expressions that are parsed together
	room     []byte
}

var errNotUTF8 = errors.New("the entry is not UTF-8")

// errListFull is an error of all further entries too.
var errListFull = errors.New("the list is full")

// add reads one entry. The warning is "" when there is nothing to warn of.
func (b *listBuilder) add(s string) (warning string, err error) {
	switch b.list.kind {
	case Words:
		// Of another charset the letters would be no letters, or others: such an
		// entry matches nothing, or what nobody wrote.
		if !utf8.ValidString(s) {
			return "", errNotUTF8
		}
		if ok, err := b.list.words.add(s); !ok || err != nil {
			return "", orFull(err)
		}
		return "", nil
	case Expressions:
		return b.addPattern(s)
	}
	low, high, ranged, err := parseRange(s)
	switch {
	case err != nil:
		return "", err
	case ranged:
		for _, p := range cover(low, high) {
			if err := b.network(p); err != nil {
				return "", err
			}
		}
		b.list.size++
		return "", nil
	case !utf8.ValidString(s):
		return "", errNotUTF8
	case s == "":
		return "", errors.New("the entry is empty")
	case len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/':
		return b.addPattern(s[1 : len(s)-1])
	case s[0] == '/' && accessColumn(s) != "":
		return "", fmt.Errorf("the expression %s is not closed by a slash: a list has the first column of such a table alone, %s", s, accessColumn(s))
	case s[0] == '/':
		return "", fmt.Errorf("the expression %s is not closed by a slash", s)
	case address.MixesScripts(s):
		warning = fmt.Sprintf("%q: a name in it has letters of Latin and of another script that look alike", s)
	}
	var unlike error
	if looksLikePrefix(s) {
		bits, err := b.addPrefix(s)
		if err == nil {
			return bits, nil
		}
		unlike = err
	}
	if err := misread(s); err != nil {
		return "", err
	}
	if unlike != nil {
		return "", unlike
	}
	return warning, b.addName(s)
}

func orFull(err error) error {
	if err == nil {
		return errListFull
	}
	return err
}

func (b *listBuilder) addPrefix(s string) (warning string, err error) {
	p, exact, err := ParsePrefix(s)
	switch {
	case err != nil:
		return "", err
	case p.IsSingleIP():
		var room [64]byte
		return "", b.store(p.Addr().AppendTo(room[:0]))
	case !exact:
		warning = HostBits(s, p)
	}
	b.list.size++
	return warning, b.network(p)
}

func (b *listBuilder) network(p netip.Prefix) error {
	if b.to != nil {
		return b.to.network(p)
	}
	b.list.prefixes.Insert(p)
	return nil
}

func (b *listBuilder) addName(s string) error {
	at := strings.LastIndexByte(s, '@')
	local, domain := "", s
	if at >= 0 {
		local, domain = s[:at], s[at+1:]
	}
	if local == "" && domain == "" || at > 0 && !isLocalPart(local) {
		return notAnEntry(s)
	}
	if domain != "" || at < 0 {
		if err := checkDomain(domain, at < 0); err != nil {
			return err
		}
	}
	if at == 0 {
		s = domain
	}
	name, _ := appendName(b.room[:0], s)
	b.room = name
	return b.store(name)
}

// tooLong is the error of an entry that is longer than anything it could be.
func tooLong(entry []byte) error {
	if len(entry) <= maxName {
		return nil
	}
	return fmt.Errorf("the entry has %d octets as it is compared; at most %d are possible", len(entry), maxName)
}

func (b *listBuilder) store(name []byte) error {
	if err := tooLong(name); err != nil {
		return err
	}
	if b.to != nil {
		return b.to.name(name)
	}
	if !b.list.names.add(name) {
		return errListFull
	}
	return nil
}

// finish returns the list when all entries are in.
func (b *listBuilder) finish() *List {
	if len(b.required) > 0 {
		b.list.index = expr.NewIndex(b.required)
	}
	return b.list
}

func notAnEntry(s string) error {
	return fmt.Errorf("%.200q is none of user@domain, user@, @domain, domain, .domain, an address, a prefix, /regex/", s)
}

// looksLikePrefix tells addresses and prefixes from names: by a slash, two
// colons, or four numbers.
func looksLikePrefix(s string) bool {
	if strings.Contains(s, "@") {
		return false
	}
	return strings.Contains(s, "/") || strings.Contains(s, ":") && !strings.HasPrefix(s, "[") ||
		strings.Count(s, ".") == 3 && strings.Trim(s, "0123456789.") == ""
}

// isLocalPart allows what stands before an @ in practice: an atom or quoted
// string (RFC 5321 §4.1.2), without the control characters and unquoted spaces
// that show a line to be something else.
func isLocalPart(s string) bool {
	quoted := len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"'
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == ' ' && !quoted || strings.ContainsRune("<>(),;:[]\\@", r) && !quoted {
			return false
		}
	}
	return len(s) <= maxLocal
}

// Lengths in octets (RFC 5321 §4.5.3.1.1 has 64; longer ones are in use;
// RFC 1035 §2.3.4).
const (
	maxLocal  = 255
	maxDomain = 253
	maxLabel  = 63
)

// checkDomain checks a domain or host name, or an address literal. A leading
// dot is for subdomains, where there is no local part.
func checkDomain(s string, dotted bool) error {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		if _, ok := literalAddr(s); ok {
			return nil
		}
		return fmt.Errorf("%q is not an address literal", s)
	}
	name := strings.TrimSuffix(s, ".")
	if dotted {
		name = strings.TrimPrefix(name, ".")
	}
	ascii := name
	if !isASCII(name) || strings.Contains(strings.ToLower(name), "xn--") {
		var err error
		if ascii, err = address.ToASCII(name); err != nil || ascii == "" {
			return fmt.Errorf("%q is not a domain name: %w", s, orEmpty(err))
		}
	}
	start := 0
	for i := 0; i <= len(ascii); i++ {
		if i < len(ascii) && ascii[i] != '.' {
			if !isHostByte(ascii[i]) {
				return notAnEntry(s)
			}
			continue
		}
		if i == start || i-start > maxLabel {
			return notAnEntry(s)
		}
		start = i + 1
	}
	if len(ascii) > maxDomain {
		return notAnEntry(s)
	}
	return nil
}

func isHostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func orEmpty(err error) error {
	if err == nil {
		return errors.New("nothing is left of it")
	}
	return err
}
