package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/foreign"
	"github.com/tollgate-mail/tollgate/rules/list"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// warnPattern warns of an expression that cannot match what the attribute has,
// or means something else than it seems to.
func (c *compiler) warnPattern(m *condition, source string, at Pos) {
	row := &catalogue[m.key.Attr]
	switch name := plainName(source); {
	case c.lists[name] != nil && name == source:
		c.warnf(at, "%s: %q is an expression here, and there is a list of that name; did you mean \"list:%s\"?", m.key, source, name)
	case foreign.NamesTable(source):
		c.warnf(at, "%s: %q is an expression here; those of a file are a list: x = { file = \"…\", type = \"regex\" } in [lists], and \"list:x\"", m.key, source)
	case foreign.LooksLikeList(source):
		c.warnf(at, "%s: %q is an expression; a list is written \"list:%s\", and what must not match stands in `unless`", m.key, source, foreign.ListIn(source))
	}
	if field := fieldNamed(m.key); field != "" && foreign.NamesField(source, field) {
		c.warnf(at, "%s: the value is without the field's name; leave %q away", m.key, field+":")
	}
	if (m.key.Attr == Subject || m.key.Attr == HeaderField) && strings.Contains(strings.ReplaceAll(source, `\`, ""), "=?") {
		c.warnf(at, "%s: encoded words are decoded before rules see them; raw_header has them as received", m.key)
	}
	if m.key.Attr == RawHeaderField && foreign.HighOctet(source) {
		c.warnf(at, `%s: \xNN is a letter of Unicode, never an octet: what is not UTF-8 matches \x{fffd}; header has the decoded text`, m.key)
	}
	c.warnLetters(m, source, at)
	if s := misplaced(m.key, source); s != "" {
		c.warnf(at, "%s: %s", m.key, s)
	}
	if row.Lower && foreign.NeedsUpper(source) {
		c.warnf(at, "%s: the value is in lower case, which capital letters after (?-i) never match", m.key)
	}
}

// plainName is the expression when it could be a name, else "".
func plainName(source string) string {
	if !strings.ContainsFunc(source, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return ""
	}
	for _, r := range source {
		if !isNameRune(unicode.ToLower(r)) {
			return ""
		}
	}
	return source
}

// fieldNamed is the name of the field whose value the attribute has.
func fieldNamed(k Key) string {
	switch {
	case k.Attr == Subject:
		return "Subject"
	case (k.Attr == HeaderField || k.Attr == RawHeaderField) && k.Name != anyField:
		return k.Name
	}
	return ""
}

// warnList warns of a list whose entries are compared with the whole of a text
// in which nobody writes an address alone.
func (c *compiler) warnList(m *condition, name string, l *list.List, at Pos) {
	free := m.key.Attr == Subject || m.key.Attr == RawHeaderField || m.key.Attr == HeaderField && (m.key.Name == anyField || m.key.Name == "Subject")
	if free && l.NamesOnly() {
		c.warnf(at, "%s: the entries of list %q are addresses and domains, compared with the whole value; words in a text are found by a list with type = \"word\"", m.key, name)
		return
	}
	if can, takes := findable(m.key); can != 0 && l.Len() > 0 && !l.HasClass(can) {
		c.warnf(at, "%s: nothing of list %q can be found there; it takes %s", m.key, name, takes)
	}
}

// warnNumbers warns of comparisons of which one always holds, and of octets that
// are counted exactly.
func (c *compiler) warnNumbers(m *condition, at Pos) {
	for _, cmp := range m.comparisons {
		if cmp.Operator == "=" && cmp.Bound > 0 && catalogue[m.key.Attr].unit() == number.Octets {
			c.warnf(at, "%s: hardly anything is of exactly so many octets; a comparison is written \"> 10 MiB\"", m.key)
		}
	}
	unit := int64(1000)
	if m.key.Attr == ModuleScore {
		unit = 1
	}
	least := int64(0)
	if catalogue[m.key.Attr].Signed {
		least = -1 << 50
	}
	points := []int64{least, 1 << 50}
	for _, cmp := range m.comparisons {
		whole := cmp.Bound - cmp.Bound%unit
		points = append(points, whole-unit, whole, whole+unit)
	}
	for _, n := range points {
		if n >= least && !slices.ContainsFunc(m.comparisons, func(cmp number.Comparison) bool { return cmp.Holds(n) }) {
			return
		}
	}
	if len(m.comparisons) > 1 {
		c.warnf(at, "%s: one of these comparisons always holds: an array means any of its values; a range is written %s.all = [...]", m.key, m.key)
	}
}

// white are the conditions of a rule by which mail gets past: those of an accept,
// and the exceptions of what is refused or weighs.
func (r *Rule) white() []*condition {
	switch {
	case r.Action == Accept:
		return append(leavesOf(r.test.match), leavesOf(r.test.any)...)
	case r.Action != Continue || r.Weight > 0:
		return leavesOf(r.test.unless)
	}
	return nil
}

// warnWhite warns of white lists that have more in them than was meant.
func (c *compiler) warnWhite(src *SourceRule, r *Rule) {
	at := keyPos(src.At, "action", src.Pos)
	for _, m := range r.white() {
		for _, p := range m.patterns {
			if !identity(m.key.Attr) || !unanchoredName(p.Source()) {
				continue
			}
			name := strings.Trim(strings.ReplaceAll(p.Source(), `\`, ""), "^@")
			c.warnf(m.pos.OrElse(at), "%s: %q is found anywhere in the value, %s.evil.example passes, too; write %s or a list with %s in it",
				m.key, p.Source(), name, anchored(name, m.key.Attr), name)
		}
		for _, p := range m.prefixes.All {
			if p.Bits() == 0 && r.Action == Accept {
				c.warnf(m.pos.OrElse(at), "%s: %s is every address: whoever connects is accepted", m.key, p)
			}
		}
	}
}

// identity tells attributes that say who somebody is.
func identity(a Attr) bool {
	switch a {
	case Sender, SenderDomain, ClientHost, HeloName, Recipient, RecipientDomain, AuthUser:
		return true
	}
	return false
}

func anchored(name string, a Attr) string {
	addressed := strings.Contains(name, "@")
	quoted := strings.ReplaceAll(name, ".", `\.`)
	switch {
	case addressed:
		return "'^" + quoted + "$'"
	case a == Sender || a == Recipient:
		return "'@" + quoted + "$'"
	}
	return `'(^|\.)` + quoted + "$'"
}

// comparison is what an expression looks like that was meant for a number.
var comparison = regexp.MustCompile(`^\s*[<>]=?\s*-?[0-9]+(\.[0-9]+)?\s*$`)

// misplaced tells of an expression that was meant for another attribute, or for the
// way in which others write a value; "" for none.
func misplaced(k Key, source string) string {
	switch k.Attr {
	case Sender, Recipient, Author:
		plain := strings.TrimSuffix(strings.TrimPrefix(source, "^"), "$")
		switch {
		case plain == "<>":
			return "the null sender is the empty text, '^$'"
		case strings.HasPrefix(plain, "<") || strings.HasSuffix(plain, ">"):
			return "addresses are without < and >"
		}
	case ClientHost, HeloName, SenderDomain, RecipientDomain, AuthorDomain:
		if _, _, err := list.ParsePrefix(source); err == nil && (strings.Contains(source, "/") || k.Attr == ClientHost) {
			return "a network is not looked for in a name; client_ip takes networks"
		}
	case AttachmentName:
		if len(source) > 1 && len(source) < 6 && source[0] == '.' && !strings.ContainsFunc(source[1:], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return fmt.Sprintf("the point stands for any character, and the name may go on; the ending is written '\\%s$'", source)
		}
		if foreign.BareEnding(source) {
			return fmt.Sprintf("it is found anywhere in the name; the ending is written '\\.%s$'", source)
		}
	}
	if k.Attr != HeaderField && k.Attr != RawHeaderField && k.Attr != Subject || !comparison.MatchString(source) {
		return ""
	}
	return fmt.Sprintf("%q is an expression: numbers in a text are not compared", source)
}

// unanchoredName tells an expression that ends in a domain name and goes on
// wherever the value does.
func unanchoredName(source string) bool {
	s := strings.ReplaceAll(source, `\.`, ".")
	dot := strings.LastIndexByte(s, '.')
	if dot < 1 || len(s)-dot < 3 {
		return false
	}
	for i, r := range s {
		if !isNameRune(unicode.ToLower(r)) && r != '@' && (r != '^' || i > 0) && r < 0x80 {
			return false
		}
	}
	return !strings.ContainsAny(s[dot+1:], "0123456789_-@")
}

// elsewhere says of an expression that does not compile what was meant, where the
// attribute tells; "" where it does not.
func elsewhere(k Key, source string) string {
	rest, star := strings.CutPrefix(source, "*.")
	switch {
	case k.Attr != AttachmentName || !star || plainName(rest) == "":
		return ""
	}
	return fmt.Sprintf("%q is no expression: the ending is written '\\.%s$', or \".%s\" in a list", source, rest, rest)
}

// closed are the values of a text that can have no others; nil where any may be.
func (c *compiler) closed(k Key) []string { return c.source.Words[k] }

// warnWords warns of an expression that is found in none of the values that there
// are.
func (c *compiler) warnWords(m *condition, source string, at Pos) {
	words := c.closed(m.key)
	if words == nil {
		return // of most attributes: and to parse is most of what an expression costs
	}
	parsed, err := c.cache.Parse(source)
	if err != nil {
		return
	}
	for _, w := range words {
		if parsed.Pattern.Match(w, Work()) {
			return
		}
	}
	c.noWord(m, fmt.Sprintf("%q", source), foreign.BareWord(source), words, at)
}

// warnListWords warns of a list in which none of the values stands.
func (c *compiler) warnListWords(m *condition, name string, l *list.List, at Pos) {
	words := c.closed(m.key)
	if words == nil || l.Len() == 0 || l.Built() {
		return
	}
	for _, w := range words {
		if l.HasText(w, Work()) {
			return
		}
	}
	first := ""
	for _, entry := range l.Entries() {
		first = entry
		break
	}
	c.noWord(m, fmt.Sprintf("list %q", name), first, words, at)
}

func (c *compiler) noWord(m *condition, what, like string, words []string, at Pos) {
	if near := diag.Nearest(like, words); near != "" {
		c.warnf(at, "%s: %s is none of the values that there are; did you mean %q?", m.key, what, near)
		return
	}
	c.warnf(at, "%s: %s is none of the values that there are: %s", m.key, what, strings.Join(words, ", "))
}

// warnEndings warns of endings without a point: those are whole names of files.
func (c *compiler) warnEndings(m *condition, name string, l *list.List, at Pos) {
	if m.key.Attr != AttachmentName || l.Kind() != list.Names || l.Built() {
		return
	}
	for class, entry := range l.Entries() {
		if class == list.Domains && foreign.BareEnding(entry) {
			c.warnf(at, "%s: %q of list %q is the whole name of a file; the ending is written \".%s\"", m.key, entry, name, entry)
			return
		}
	}
}

// badExpression is what is wrong with an expression, in the attribute's terms.
func badExpression(k Key, source string, err error) error {
	if s := elsewhere(k, source); err != nil && s != "" {
		return errors.New(s)
	}
	return err
}
