// Package clamav lets ClamAV's clamd look at messages. A message goes to it as
// a stream (INSTREAM) while it arrives, through github.com/dutchcoders/go-clamd.
//
// That client knows no context, ignores failed writes, takes any failure to
// read the message as its end, and returns no result where it hears none. This
// package therefore keeps the deadlines itself, by closing the connection
// under the client, and believes nothing but one explicit line about a message
// that was read to its very end.
package clamav

import (
	"context"
	"fmt"
	"io"
	"strings"

	clamd "github.com/dutchcoders/go-clamd"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Settings are where clamd is.
type Settings struct {
	// Addr is "unix:/path/of/socket" or "tcp:host:port".
	Addr string `key:"clamd,required"`
}

// Check says what New would refuse.
func (s Settings) Check() error {
	if _, err := clientURL(s.Addr); err != nil {
		return &settings.KeyError{Key: "clamd", Err: err}
	}
	return nil
}

// Scanner is a module.Inspector that asks clamd. It makes a connection for
// each message and keeps none.
type Scanner struct {
	addr  string // as configured, for errors
	clamd *clamd.Clamd
	// pings are places for pings under way: see ping.go.
	pings chan struct{}
}

var _ module.Inspector = (*Scanner)(nil)

// New makes a scanner. It does not connect: clamd may come later.
func New(s Settings) (*Scanner, error) {
	url, err := clientURL(s.Addr)
	if err != nil {
		return nil, fmt.Errorf("clamd: %w", err)
	}
	return &Scanner{addr: s.Addr, clamd: clamd.NewClamd(url), pings: make(chan struct{}, maxPings)}, nil
}

// Overhead is how many octets more than a message has go to clamd for it. Its
// StreamMaxLength and MaxFileSize must leave room for them.
const Overhead = int64(len(prefix))

// prefix goes before every message. libclamav takes for mail, and decodes the
// attachments of, only what begins with a field that it knows, so a sender
// would need no more than a first field of his own invention to hide
// everything in base64. Postfix's own Received field, which it would know, is
// not yet there when a milter sees the message.
const prefix = "Received: by tollgate\r\n"

// Inspect scans the message. Finding.Virus is the name of the signature as
// clamd says it; no error and no name means that clamd said OK to the whole
// message.
func (s *Scanner) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	virus, err := s.scan(ctx, m.Stash.Open)
	if err != nil {
		return module.Finding{}, s.wrap(err)
	}
	return module.Finding{Virus: virus}, nil
}

// scan has clamd look at what open opens.
func (s *Scanner) scan(ctx context.Context, open func(context.Context) io.Reader) (virus string, err error) {
	line, err := s.stream(ctx, func(ctx context.Context) io.Reader {
		return io.MultiReader(strings.NewReader(prefix), open(ctx))
	})
	if err != nil {
		return "", err
	}
	return parse(line)
}

// Close does nothing: no connection outlives its message.
func (s *Scanner) Close() error { return nil }

func (s *Scanner) wrap(err error) error { return fmt.Errorf("clamd at %s: %w", s.addr, err) }
