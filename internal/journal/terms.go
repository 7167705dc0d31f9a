package journal

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// The kinds of whole values in an index. Their octets are part of its form.
const (
	keyRef       = 'r'
	keyQueueID   = 'q'
	keyMessageID = 'i'
	keySender    = 's'
	keySenderAt  = 'S' // its domain
	keyRecipient = 't'
	keyRcptAt    = 'T' // its domain
	keyClient    = 'c' // an address
	keyNetwork   = 'C' // the one around it
	keyRule      = 'u'
	keyHelo      = 'h'
	keyUser      = 'a'
	keyWord      = 'w' // verdict, stage, direction
)

// The networks around a client's address that an index knows.
const (
	network4 = 24
	network6 = 64
)

// folded is a text in which all spellings are one: who takes two texts for the same,
// or one for a part of the other, in any case, takes these so, too.
func folded(text string) []rune {
	runes := make([]rune, 0, len(text))
	for _, r := range text {
		runes = append(runes, loose(r))
	}
	return runes
}

// termed gathers the terms of entries. match.clauses asks for them: every value that a
// query looks at has to be told here in each form in which match.is compares it.
type termed struct {
	add  func(index.Term)
	last map[byte]string // the value before of a kind: most come again
}

func newTermed(add func(index.Term)) *termed {
	return &termed{add: add, last: make(map[byte]string)}
}

func (t *termed) key(kind byte, value string) {
	if value == "" || t.last[kind] == value {
		return
	}
	t.last[kind] = value
	t.add(index.Key(kind, folded(value)))
}

func (t *termed) parts(text string) {
	for runes := folded(text); len(runes) >= index.Short; runes = runes[1:] {
		t.add(index.Run(runes[:index.Short]))
		if len(runes) >= index.Long {
			t.add(index.Run(runes[:index.Long]))
		}
	}
}

func (t *termed) address(s string, whole, domain byte) {
	if s == "" {
		return
	}
	plain := address.Fold(s)
	t.key(whole, s)
	t.key(whole, plain)
	t.key(domain, address.Domain(s))
	t.parts(s)
	if plain != s {
		t.parts(plain)
	}
	if read := people(s); read != s {
		t.parts(read)
	}
}

func (t *termed) entry(e *Entry) {
	t.key(keyRef, e.Ref)
	t.key(keyQueueID, e.QueueID)
	t.key(keyMessageID, unbracketed(e.MessageID))
	t.key(keyRule, e.Rule)
	for i := range e.Rules {
		t.key(keyRule, e.Rules[i].Name)
	}
	t.key(keyHelo, e.Helo)
	t.key(keyUser, e.AuthUser)
	for _, word := range [...]string{e.Verdict, e.Stage, e.Direction} {
		t.key(keyWord, word)
	}
	if a, err := netip.ParseAddr(e.ClientIP); err == nil {
		a = a.Unmap().WithZone("")
		t.key(keyClient, a.String())
		t.key(keyNetwork, around(a).String())
	}
	t.parts(e.MessageID)
	t.parts(e.Subject)
	t.parts(e.ClientHost)
	t.address(e.Sender, keySender, keySenderAt)
	t.address(e.Recipient, keyRecipient, keyRcptAt)
	for _, r := range e.Recipients {
		t.address(r, keyRecipient, keyRcptAt)
	}
}

func around(a netip.Addr) netip.Prefix {
	bits := network6
	if a.Is4() {
		bits = network4
	}
	return netip.PrefixFrom(a, bits).Masked()
}

// mostRuns of a text are asked for: more would rule out next to nothing.
const mostRuns = 24

// partTerms are those of what has the text in it; none of one that is too short.
func partTerms(text string) []index.Term {
	var terms []index.Term
	runes := folded(text)
	n := index.Short
	if len(runes) >= index.Long {
		n = index.Long
	}
	for ; len(runes) >= n && len(terms) < mostRuns; runes = runes[1:] {
		terms = append(terms, index.Run(runes[:n]))
	}
	return terms
}

func keyTerm(kind byte, value string) []index.Term {
	return []index.Term{index.Key(kind, folded(value))}
}

// clauses are what an index is asked for the query: what they rule out, match.is
// does not take.
func (m *match) clauses() []index.Clause {
	var all []index.Clause
	for _, one := range [...]struct {
		kind  byte
		value string
	}{
		{keyRef, m.Ref}, {keyQueueID, m.QueueID}, {keyMessageID, m.messageID}, {keyRule, m.Rule}, {keyHelo, m.Helo},
		{keyUser, m.AuthUser}, {keyWord, m.Verdict}, {keyWord, m.Stage}, {keyWord, m.Direction},
	} {
		if one.value != "" && (one.kind != keyRule || m.above == "") { // no index has thresholds
			all = append(all, index.Clause{keyTerm(one.kind, one.value)})
		}
	}
	for _, part := range [...]string{m.Subject, m.Host} {
		if part != "" {
			all = append(all, index.Clause{partTerms(part)})
		}
	}
	if p := m.ClientIP; p.IsValid() {
		switch {
		case p.IsSingleIP():
			all = append(all, index.Clause{keyTerm(keyClient, p.Addr().String())})
		case p.Addr().Is4() && p.Bits() >= network4, p.Addr().Is6() && p.Bits() >= network6:
			all = append(all, index.Clause{keyTerm(keyNetwork, around(p.Addr()).String())})
		}
	}
	if m.sender.given && !m.sender.null {
		all = append(all, m.sender.clause(keySender, keySenderAt))
	}
	if m.recipient.given && !m.recipient.null {
		all = append(all, m.recipient.clause(keyRecipient, keyRcptAt))
	}
	if m.any != nil {
		all = append(all, m.anyClause())
	}
	// An alternative without terms rules nothing out.
	return slices.DeleteFunc(all, func(c index.Clause) bool {
		return slices.ContainsFunc(c, func(terms []index.Term) bool { return len(terms) == 0 })
	})
}

// clause is what mailbox.is asks.
func (a *mailbox) clause(whole, domain byte) index.Clause {
	switch {
	case a.domain != "":
		return index.Clause{keyTerm(domain, a.domain)}
	case a.part != "":
		return index.Clause{partTerms(a.part)}
	}
	return index.Clause{keyTerm(whole, a.text), keyTerm(whole, a.whole)}
}

// anyClause is what match.isAny asks.
func (m *match) anyClause() index.Clause {
	var c index.Clause
	for n, word := range m.Any {
		c = append(c, keyTerm(keyRef, word), keyTerm(keyQueueID, word))
		if id := unbracketed(word); id != "" {
			c = append(c, partTerms(strings.ToLower(id)))
		}
		if a := &m.anyAddress[n]; a.given && !a.null {
			c = append(c, a.clause(keySender, keySenderAt)...)
			c = append(c, a.clause(keyRecipient, keyRcptAt)...)
		}
	}
	return c
}
