package replay

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// Sent is the envelope of a message as the journal has it.
type Sent struct {
	clientIP, clientHost, helo, tls, user, sender string
	queueID                                       string
	time                                          time.Time
	recipients                                    []string
	// answers are what was found of it; nil: nothing is known.
	answers *answers
}

// mostSent bounds the envelopes that are kept of a journal.
const mostSent = 1_000_000

// Envelopes are those of the messages that the journals in a folder have, by
// their reference: the newest, where there are too many. Unread are the files that
// could not be read, and why: what they have is not among them.
func Envelopes(ctx context.Context, dir string) (sent map[string]Sent, unread []string, err error) {
	sent = map[string]Sent{}
	var order []string
	scans := map[string]*journal.Entry{}
	report, err := journal.SearchReadable(ctx, dir, journal.Query{Kinds: []string{journal.Messages, journal.Antivirus}}, func(e journal.Entry) error {
		if e.Kind == journal.Antivirus {
			// It is written before the entry of its message.
			if len(scans) < mostPending {
				scans[e.Ref] = &journal.Entry{Result: e.Result, Signature: e.Signature}
			}
			return nil
		}
		scan := scans[e.Ref]
		delete(scans, e.Ref)
		if e.Ref == "" || len(e.Recipients) == 0 {
			return nil
		}
		if len(order) == mostSent {
			delete(sent, order[0])
			order = order[1:]
		}
		sent[e.Ref] = Sent{e.ClientIP, e.ClientHost, e.Helo, e.TLS, e.AuthUser, e.Sender, e.QueueID, e.Time, e.Recipients, answersOf(&e, scan)}
		order = append(order, e.Ref)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("envelopes from the journal: %w", err)
	}
	return sent, report.Missing(), nil
}

// into fills the envelope of a message.
func (s Sent) into(m *trial.Message) {
	addr, err := trial.ParseClient(s.clientIP)
	if err == nil && addr.IsValid() {
		m.Client = trial.Peer(addr, s.clientHost, "")
	}
	m.Helo = s.helo
	m.Envelope = gate.Envelope{Sender: s.sender, Size: -1, QueueID: "REPLAY", TLSVersion: s.tls}
	if s.user != "" {
		m.Envelope.AuthType, m.Envelope.AuthUser = "PLAIN", s.user
	}
	m.Recipients = s.recipients
	if s.answers != nil {
		m.Known = whole{s.answers}
	}
}

// reference is that of a report header.
var reference = regexp.MustCompile(`;\s*ref=([0-9A-Za-z]+)`)
