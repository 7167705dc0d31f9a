package mailauth

import (
	"strings"
	"unicode"

	"github.com/emersion/go-msgauth/authres"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/lexical"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// FieldName is that of the field that tells results (RFC 8601).
const FieldName = "Authentication-Results"

// Results are what is told of a message. An empty text was not asked for.
type Results struct {
	SPF        results.Auth
	SPFSender  string // the address or, for the null sender, "" and SPFHelo
	SPFHelo    string
	DKIM       results.Auth // with Signatures, when there are any
	Signatures []Signature
	DMARC      *Evaluation
}

// Value is the field's value, "" when there is nothing to tell. It begins with
// the gateway's name as authserv-id (RFC 8601 §2.5).
func (r Results) Value(gateway string) string {
	var all []authres.Result
	if r.SPF != "" {
		all = append(all, &authres.SPFResult{Value: authres.ResultValue(r.SPF), From: identity(r.SPFSender), Helo: domainOf(r.SPFHelo)})
	}
	switch {
	case r.DKIM == "":
	case len(r.Signatures) == 0:
		all = append(all, &authres.DKIMResult{Value: authres.ResultValue(r.DKIM)})
	default:
		for _, s := range r.Signatures {
			all = append(all, &authres.DKIMResult{Value: authres.ResultValue(s.Result), Reason: ascii(s.Reason), Domain: domainOf(s.Domain)})
		}
	}
	if r.DMARC != nil {
		all = append(all, &authres.DMARCResult{Value: authres.ResultValue(r.DMARC.Result), From: domainOf(r.DMARC.From)})
	}
	if len(all) == 0 {
		return ""
	}
	text := strings.ReplaceAll(authres.Format(gateway, all), " ;", ";")
	return fieldtext.Encode(FieldName, strings.TrimSpace(text))
}

// identity is an address as smtp.mailfrom has it (RFC 8601 §2.7.2): the domain in
// A-labels (RFC 8616 §4). A local part that is not ASCII is left out, which RFC
// 8601 §2.2 allows: who reads the field need not know RFC 6532.
func identity(sender string) string {
	local, domain := address.Split(sender)
	if domain == "" {
		return ascii(local)
	}
	if strings.IndexFunc(local, func(r rune) bool { return r > '~' }) >= 0 {
		return "@" + domainOf(domain)
	}
	return ascii(local) + "@" + domainOf(domain)
}

// domainOf is a domain in A-labels, as it came where it is ASCII.
func domainOf(domain string) string {
	if strings.IndexFunc(domain, func(r rune) bool { return r > '~' }) >= 0 {
		domain = address.FoldDomain(domain)
	}
	return ascii(domain)
}

// ascii is a text that can stand in a value: what cannot, or could begin an encoded
// word (RFC 2047), is an underscore.
// Senders choose what is in it.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\?`, r) {
			return '_'
		}
		return r
	}, s)
}

// IsOf tells whether the value of an Authentication-Results field says that it
// is from us, in any of the spellings of RFC 8601 §2.2: §5 has such fields of
// other hosts removed. Readers are more lenient than that, so that what only some
// of them would take for us is ours, too.
func IsOf(value, gateway string) bool {
	us := address.FoldDomain(gateway)
	if id, ok := bareID(value); ok {
		return address.FoldDomain(id) == us
	}
	id, ok := serverID(value)
	if ok {
		if strings.Contains(id, "=?") {
			id = fieldtext.Decode(nil, id, "")
		}
		if address.FoldDomain(strings.TrimSpace(id)) == us {
			return true
		}
	}
	return lenient(value, us)
}

// bareID is the authserv-id of a value that begins with a name and a semicolon, as
// nearly all do: there is nothing that readers could take for anything else.
func bareID(value string) (id string, ok bool) {
	s := strings.TrimLeft(value, whiteSpace)
	for i := 0; i < len(s) && i <= address.MaxDomain; i++ {
		switch c := s[i]; {
		case c == ';':
			return s[:i], i > 0
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-':
		default:
			return "", false
		}
	}
	return "", false
}

// mostLenient is how much of a value is looked at for what only lenient readers
// find, in octets: no name of a host is a tenth as long.
const mostLenient = 4096

// lenient looks for our id as readers may find it who decode words (RFC 2047)
// anywhere, drop quotes, comments that do not end and what nobody sees, and let
// white space stand around dots (RFC 5322 §4.4).
func lenient(value, us string) bool {
	value = value[:min(len(value), mostLenient)]
	decoded := fieldtext.Decode(nil, value, "")
	return within(value, us) || decoded != value && within(decoded, us)
}

// within tells whether the words at the beginning of a text, joined where a dot
// stands between, are our id. How many are folded hangs on our name, not on the text:
// each join has a dot more, and one with more dots than ours may have is another's. Of
// octets ours may have as many as a domain: what IDNA drops may stand in it.
func within(text, us string) bool {
	text = lexical.Blank(text)
	text, _, _ = strings.Cut(text, ";")
	text = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`"'\(`, r), unicode.Is(unicode.Cf, r), unicode.IsControl(r) && !unicode.IsSpace(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, text)
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '/' || r == '=' || r == ',' })
	dots := strings.Count(us, ".") // it may end in one more
	id := ""
	for i, next := range words {
		if i > 0 && !strings.HasSuffix(id, ".") && !strings.HasPrefix(next, ".") {
			return false
		}
		if len(id)+len(next) > address.MaxDomain {
			return false
		}
		id += next
		if strings.Count(id, ".") > dots+1 {
			return false
		}
		if address.FoldDomain(id) == us {
			return true
		}
	}
	return false
}

// whiteSpace is that of RFC 5322 §3.2.2, folds as Postfix shows them and others.
const whiteSpace = " \t\r\n"

// serverID is the authserv-id that a value begins with: a token or a quoted
// string (RFC 2045 §5.1), with comments around it.
func serverID(s string) (id string, ok bool) {
	s = strings.TrimLeft(s, whiteSpace)
	for strings.HasPrefix(s, "(") {
		n := lexical.Comment(s)
		if n == 0 {
			return "", false
		}
		s = strings.TrimLeft(s[n:], whiteSpace)
	}
	if !strings.HasPrefix(s, `"`) {
		if strings.HasPrefix(s, "=?") { // no token, but some decode it
			if i := strings.IndexAny(s, whiteSpace+";"); i >= 0 {
				s = s[:i]
			}
			return s, true
		}
		if i := strings.IndexAny(s, whiteSpace+`()<>@,;:\"/[]?=`); i >= 0 {
			s = s[:i]
		}
		return s, s != ""
	}
	id, _ = lexical.Unquote(s)
	if i := strings.IndexByte(id, ';'); i >= 0 { // not closed: who minds no quotes reads a token
		id = id[:i]
		if i := strings.IndexAny(id, whiteSpace+"("); i >= 0 {
			id = id[:i]
		}
	}
	return id, true
}
