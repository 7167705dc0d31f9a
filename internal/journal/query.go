package journal

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/jsontext"
)

// Query selects entries; empty fields select all. Texts match in any case, as a
// whole unless it is said otherwise; IDNs match in either form.
type Query struct {
	Kinds []string // empty: all
	// Any are words of which one must be the reference or the queue id, or a part
	// of the Message-ID or of an address.
	Any []string
	// Recipient and Sender are whole addresses, "@domain" for all of a domain,
	// "<>" for the null sender, and else a part of an address.
	Recipient    string // of messages any accepted one, of blocks the one
	Sender       string
	Ref          string
	QueueID      string
	MessageID    string // with or without angle brackets
	Rule         string // the one that decided, or any that matched; "threshold above 6": one that was passed
	Verdict      string
	Stage        string
	Helo         string
	Host         string // a part of the client's name
	Direction    string
	AuthUser     string
	Subject      string // a part of it
	ClientIP     netip.Prefix
	LeastSize    int64     // bytes
	MostSize     int64     // bytes; 0: no bound
	Since, Until time.Time // from Since on, before Until
	// Also is asked of entries that match all else; nil: nothing is.
	Also func(*Entry) bool
}

// match is a query made ready: what can be told from the line itself is told
// without decoding it.
type match struct {
	Query
	since, until      []byte    // as the journals write times; nil: open
	texts             []*needle // each stands in the line
	any               []*needle // one of them does; nil: nothing is asked
	anyAddress        []mailbox
	recipient, sender mailbox
	subject           string
	subjectIs         *needle
	messageID         string
	above             string // of a threshold that is searched: " above 6"
}

func newMatch(q Query) *match {
	m := &match{
		Query: q, recipient: newMailbox(q.Recipient), sender: newMailbox(q.Sender),
		subject: strings.ToLower(q.Subject), subjectIs: newNeedle(q.Subject), messageID: unbracketed(q.MessageID),
	}
	if !q.Since.IsZero() {
		m.since = []byte(at(q.Since))
	}
	if !q.Until.IsZero() {
		m.until = []byte(at(q.Until))
	}
	rule := q.Rule
	if m.above = above(q.Rule); m.above != "" {
		rule = strings.TrimSpace(m.above)
	}
	for _, s := range []string{q.Ref, q.QueueID, rule, q.Verdict, q.Stage, q.Helo, q.Host, q.Direction, q.AuthUser, m.messageID} {
		if n := newNeedle(s); n != nil {
			m.texts = append(m.texts, n)
		}
	}
	for _, word := range q.Any {
		a := newMailbox(word)
		m.anyAddress = append(m.anyAddress, a)
		if strings.Contains(word, "@") {
			word = longestAtom(word)
		}
		m.any = append(m.any, newNeedle(word))
	}
	return m
}

var (
	timeBegin = []byte(`{"time":"`)
	subjectIs = []byte(`,"subject":`)
)

// verbatim tells whether a text stands in a JSON line as it is.
func verbatim(s string) bool {
	for i := range len(s) {
		if !jsontext.Plain(s[i]) {
			return false
		}
	}
	return true
}

// timeOf is the time at the beginning of a line, as it is written; nil when it
// is not written as ours are.
func timeOf(line []byte) []byte {
	t, ok := bytes.CutPrefix(line, timeBegin)
	if !ok {
		return nil
	}
	t = t[:max(bytes.IndexByte(t, '"'), 0)]
	if len(t) != len("2006-01-02T15:04:05.000Z") || t[len(t)-1] != 'Z' {
		return nil
	}
	return t
}

// inTime compares the time at the beginning of a line. One that equals Until
// to the millisecond may yet be before it.
func (m *match) inTime(line []byte) bool {
	if m.since == nil && m.until == nil {
		return true
	}
	t := timeOf(line)
	return t == nil || bytes.Compare(t, m.since) >= 0 && (m.until == nil || bytes.Compare(t, m.until) <= 0)
}

// slack is how much earlier than the first line of a file the last of the
// file before may be, and the other way round.
const slack = time.Minute

// wellBefore tells whether a time lies so far before Since that nothing
// written up to it can match.
func (m *match) wellBefore(t string) bool {
	return m.since != nil && t < at(m.Since.Add(-slack))
}

// may tells whether the line can be one that matches. Addresses stand before
// the subject, and can only be spelt otherwise in what is not ASCII or is
// quoted (RFC 5321 §4.1.2).
func (m *match) may(line []byte) bool {
	if !m.inTime(line) {
		return false
	}
	for _, n := range m.texts {
		if !n.in(line) && !escaped(line) {
			return false
		}
	}
	if m.ClientIP.IsValid() && !m.mayBeFrom(line) {
		return false
	}
	if m.subject == "" && !m.recipient.given && !m.sender.given && m.any == nil {
		return true
	}
	head, tail := line, line
	if i := bytes.Index(line, subjectIs); i >= 0 {
		head, tail = line[:i], line[i:]
	}
	if m.subject != "" && !m.subjectIs.in(tail) && !escaped(tail) {
		return false
	}
	for _, a := range []*mailbox{&m.recipient, &m.sender} {
		if !a.given || a.null {
			continue
		}
		if (a.needle == nil || !a.needle.in(head)) && !unusual(head) && (a.part == "" && a.needle != nil || !alabel.in(head)) {
			return false
		}
	}
	if m.any == nil {
		return true
	}
	for _, n := range m.any {
		if n != nil && n.in(head) {
			return true
		}
	}
	return unusual(head) || alabel.in(head)
}

// alabel begins every A-label (RFC 5890 §2.3.2.1): a part of an address may be of
// what it stands for.
var alabel = newNeedle("xn--")

var clientIs = []byte(`,"client_ip":"`)

// mayBeFrom reads the client's address out of a line that is written as ours are.
func (m *match) mayBeFrom(line []byte) bool {
	i := bytes.Index(line, clientIs)
	if i < 0 {
		return true
	}
	value := line[i+len(clientIs):]
	end := bytes.IndexByte(value, '"')
	if end < 0 || bytes.IndexByte(value[:end], '\\') >= 0 {
		return true
	}
	return holds(m.ClientIP, string(value[:end]))
}

// unusual tells whether octets are not ASCII or quoted.
func unusual(b []byte) bool {
	if bytes.IndexByte(b, '\\') >= 0 {
		return true
	}
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b)&0x8080808080808080 != 0 {
			return true
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// is tells whether an entry matches.
func (m *match) is(e *Entry) bool {
	switch {
	case !m.Since.IsZero() && e.Time.Before(m.Since), !m.Until.IsZero() && !e.Time.Before(m.Until):
		return false
	case !same(m.Ref, e.Ref), !same(m.QueueID, e.QueueID), !same(m.Verdict, e.Verdict), !same(m.Stage, e.Stage),
		!same(m.Helo, e.Helo), !same(m.Direction, e.Direction), !same(m.AuthUser, e.AuthUser),
		!same(m.messageID, unbracketed(e.MessageID)):
		return false
	case m.subject != "" && !strings.Contains(strings.ToLower(e.Subject), m.subject):
		return false
	case m.ClientIP.IsValid() && !holds(m.ClientIP, e.ClientIP):
		return false
	case m.sender.given && !m.sender.is(e.Sender):
		return false
	case m.sender.null && !hasSender(e):
		return false
	case m.recipient.given && !m.recipient.is(e.Recipient) && !slices.ContainsFunc(e.Recipients, m.recipient.is):
		return false
	case m.Host != "" && !strings.Contains(strings.ToLower(e.ClientHost), strings.ToLower(m.Host)):
		return false
	case e.Size < m.LeastSize, m.MostSize > 0 && e.Size > m.MostSize:
		return false
	case m.any != nil && !m.isAny(e):
		return false
	case m.Rule != "" && !m.byRule(e):
		return false
	}
	return m.Also == nil || m.Also(e)
}

// hasSender tells whether an entry is of mail, which has a sender, if an empty one.
func hasSender(e *Entry) bool {
	return e.Kind != Trace && e.Kind != Looks && e.Stage != "close" && e.Stage != "audit"
}

// byRule tells whether the rule, or the threshold, decided or matched.
func (m *match) byRule(e *Entry) bool {
	if m.above != "" {
		name := Threshold(e)
		return name != "" && strings.HasSuffix(name, m.above) || slices.Contains(e.Thresholds, "threshold"+m.above) ||
			slices.ContainsFunc(e.Rules, func(h RuleHit) bool { return h.Name == "threshold"+m.above })
	}
	return same(m.Rule, e.Rule) || slices.ContainsFunc(e.Rules, func(h RuleHit) bool { return same(m.Rule, h.Name) })
}

// isAny tells whether one of the words names the entry, or is a part of whom it is
// about.
func (m *match) isAny(e *Entry) bool {
	for n, word := range m.Any {
		a := &m.anyAddress[n]
		id := strings.ToLower(unbracketed(word))
		switch {
		case strings.EqualFold(word, e.Ref), strings.EqualFold(word, e.QueueID):
			return true
		case id != "" && strings.Contains(strings.ToLower(e.MessageID), id):
			return true
		case a.given && !a.null && (a.is(e.Sender) || a.is(e.Recipient) || slices.ContainsFunc(e.Recipients, a.is)):
			return true
		}
	}
	return false
}

// same compares in any case; nothing asked for is the same as anything.
func same(want, have string) bool { return want == "" || strings.EqualFold(want, have) }

func holds(p netip.Prefix, text string) bool {
	addr, err := netip.ParseAddr(text)
	return err == nil && p.Contains(addr.Unmap())
}

func unbracketed(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
}
