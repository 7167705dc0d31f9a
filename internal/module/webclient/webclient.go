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
	"regexp"
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
//
// Each question has a connection of its own. On one that is kept, whatever the
// service says too much, a second answer or octets behind its end, would pass for
// the answer to the next question, which is about another message.
type Client struct {
	url  *url.URL
	http *http.Client
}

const (
	// maxResumed is how many TLS sessions are kept to be resumed: a handshake for
	// each question costs less with one.
	maxResumed = 8
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
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(maxResumed)},
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true, // an answer's size is what was read
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
	}
	return &Client{url: u, http: &http.Client{
		Transport: transport,
		// Mail goes to the service that the policy names and to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
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
		return nil, nil, fmt.Errorf("%q: certificates serve https only", withoutUser(c.URL))
	}
	return u, roots, nil
}

// parseURL reads the address of a service. Nothing of what may be a password
// stands in its errors, however the address is written.
func parseURL(text string) (*url.URL, error) {
	shown := withoutUser(text)
	u, err := url.Parse(text)
	switch {
	case !strings.Contains(text, "://"):
		if shown == text {
			return nil, fmt.Errorf("%q has no scheme; did you mean %q?", text, "http://"+text)
		}
		return nil, fmt.Errorf("%q has no scheme: want http:// or https://", shown)
	case err != nil:
		return nil, fmt.Errorf("%q: %s", shown, unread(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: want http:// or https://", shown)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q: no host", shown)
	case u.Fragment != "":
		return nil, fmt.Errorf("%q: a fragment is not sent", shown)
	}
	return u, nil
}

// withoutUser is an address as it may be shown: what stands before an at sign is
// left out, and all of it where anything else may be meant for a password.
func withoutUser(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	} else {
		scheme += "://"
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		scheme, rest = scheme+"…@", rest[at+1:]
	}
	harmless := regexp.MustCompile(`^(\[[0-9A-Fa-f:.]*\]|[^:/?#\[\]@\s]*)(:[0-9]*)?(/[^:?#]*)?([?#][^:]*)?$`)
	if strings.Contains(scheme, ":") && !strings.HasSuffix(strings.TrimSuffix(scheme, "…@"), "://") || !harmless.MatchString(rest) {
		return "…"
	}
	return scheme + rest
}

// unread is what is wrong with an address that cannot be read: the errors of url
// quote it, and with it a password.
func unread(err error) string {
	var escape url.EscapeError
	switch {
	case errors.As(err, &escape):
		return "a percent sign that encodes nothing: in a password it is %25 (RFC 3986 2.1)"
	case strings.Contains(err.Error(), "invalid port"):
		return "the port is no number: in a password / is %2F, # is %23, ? is %3F (RFC 3986 2.1)"
	}
	return "it is no URL: in a password other characters than letters, digits and -._~ need a percent sign (RFC 3986 2.1)"
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
