// Package http lets any HTTP service look at messages. docs/http-module.md is
// the protocol: a POST of the message, in chunks while it arrives, with the
// envelope in X-Tollgate fields, and a verdict in JSON.
package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Settings are where the service is.
type Settings struct {
	// URL is http or https, with the path that messages are posted to. A user
	// and password in it go out as basic authentication.
	URL string `key:"url,required"`
	// CAs are the certificates, in PEM, by which the service's is checked; ""
	// for those of the system.
	CAs settings.Certificates `key:"ca_file"`
}

// Check says what New would refuse.
func (s Settings) Check() error {
	if err := s.client().Check(); err != nil {
		return &settings.KeyError{Key: "url", Err: err}
	}
	return nil
}

func (s Settings) client() webclient.Config { return webclient.Config{URL: s.URL, CAs: string(s.CAs)} }

// Inspector is a module.Inspector that asks an HTTP service.
type Inspector struct{ client *webclient.Client }

var _ module.Inspector = (*Inspector)(nil)

// New makes an inspector. It does not connect: the service may come later.
func New(s Settings) (*Inspector, error) {
	client, err := webclient.New(s.client())
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	return &Inspector{client: client}, nil
}

// Inspect posts the message. Of the Finding it fills Score, Symbols, Action,
// Add and Remove.
func (i *Inspector) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	return i.inspect(ctx, &m.Envelope, m.Stash.Open)
}

// inspect asks about the message that open opens.
func (i *Inspector) inspect(ctx context.Context, e *module.Envelope, open func(context.Context) io.Reader) (module.Finding, error) {
	answer, err := i.client.Ask(ctx, webclient.Request{
		Method: http.MethodPost, Header: question(e), Open: open,
	})
	if err != nil {
		return module.Finding{}, i.wrap(err)
	}
	finding, err := parse(answer)
	if err != nil {
		return module.Finding{}, i.wrap(fmt.Errorf("verdict: %w", err))
	}
	return finding, nil
}

// Ping asks for the OPTIONS of the URL, which changes nothing anywhere (RFC
// 9110 §9.3.7). Any answer is a sign of life but a failure of the server's
// own, as a proxy gives it for a service that is away.
func (i *Inspector) Ping(ctx context.Context) error {
	_, err := i.client.Ask(ctx, webclient.Request{Method: http.MethodOptions})
	var refused *webclient.StatusError
	if errors.As(err, &refused) && (refused.Code < 500 || refused.Code == http.StatusNotImplemented) {
		return nil
	}
	if err != nil {
		return i.wrap(err)
	}
	return nil
}

// Close does nothing: no connection outlives its message.
func (i *Inspector) Close() error { return nil }

func (i *Inspector) wrap(err error) error { return fmt.Errorf("%s: %w", i.client, err) }
