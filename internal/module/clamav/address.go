package clamav

import (
	"fmt"
	"net"
	"net/url"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// clientURL is what go-clamd calls an address, which it parses as a URL. Made
// from parts, so that no character of a path or a host means anything in it.
func clientURL(addr string) (string, error) {
	network, at, err := module.ParseAddress(addr)
	if err != nil {
		return "", err
	}
	if network == "unix" {
		return (&url.URL{Scheme: "unix", Path: at}).String(), nil
	}
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return "", fmt.Errorf("%q: %w", addr, err)
	}
	u := (&url.URL{Scheme: "tcp", Host: net.JoinHostPort(host, port)}).String()
	if _, err := url.Parse(u); err != nil {
		return "", fmt.Errorf("%q: %q is no host", addr, host)
	}
	return u, nil
}
