// Package spamassassin lets SpamAssassin look at messages, by the protocol of
// its daemon spamd.
package spamassassin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Settings are where spamd is and what it is told.
type Settings struct {
	// Addr is "unix:/path/of/socket" or "tcp:host:port".
	Addr string `key:"url,required"`
	// User is whose preferences spamd goes by; "" for its default.
	User string `key:"user"`
}

// Check says what New would refuse.
func (s Settings) Check() error {
	if _, _, err := module.ParseAddress(s.Addr); err != nil {
		return &settings.KeyError{Key: "url", Err: err}
	}
	if strings.ContainsFunc(s.User, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return &settings.KeyError{Key: "user", Err: fmt.Errorf("%q has characters that no user's name has", s.User)}
	}
	return nil
}

// Inspector is a module.Inspector that asks spamd. It makes a connection for
// each message, as spamd answers only once on each, and keeps none.
type Inspector struct {
	addr address
	user string
	now  func() time.Time // of which the last hop gets its time
}

// address is where spamd listens, as package net has it.
type address struct{ network, at string }

func (a address) String() string { return a.network + ":" + a.at }

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector. It does not connect: spamd may come later.
func New(s Settings) (*Inspector, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("spamd: %w", err)
	}
	network, at, err := module.ParseAddress(s.Addr)
	if err != nil {
		return nil, fmt.Errorf("spamd: %w", err)
	}
	return &Inspector{addr: address{network, at}, user: s.User, now: time.Now}, nil
}

// What spamd calls a message, by its own required_score.
const (
	Spam = "spam"
	Ham  = "ham"
)

// TimeLimit is the symbol by which SpamAssassin says that its time_limit was over
// before it had tried all of its rules. The score is then of those that it had
// tried: what they found is no less true.
const TimeLimit = "TIME_LIMIT_EXCEEDED"

// Inspect asks spamd about the message, when it is complete. Of the Finding it
// fills Score, which spamd says in tenths, Symbols, and Action, which is Spam
// or Ham.
func (i *Inspector) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	size, err := m.Stash.Size(ctx)
	if err != nil {
		return module.Finding{}, i.wrap(fmt.Errorf("waiting for the message: %w", err))
	}
	return i.inspect(ctx, i.hop(&m.Envelope), message{size, m.Stash.Open(ctx)})
}

// inspect asks about a message behind the fields of its last hop.
func (i *Inspector) inspect(ctx context.Context, hop string, m message) (module.Finding, error) {
	answer, err := i.exchange(ctx, func(w *writer) error {
		w.printf("SYMBOLS SPAMC/1.5\r\nContent-length: %d\r\n", int64(len(hop))+m.size)
		if i.user != "" {
			w.printf("User: %s\r\n", i.user)
		}
		w.printf("\r\n%s", hop)
		return w.message(m)
	})
	if err != nil {
		return module.Finding{}, i.wrap(err)
	}
	finding, err := parse(answer)
	if err != nil {
		return module.Finding{}, i.wrap(err)
	}
	return finding, nil
}

// Ping asks spamd for a sign of life.
func (i *Inspector) Ping(ctx context.Context) error {
	answer, err := i.exchange(ctx, func(w *writer) error {
		w.printf("PING SPAMC/1.5\r\n\r\n")
		return nil
	})
	if err == nil {
		err = parsePong(answer)
	}
	if err != nil {
		return i.wrap(err)
	}
	return nil
}

// Close does nothing: no connection outlives its message.
func (i *Inspector) Close() error { return nil }

func (i *Inspector) wrap(err error) error { return fmt.Errorf("spamd at %s: %w", i.addr, err) }
