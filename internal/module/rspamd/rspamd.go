// Package rspamd lets rspamd look at messages: POST /checkv2 to its normal
// worker, in chunks while the message arrives, with the envelope in request
// fields.
package rspamd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

// Config is where rspamd is and what is wanted of it.
type Config struct {
	// URL is of the normal worker, "http://127.0.0.1:11333". The controller
	// answers the same, and wants Password.
	URL string
	// CAs are certificates, in PEM, for https, which a proxy before rspamd may
	// speak; "" for those of the system.
	CAs string
	// Password goes along when it is not "".
	Password string
	// Header is what becomes of the changes that rspamd wants in the header.
	Header HeaderChanges
}

// HeaderChanges is what becomes of rspamd's changes to the header.
type HeaderChanges string

// What becomes of them.
const (
	IgnoreHeader HeaderChanges = ""
	TakeHeader   HeaderChanges = "take"
)

// Inspector is a module.Inspector that asks rspamd.
type Inspector struct {
	client   *webclient.Client
	password string
	changes  HeaderChanges
}

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector. It does not connect: rspamd may come later.
func New(c Config) (*Inspector, error) {
	client, err := webclient.New(webclient.Config{URL: c.URL, CAs: c.CAs})
	if err != nil {
		return nil, fmt.Errorf("rspamd: %w", err)
	}
	if c.Header != IgnoreHeader && c.Header != TakeHeader {
		return nil, fmt.Errorf("rspamd: header %q is neither %q nor %q", c.Header, IgnoreHeader, TakeHeader)
	}
	if strings.ContainsFunc(c.Password, control) {
		return nil, fmt.Errorf("rspamd: the password has control characters")
	}
	return &Inspector{client: client, password: c.Password, changes: c.Header}, nil
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

// Close closes the connections that are kept for the next message.
func (i *Inspector) Close() error { return i.client.Close() }

func (i *Inspector) wrap(err error) error { return fmt.Errorf("rspamd at %s: %w", i.client, err) }
