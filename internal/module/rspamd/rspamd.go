// Package rspamd lets rspamd look at messages: POST /checkv2 to its normal
// worker, in chunks while the message arrives, with the envelope in request
// fields.
package rspamd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Settings are where rspamd is and what is wanted of it.
type Settings struct {
	// URL is of the normal worker, "http://127.0.0.1:11333". The controller
	// answers the same, and wants Password.
	URL string `key:"url,required"`
	// CAs are certificates, in PEM, for https, which a proxy before rspamd may
	// speak; "" for those of the system.
	CAs settings.Certificates `key:"ca_file"`
	// Password goes along when it is not "".
	Password settings.Secret `key:"password_file"`
	// Headers has the changes made that rspamd wants in the header.
	Headers bool `key:"headers"`
}

// Check says what New would refuse.
func (s Settings) Check() error {
	if err := s.client().Check(); err != nil {
		return &settings.KeyError{Key: "url", Err: err}
	}
	if strings.ContainsFunc(string(s.Password), control) {
		return &settings.KeyError{Key: "password_file", Err: errors.New("the password has control characters")}
	}
	return nil
}

func (s Settings) client() webclient.Config { return webclient.Config{URL: s.URL, CAs: string(s.CAs)} }

// headerChanges is what becomes of rspamd's changes to the header.
type headerChanges uint8

const (
	ignoreHeader headerChanges = iota
	takeHeader
)

// Inspector is a module.Inspector that asks rspamd.
type Inspector struct {
	client   *webclient.Client
	password string
	changes  headerChanges
}

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector. It does not connect: rspamd may come later.
func New(s Settings) (*Inspector, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("rspamd: %w", err)
	}
	client, err := webclient.New(s.client())
	if err != nil {
		return nil, fmt.Errorf("rspamd: %w", err)
	}
	i := &Inspector{client: client, password: string(s.Password), changes: ignoreHeader}
	if s.Headers {
		i.changes = takeHeader
	}
	return i, nil
}

// Inspect asks rspamd about the message. Of the Finding it fills Score,
// Symbols, Action and, where wanted, Add and Remove. The action is rspamd's
// word, "no action" or "reject" for instance; it is Skipped where rspamd's
// settings had it not look.
func (i *Inspector) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	return i.inspect(ctx, &m.Envelope, m.Stash.Open)
}

// inspect asks about the message that open opens.
func (i *Inspector) inspect(ctx context.Context, e *module.Envelope, open func(context.Context) io.Reader) (module.Finding, error) {
	answer, err := i.client.Ask(ctx, webclient.Request{
		Method: http.MethodPost, Path: "checkv2", Header: i.question(e), Open: open,
	})
	if err != nil {
		return module.Finding{}, i.wrap(err)
	}
	finding, err := parse(answer, i.changes)
	if err != nil {
		return module.Finding{}, i.wrap(fmt.Errorf("answer: %w", err))
	}
	return finding, nil
}

// Ping asks rspamd whether it is there.
func (i *Inspector) Ping(ctx context.Context) error {
	answer, err := i.client.Ask(ctx, webclient.Request{Method: http.MethodGet, Path: "ping"})
	if err != nil {
		return i.wrap(err)
	}
	if strings.TrimSpace(string(answer)) != "pong" {
		return i.wrap(fmt.Errorf("answers %.100q to a ping", answer))
	}
	return nil
}

// Close does nothing: no connection outlives its message.
func (i *Inspector) Close() error { return nil }

func (i *Inspector) wrap(err error) error { return fmt.Errorf("rspamd at %s: %w", i.client, err) }
