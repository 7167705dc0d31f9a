package text

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// named is a domain and nothing else.
var named = regexp.MustCompile(`(?i)^(?:[\p{L}\p{N}-]+\.)+(?:\p{L}{2,24}|xn--[a-z0-9-]+)$`)

// textURLs takes the addresses in a text: what begins with a scheme of the web or
// with "www.", or is the name of a host and a path of it.
func (in *inspection) textURLs(text string) error {
	if err := in.budget.Charge(len(text)); err != nil {
		return err
	}
	for at := 0; ; {
		from := lead(text, at)
		if from == len(text) {
			return nil
		}
		least := at
		at = from + 1
		switch {
		case text[from] == ':':
			for from > least && at-from < longestScheme && (isLetter(text[from-1]) || isDigit(text[from-1]) || text[from-1] == '-') {
				from--
			}
			if at-from == longestScheme { // it may be behind another word
				from = at - 1 - max(len(suffixOf(text[from:at-1], "http")), len(suffixOf(text[from:at-1], "https")))
			}
		case text[from] == '/':
			n := hostBefore(text[:from])
			if err := in.budget.Charge(1 + n/perStep); err != nil {
				return err
			}
			if from -= n; n == 0 {
				continue
			}
		case len(text)-from > 4 && (from == 0 || !isLetter(text[from-1]) && text[from-1] != '.' && text[from-1] != '/'):
		default:
			continue
		}
		end := len(text)
		if i := strings.IndexFunc(text[from:], endsURL); i >= 0 {
			end = from + i
		}
		if err := in.budget.Charge(1 + (end-from)/perStep); err != nil {
			return err
		}
		in.add(strings.TrimRight(text[from:end], ".,;:!?)]}»”’…"))
		at = max(at, end)
	}
}

// lead is where something stands, from a place on, that an address may begin at or
// before: a slash, "://" or "www.".
func lead(text string, at int) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case '/':
			return at
		case ':':
			if strings.HasPrefix(text[at:], "://") {
				return at
			}
		case 'w', 'W':
			if beginsWith(text[at:], "www.") {
				return at
			}
		}
	}
	return at
}

// suffixOf is a word in lower case as a text ends with it, "" where it does not.
func suffixOf(text, word string) string {
	if end := text[max(len(text)-len(word), 0):]; beginsWith(end, word) {
		return end
	}
	return ""
}

// longestScheme is how many octets of one are looked at.
const longestScheme = 24

// hostBefore is how many octets of the name of a host in the public DNS a text ends
// with: programs make a link of one with a path behind it.
func hostBefore(text string) int {
	const longest = 253 // RFC 1035 §2.3.4
	from := len(text)
	for from > 0 && len(text)-from <= longest {
		if c := text[from-1]; !isLetter(c) && !isDigit(c) && c != '-' && c != '.' && c < 0x80 {
			break
		}
		from--
	}
	if from > 0 && strings.IndexByte("/@:=&?#%_", text[from-1]) >= 0 || !isPublic(text[from:]) {
		return 0
	}
	return len(text) - from
}

// isPublic tells whether a text is a name below a domain that ICANN has given.
func isPublic(text string) bool {
	if strings.IndexByte(text, '.') <= 0 || !named.MatchString(text) {
		return false
	}
	_, known := publicsuffix.PublicSuffix(address.FoldDomain(text))
	return known
}

// isDomain tells whether words that are nothing else name a domain: one of the public DNS,
// or for examples (RFC 6761 §6), and not a file. Where an extension is a domain of the
// top, too, that of a country with many names is none of a file.
func isDomain(words string) bool {
	if !named.MatchString(words) {
		return false
	}
	before, last := words[:strings.LastIndexByte(words, '.')], strings.ToLower(words[strings.LastIndexByte(words, '.')+1:])
	switch last {
	case "example", "test", "invalid":
		return true
	case "zip", "mov", "md", "py", "sh", "cab", "docs", "foo", "map", "bin", "dat":
		return strings.IndexByte(before, '.') >= 0 && isPublic(words)
	}
	return isPublic(words)
}

// perStep is how many octets of an address are looked at in a step.
const perStep = 16

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// endsURL tells what is no part of an address in a text.
func endsURL(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"'`", r) }

// add takes an address.
func (in *inspection) add(text string) {
	text = canonical(text)
	host := hostOf(text)
	if host == "" {
		scheme := schemeOf(text)
		switch {
		case ignored(scheme):
			return
		case scheme != "": // of a program, which may be told of a host
			host = hostWithin(text[len(scheme)+1:])
		default:
			if host = bareHost(text); host == "" {
				return
			}
		}
	}
	if len(text) > maxURL {
		text = strings.ToValidUTF8(text[:maxURL], "")
	}
	in.gather(&in.urls, maxURLs, text)
	if host == "" {
		return
	}
	in.gather(&in.domains, maxDomains, host)
	if ip := numbered(host); ip != "" {
		in.gather(&in.domains, maxDomains, ip)
	}
}

// addresses are those of a message, each once.
type addresses struct {
	all  []string
	seen map[string]struct{}
}

// gather adds a text to a list of no more than so many.
func (in *inspection) gather(list *addresses, most int, text string) {
	const few = 8 // are looked through one by one
	if len(list.all) <= few && slices.Contains(list.all, text) {
		return
	}
	if _, ok := list.seen[text]; ok {
		return
	}
	if len(list.all) >= most {
		in.found(SymbolLimit)
		return
	}
	if list.all = append(list.all, text); len(list.all) <= few {
		return
	}
	if list.seen == nil {
		list.seen = make(map[string]struct{}, 4*few)
		for _, other := range list.all {
			list.seen[other] = struct{}{}
		}
	}
	list.seen[text] = struct{}{}
}

// hostOf is the host of an address of the web, "" when it is none. Most of what is
// asked about is plain: each step is taken only where there is something for it.
func hostOf(text string) string {
	text = canonical(text[:min(len(text), maxURL)])
	switch {
	case beginsWith(text, "http:"), beginsWith(text, "https:"), beginsWith(text, "ftp:"), beginsWith(text, "file:"):
		_, text, _ = strings.Cut(text, ":")
	case strings.HasPrefix(text, "//"), beginsWith(text, "www."):
	default:
		return ""
	}
	text = strings.TrimLeft(text, "/")
	for i := range len(text) {
		if c := text[i]; c == '/' || c == '?' || c == '#' {
			text = text[:i]
			break
		}
	}
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		text = text[i+1:]
	}
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		text = text[:i]
	}
	if strings.IndexByte(text, '%') >= 0 {
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
	}
	return strings.TrimRight(address.FoldDomain(strings.Trim(text, "[]")), ".")
}

// beginsWith tells whether a text begins with an ASCII word in lower case, in any case.
func beginsWith(text, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if c := text[i]; c != word[i] && (!isLetter(c) || c|0x20 != word[i]) {
			return false
		}
	}
	return true
}
