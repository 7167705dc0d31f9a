package clamav

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// clientURL is what go-clamd calls an address, which it parses as a URL. Made
// from parts, so that no character of a path or a host means anything in it.
func clientURL(addr string) (string, error) {
	network, rest, ok := strings.Cut(addr, ":")
	if !ok {
		return "", fmt.Errorf("clamd %q: want unix:/path or tcp:host:port", addr)
	}
	switch network {
	case "unix":
		if !filepath.IsAbs(rest) || strings.ContainsRune(rest, 0) {
			return "", fmt.Errorf("clamd %q: want an absolute path", addr)
		}
		return (&url.URL{Scheme: "unix", Path: rest}).String(), nil
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		if err != nil {
			return "", fmt.Errorf("clamd %q: %w", addr, err)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", fmt.Errorf("clamd %q: %q is no port", addr, port)
		}
		if host == "" {
			return "", fmt.Errorf("clamd %q: no host", addr)
		}
		u := (&url.URL{Scheme: "tcp", Host: net.JoinHostPort(host, port)}).String()
		if _, err := url.Parse(u); err != nil {
			return "", fmt.Errorf("clamd %q: %q is no host", addr, host)
		}
		return u, nil
	}
	return "", fmt.Errorf("clamd %q: %q is neither unix nor tcp", addr, network)
}
