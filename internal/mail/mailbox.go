package mail

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/lexical"
)

// Mailbox is one of an address field (RFC 5322 §3.4).
type Mailbox struct {
	// Name is the raw display name, or the comment that stands for one: decode
	// it with Decode or Readings. "" where there is none.
	Name string
	// Address has no comments, white space or route around it, and no dot of
	// the root: local part, @, domain.
	Address string
	// Domain is lower case, in A-labels; "" where the address has none.
	Domain string
}

// IsAddressField tells whether a field of that name is a list of mailboxes (RFC
// 5322 §3.6.2, §3.6.3, §3.6.6).
func IsAddressField(name string) bool {
	if len(name) > len("resent-") && strings.EqualFold(name[:len("resent-")], "resent-") {
		name = name[len("resent-"):]
	}
	for _, one := range []string{"from", "sender", "reply-to", "to", "cc", "bcc"} {
		if strings.EqualFold(name, one) {
			return true
		}
	}
	return false
}

// ParseMailboxes reads the raw value of an address field, before its words are
// decoded: what an encoded-word, quotes or a comment hold is no address beside one
// that stands outside of them. Where none does, programs show what is within as if it
// were one, and so it is read.
// What is not written as RFC 5322 has it is read as mail programs do; of a text
// that has no address there is no mailbox. Time is linear in the length of raw, and
// charged; a list that a spent budget has cut is not to be used.
func ParseMailboxes(b *budget.Budget, raw string) []Mailbox {
	s := fieldtext.Unfold(raw)
	list := parseMailboxes(b, s)
	if len(list) == 0 && (strings.Contains(s, "=?") || strings.IndexByte(s, '"') >= 0) && b.Charge(len(s)) == nil {
		within := strings.ReplaceAll(fieldtext.Printable(fieldtext.DecodeAll(b, s, "")), `"`, " ")
		list = parseMailboxes(b, within)
	}
	return list
}

func parseMailboxes(b *budget.Budget, s string) []Mailbox {
	p := mailboxes{budget: b}
	for _, item := range lex(b, s) {
		if b.Charge(1+len(item.text)) != nil {
			break
		}
		p.take(item)
	}
	p.end()
	return p.list
}

// mailboxes gathers a list.
type mailboxes struct {
	budget *budget.Budget
	list   []Mailbox

	name    strings.Builder // what stands before an angle bracket, or is the address
	at      bool            // an at sign stands in it
	bareAt  bool            // and not in quotes
	comment string          // the first
	angled  bool            // a mailbox of this entry is in the list
}

func (p *mailboxes) take(one item) {
	switch one.kind {
	case itemText, itemQuoted:
		p.name.WriteString(one.text)
		p.at = p.at || strings.Contains(one.text, "@")
		p.bareAt = p.bareAt || one.kind == itemText && strings.Contains(one.text, "@")
	case itemComment:
		if p.comment == "" {
			p.comment = one.text
		}
		p.name.WriteByte(' ')
	case itemAngle:
		name := strings.TrimSpace(p.name.String())
		if name == "" {
			name = strings.TrimSpace(p.comment)
		}
		if p.add(name, one.text) {
			p.angled = true
			p.name.Reset()
			p.at, p.bareAt = false, false
		}
	case itemEnd:
		if p.angled || p.at || p.name.Len() == 0 {
			p.end()
			return
		}
		p.name.WriteString(",") // of a name that should stand in quotes
	case itemColon:
		// The name of a group, or of a scheme. What stands in quotes is a name,
		// whatever it looks like; after an address in angle brackets that should be
		// one, another begins (some read a group there, some the address).
		switch {
		case p.angled:
			p.end()
		case !p.bareAt:
			p.name.Reset()
			p.at = false
		default:
			p.name.WriteByte(':')
		}
	}
}

// end ends an entry: an address that is in no angle brackets stands in its
// text.
func (p *mailboxes) end() {
	if !p.at {
		p.name.Reset()
	}
	text := strings.TrimSpace(p.name.String())
	if !p.angled && text != "" {
		p.bare(text)
	}
	p.name.Reset()
	p.comment, p.angled, p.at, p.bareAt = "", false, false, false
}

// bare finds the address in a text: all of it, or its words with an at sign.
func (p *mailboxes) bare(text string) {
	if n := lexical.Quoted(text); n > 0 && n < len(text) && text[n] == '@' {
		p.add(p.comment, text)
		return
	}
	if strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		return // a name alone
	}
	// RFC 5322 §4.4: white space around the at sign and the dots.
	parts := strings.FieldsFunc(text, blankRune)
	for i := 0; i < len(parts); i++ {
		word := parts[i]
		for i+1 < len(parts) && len(word) < maxQuoted && (strings.HasSuffix(word, "@") || strings.HasSuffix(word, ".") && strings.Contains(word, "@") || parts[i+1][0] == '@' || parts[i+1][0] == '.' && strings.Contains(word, "@")) {
			i++
			word += parts[i]
		}
		if strings.Contains(word, "@") {
			p.add(p.comment, word)
		}
	}
}

func blankRune(r rune) bool { return r == ' ' || r == '\t' }

// add adds the mailbox of an address, if it is one.
func (p *mailboxes) add(name, text string) bool {
	if p.budget.Charge(maxAgain+len(text)) != nil {
		return false
	}
	text = lexical.Uncomment(text)
	if strings.IndexByte(text, '"') < 0 {
		text = strings.Map(func(r rune) rune {
			if blankRune(r) {
				return -1
			}
			return r
		}, text)
	}
	text = strings.TrimSpace(text)
	// RFC 5322 §4.4: a route.
	for strings.HasPrefix(text, "@") {
		colon := strings.IndexByte(text, ':')
		if colon < 0 {
			break
		}
		text = text[colon+1:]
	}
	text = strings.TrimLeft(text, "[{")
	if len(text) > len("mailto:") && strings.EqualFold(text[:len("mailto:")], "mailto:") {
		text = text[len("mailto:"):]
	}
	if strings.Contains(text, "=?") {
		text = strings.TrimSpace(fieldtext.Decode(p.budget, text, "")) // RFC 2047 §5 forbids it; programs show it
	}
	text = strings.Trim(text, "'`,;")
	at := strings.LastIndexByte(text, '@')
	if at < lexical.Quoted(text) {
		return false
	}
	local, domain := text[:at], strings.TrimSpace(text[at+1:])
	domain = address.Rootless(cutDomain(domain))
	if local == "" || domain == "" {
		return false
	}
	m := Mailbox{Name: name, Address: local + "@" + domain}
	if len(domain) > address.MaxDomain {
		domain = fieldtext.Visible(domain) // with enough of what nobody sees, every domain is too long for IDNA
	}
	m.Domain = address.FoldDomain(domain)
	if !slices.Contains(p.list[max(0, len(p.list)-maxAgain):], m) {
		p.list = append(p.list, m)
	}
	return true
}

// cutDomain is a domain, or a domain literal (RFC 5321 §4.1.3), without what no
// domain has and what follows that.
func cutDomain(s string) string {
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return s[:end+1]
		}
	}
	i := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("<>()[]{}\",;:?/\\|＜＞", r)
	})
	if i >= 0 {
		return s[:i]
	}
	return s
}

// maxAgain is among how many mailboxes a repetition is looked for.
const maxAgain = 16

// DisplayName is a display name as it is shown: without quotes, decoded.
func (m Mailbox) DisplayName(b *budget.Budget, fallbackCharset string) []string {
	if m.Name == "" {
		return nil
	}
	var name strings.Builder
	for _, one := range lex(b, fieldtext.Unfold(m.Name)) {
		if one.kind == itemQuoted {
			one.text = unquote(one.text)
		}
		name.WriteString(one.text)
		switch one.kind {
		case itemEnd:
			name.WriteByte(',')
		case itemColon:
			name.WriteByte(':')
		}
	}
	all := fieldtext.Readings(b, name.String(), fallbackCharset)
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// unquote is the content of a quoted string (RFC 5322 §3.2.4).
func unquote(s string) string {
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
