package replay

import (
	"bytes"
	netmail "net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/rules"
)

// delivery are the fields that a delivery adds, by which its envelope is known.
var delivery = []string{"Return-Path", "Delivered-To", "X-Original-To"}

// stripper takes off a stored message what was added when it came through here.
type stripper struct {
	gateway string
	ours    []string // fields that only tollgate writes
	tags    []string // of Subjects
	report  string   // the report header; "" for none
	sent    map[string]Sent
}

func newStripper(cfg *config.Config) *stripper {
	s := &stripper{gateway: cfg.Gate.Gateway, report: cfg.Gate.ReportHeader, ours: append([]string{cfg.Gate.ReportHeader}, cfg.Gate.Rules.TagHeaders()...)}
	add := func(t *string) {
		if t != nil && *t != "" && !slices.Contains(s.tags, *t) {
			s.tags = append(s.tags, *t)
		}
	}
	for _, t := range subjectTags(cfg) {
		add(&t)
	}
	return s
}

// subjectTags are the tags of Subjects that have no placeholder.
func subjectTags(cfg *config.Config) (all []string) {
	for _, r := range cfg.Gate.Rules.Rules() {
		if r.Tags.Subject != nil {
			all = append(all, r.Tags.Subject.String())
		}
	}
	for _, t := range cfg.Gate.Rules.Thresholds(1<<63 - 1) {
		if t.Tags.Subject != nil {
			all = append(all, t.Tags.Subject.String())
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return strings.Contains(s, "{") })
}

// strip is the header as it came to the gateway; queueID is that of our own Postfix,
// "" where it is not known.
func (s *stripper) strip(h mail.Header, queueID string) mail.Header {
	var out mail.Header
	foreign := false // a Received field of another host was seen
	for _, f := range h {
		switch {
		case slices.ContainsFunc(s.ours, func(name string) bool { return strings.EqualFold(name, f.Name) }):
			continue
		case !foreign && slices.ContainsFunc(delivery, func(name string) bool { return strings.EqualFold(name, f.Name) }):
			continue
		case strings.EqualFold(f.Name, "Authentication-Results") && s.isOurs(f.Value):
			continue
		case strings.EqualFold(f.Name, "Received"):
			if !foreign && (s.isBy(f.Value) || queueID != "" && isID(f.Value, queueID)) {
				continue
			}
			foreign = true
		case strings.EqualFold(f.Name, "Subject"):
			for _, tag := range s.tags {
				f.Value = untagged(f.Value, tag)
			}
		case f.Name == "X-Mailbox-Line":
			continue
		}
		out = append(out, f)
	}
	return out
}

// untagged takes a tag off a Subject's raw value: as it is, or in the encoded-words
// (RFC 2047) in which it was put there.
func untagged(value, tag string) string {
	const word = "=?utf-8?q?x?="
	alone, _ := fieldtext.TagSubject("", []string{tag}, "")
	before, _ := fieldtext.TagSubject(word, []string{tag}, "") // before another encoded-word the space is within
	for _, form := range []string{tag, alone, strings.TrimSuffix(before, word)} {
		rest, ok := strings.CutPrefix(strings.TrimLeft(value, " "), strings.TrimSpace(form))
		if ok && strings.TrimLeft(rest, " \t\r\n") != rest {
			return " " + strings.TrimLeft(rest, " \t\r\n")
		}
	}
	return value
}

// isOurs tells of Authentication-Results whether we have written them (RFC 8601
// §2.2: the authserv-id comes first).
func (s *stripper) isOurs(value string) bool {
	id, _, _ := strings.Cut(strings.TrimSpace(value), ";")
	return strings.EqualFold(strings.TrimSpace(id), s.gateway)
}

var by = regexp.MustCompile(`(?i)\sby\s+([^\s;()]+)`)

// isBy tells of a Received field whether our own Postfix has written it.
func (s *stripper) isBy(value string) bool {
	m := by.FindStringSubmatch(strings.ReplaceAll(value, "\n", " "))
	return m != nil && strings.EqualFold(strings.TrimSuffix(m[1], "."), s.gateway)
}

var id = regexp.MustCompile(`(?i)\sid\s+([^\s;()]+)`)

// isID tells of a Received field whether a queue has written it by that name: our
// own Postfix, which may call itself otherwise than the gateway is called.
func isID(value, queueID string) bool {
	m := id.FindStringSubmatch(strings.ReplaceAll(value, "\n", " "))
	return m != nil && m[1] == queueID
}

var (
	fromHop = regexp.MustCompile(`(?i)^\s*from\s+([^\s;()]+)`)
	address = regexp.MustCompile(`\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]`)
)

// origin is where an envelope comes from.
type origin uint8

const (
	fromDelivery origin = iota // the fields that the delivery added
	fromHeader                 // To and Cc: nothing tells its recipients
	fromJournal                // the entry that the report header names
)

// message makes of a stored one what came in.
func (s *stripper) message(text []byte) (m trial.Message, when time.Time, from origin) {
	h, body := mail.SplitMessage(text)
	m.Envelope = gate.Envelope{Size: -1, QueueID: "REPLAY"}
	m.Envelope.Sender, m.Recipients = trial.Guess(text)
	_, delivered := h.Get("Delivered-To")
	_, original := h.Get("X-Original-To")
	if !delivered && !original {
		from = fromHeader
	}
	var addr netip.Addr
	// The hop that brought it here says who the client was.
	if received, ok := h.Get("Received"); ok {
		received = strings.ReplaceAll(received, "\n", " ")
		if name := fromHop.FindStringSubmatch(received); name != nil {
			m.Helo = name[1]
		}
		clause, _, _ := strings.Cut(received, " by ")
		if ip := address.FindStringSubmatch(clause); ip != nil {
			addr, _ = trial.ParseClient(ip[1]) // what is no address is no client's
		}
	}
	m.Client = trial.Peer(addr, "", "")
	queueID := ""
	if report, ok := h.Get(s.report); ok && s.report != "" && s.sent != nil {
		if ref := reference.FindStringSubmatch(report); ref != nil {
			if sent, ok := s.sent[ref[1]]; ok {
				sent.into(&m)
				queueID, when = sent.queueID, sent.time
				from = fromJournal
			}
		}
	}
	if !when.IsZero() {
		// The journal knows when it came.
	} else if date, ok := h.Get("Date"); ok {
		if t, err := netmail.ParseDate(strings.TrimSpace(date)); err == nil {
			when = t
		}
	}
	var b bytes.Buffer
	for _, f := range s.strip(h, queueID) {
		b.WriteString(f.Name + ":" + f.Value + "\n")
	}
	b.WriteString("\n")
	b.Write(body)
	m.Text = b.Bytes()
	return m, when, from
}

// absent are the attributes of an envelope that a stored message does not tell.
func absent(m trial.Message, from origin) []string {
	if from == fromJournal {
		return nil
	}
	missing := []rules.Attr{rules.ClientHost, rules.ClientResolve, rules.TLS, rules.TLSVersion, rules.Authenticated, rules.AuthUser}
	if !m.Client.Addr.IsValid() {
		missing = append(missing, rules.ClientIP)
	}
	if m.Helo == "" {
		missing = append(missing, rules.HeloName)
	}
	rows := rules.Catalogue()
	names := make([]string, len(missing))
	for i, a := range missing {
		names[i] = rows[a].Name
	}
	return names
}
