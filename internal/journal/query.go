package journal

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Query selects entries; empty fields select all. Texts match as a whole, in
// any case. Addresses may be written "@domain" for all of a domain, and "<>"
// for the null sender; IDNs match in either form.
type Query struct {
	Kinds        []string // empty: all
	Recipient    string   // of messages any accepted one, of blocks the one
	Sender       string
	Ref          string
	QueueID      string
	MessageID    string // with or without angle brackets
	Rule         string // the one that decided, or any that matched
	Verdict      string
	Stage        string
	Helo         string
	Direction    string
	AuthUser     string
	Subject      string // a part of it
	ClientIP     netip.Prefix
	Since, Until time.Time // from Since on, before Until
}

// match is a query made ready: what can be told from the line itself is told
// without decoding it.
type match struct {
	Query
	since, until      []byte   // as the journals write times; nil: open
	exact             [][]byte // stand in the line
	address           [][]byte // stand before the subject
	recipient, sender address
	subject           string
	messageID         string
}

func newMatch(q Query) *match {
	m := &match{
		Query: q, recipient: newAddress(q.Recipient), sender: newAddress(q.Sender),
		subject: strings.ToLower(q.Subject), messageID: unbracketed(q.MessageID),
	}
	if !q.Since.IsZero() {
		m.since = []byte(at(q.Since))
	}
	if !q.Until.IsZero() {
		m.until = []byte(at(q.Until))
	}
	for _, s := range []string{q.Ref, q.QueueID, q.Rule, q.Verdict} {
		if s != "" && verbatim(s) {
			m.exact = append(m.exact, bytes.ToLower([]byte(s)))
		}
	}
	for _, a := range []address{m.recipient, m.sender} {
		if a.needle != nil {
			m.address = append(m.address, a.needle)
		}
	}
	return m
}

// verbatim tells whether a text stands in a JSON line as it is.
func verbatim(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || !plain[s[i]] {
			return false
		}
	}
	return true
}

var (
	timeBegin = []byte(`{"time":"`)
	subjectIs = []byte(`,"subject":`)
)

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
	for _, needle := range m.exact {
		if !contains(line, needle) {
			return false
		}
	}
	if len(m.address) == 0 {
		return true
	}
	head := line
	if i := bytes.Index(line, subjectIs); i >= 0 {
		head = line[:i]
	}
	for _, needle := range m.address {
		if !contains(head, needle) && !unusual(head) {
			return false
		}
	}
	return true
}

func unusual(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || c == '\\' {
			return true
		}
	}
	return false
}

// contains finds a lower-case ASCII text in any case.
func contains(b, needle []byte) bool {
	lower := needle[0]
	upper := lower
	if 'a' <= lower && lower <= 'z' {
		upper -= 'a' - 'A'
	}
	for len(b) >= len(needle) {
		i := indexEither(b[:len(b)-len(needle)+1], lower, upper)
		if i < 0 {
			return false
		}
		if bytes.EqualFold(b[i:i+len(needle)], needle) {
			return true
		}
		b = b[i+1:]
	}
	return false
}

func indexEither(b []byte, x, y byte) int {
	i := bytes.IndexByte(b, x)
	if x == y || i == 0 {
		return i
	}
	if i > 0 {
		b = b[:i]
	}
	if j := bytes.IndexByte(b, y); j >= 0 {
		return j
	}
	return i
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
	case m.recipient.given && !m.recipient.is(e.Recipient) && !slices.ContainsFunc(e.Recipients, m.recipient.is):
		return false
	case m.Rule != "" && !same(m.Rule, e.Rule) &&
		!slices.ContainsFunc(e.Rules, func(h RuleHit) bool { return same(m.Rule, h.Name) }):
		return false
	}
	return true
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
