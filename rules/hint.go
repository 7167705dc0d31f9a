package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

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
	case looksLikeList(source):
		c.warnf(at, "%s: %q is an expression; a list is written \"list:%s\", and what must not match stands in `unless`", m.key, source, listIn(source))
	}
	if field := fieldNamed(m.key); field != "" && namesField(source, field) {
		c.warnf(at, "%s: the value is without the field's name; leave %q away", m.key, field+":")
	}
	if (m.key.Attr == Subject || m.key.Attr == HeaderField) && strings.Contains(strings.ReplaceAll(source, `\`, ""), "=?") {
		c.warnf(at, "%s: encoded words are decoded before rules see them; raw_header has them as received", m.key)
	}
	if m.key.Attr == RawHeaderField && highOctet(source) {
		c.warnf(at, `%s: \xNN is a letter of Unicode, never an octet: what is not UTF-8 matches \x{fffd}; header has the decoded text`, m.key)
	}
	if s := misplaced(m.key, source); s != "" {
		c.warnf(at, "%s: %s", m.key, s)
	}
	if row.Lower && needsUpper(source) {
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

// looksLikeList tells "!list:x", "List:x", "list: x" and "@list:x".
func looksLikeList(source string) bool {
	rest := strings.TrimLeft(strings.TrimPrefix(strings.ToLower(source), "not "), "!@^ (")
	return strings.HasPrefix(rest, "list:") || strings.HasPrefix(rest, "lists:") || strings.HasPrefix(rest, "lists.")
}

func listIn(source string) string {
	_, name, _ := strings.Cut(strings.ReplaceAll(source, ".", ":"), ":")
	return strings.TrimSpace(name)
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

// namesField tells whether an expression begins with the field's name and a
// colon.
func namesField(source, field string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(source, "^"), `\b`)
	return len(rest) > len(field) && strings.EqualFold(rest[:len(field)], field) && rest[len(field)] == ':'
}

// highOctet finds \x80 to \xff.
func highOctet(s string) bool {
	for i := 0; i+3 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if s[i+1] == 'x' && strings.IndexByte("89abcdefABCDEF", s[i+2]) >= 0 && strings.IndexByte("0123456789abcdefABCDEF", s[i+3]) >= 0 {
			return true
		}
		i++
	}
	return false
}

// needsUpper tells whether every text that matches has a capital letter: there
// is one in a literal of which case counts.
func needsUpper(source string) bool {
	re, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
	return err == nil && hasUpper(re)
}

func hasUpper(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return re.Flags&syntax.FoldCase == 0 && slices.ContainsFunc(re.Rune, unicode.IsUpper)
	case syntax.OpConcat:
		return slices.ContainsFunc(re.Sub, hasUpper)
	case syntax.OpCapture, syntax.OpPlus:
		return hasUpper(re.Sub[0])
	}
	return false
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

// warnThresholds warns of thresholds that never show: what passes them has
// passed another whose verdict leaves nothing to say.
func (c *compiler) warnThresholds(all []*Threshold) {
	severity := map[Action]int{Hold: 1, Discard: 2, Tempfail: 3, Reject: 4}
	for i, t := range all {
		if t.Shadow {
			continue // nothing of it shall show
		}
		if t.Above < 0 && severity[t.Action] > 0 {
			c.warnf(t.Pos, "a threshold above %s is passed by mail that no rule matches: its weight is 0", t.Above)
		}
		for j, lower := range all {
			final := lower.Action == Reject || lower.Action == Tempfail || lower.Action == Discard
			if i == j || lower.Shadow || lower.Above > t.Above || lower.Above == t.Above && j > i || !final || severity[t.Action] > severity[lower.Action] {
				continue
			}
			c.warnf(t.Pos, "the threshold above %s never shows: it is covered by the one above %s at %s, with action %q", t.Above, lower.Above, lower.Pos, lower.Action)
			break
		}
	}
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
		if bareEnding(source) {
			return fmt.Sprintf("it is found anywhere in the name; the ending is written '\\.%s$'", source)
		}
	}
	if k.Attr != HeaderField && k.Attr != RawHeaderField && k.Attr != Subject || !comparison.MatchString(source) {
		return ""
	}
	return fmt.Sprintf("%q is an expression: numbers in a text are not compared", source)
}
