// Package webclient asks services over HTTP for inspectors: a message goes out
// as it arrives, a bounded answer comes back, and whatever else happens is an
// error. It also reads what the answers have in common.
package webclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is where a service is.
type Config struct {
	// URL is http or https. A user and password in it go out as basic
	// authentication.
	URL string
	// CAs are the certificates, in PEM, by which the service's is checked; ""
	// for those of the system.
	CAs string
}

// Client asks one service. It is safe for use by many goroutines.
type Client struct {
	url   *url.URL
	kept  *http.Client // on connections that are kept
	fresh *http.Client // on one of its own for each question
}

const (
	// maxIdle is how many connections are kept for the next message. More are
	// made when more messages come at once, and closed after them.
	maxIdle     = 8
	idleTimeout = 30 * time.Second
	// dialTimeout is for a connection that nobody waits for any more: whoever
	// does has a shorter deadline.
	dialTimeout = 30 * time.Second
	// maxHeader is of the answer's header, in octets.
	maxHeader = 64 << 10
)

// New makes a client. It does not connect: the service may come later.
func New(c Config) (*Client, error) {
	u, roots, err := c.parse()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		// The policy says where messages go; the environment has no say.
		Proxy:                  nil,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true, // an answer's size is what was read
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}
	once := transport.Clone()
	once.DisableKeepAlives = true
	return &Client{url: u, kept: over(transport), fresh: over(once)}, nil
}

// Check says what New would refuse. The error begins with the URL, in quotes and
// without a password.
func (c Config) Check() error {
	_, _, err := c.parse()
	return err
}

func (c Config) parse() (*url.URL, *x509.CertPool, error) {
	u, err := parseURL(c.URL)
	if err != nil {
		return nil, nil, err
	}
	roots, err := certificates(c.CAs)
	if err != nil {
		return nil, nil, err
	}
	if roots != nil && u.Scheme != "https" {
		return nil, nil, fmt.Errorf("%q: certificates serve https only", u.Redacted())
	}
	return u, roots, nil
}

// over is a client on that transport.
func over(transport *http.Transport) *http.Client {
	return &http.Client{
		Transport: transport,
		// Mail goes to the service that the policy names and to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// parseURL reads the address of a service.
func parseURL(text string) (*url.URL, error) {
	if text != "" && !strings.Contains(text, "://") && !strings.Contains(text, "@") { // which may have a password before it
		return nil, fmt.Errorf("%q has no scheme; did you mean %q?", text, "http://"+text)
	}
	u, err := url.Parse(text)
	if err != nil {
		// The error of url quotes the whole text, and with it a password.
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, err
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: want http:// or https://", u.Redacted())
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q: no host", u.Redacted())
	case u.Fragment != "":
		return nil, fmt.Errorf("%q: a fragment is not sent", u.Redacted())
	}
	return u, nil
}

func certificates(text string) (*x509.CertPool, error) {
	if text == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(text)) {
		return nil, errors.New("certificates: there is none")
	}
	return pool, nil
}

// String is the service's URL without a password.
func (c *Client) String() string { return c.url.Redacted() }

// Close closes the connections that are kept. Requests under way go on.
func (c *Client) Close() error {
	c.kept.CloseIdleConnections()
	return nil
}
