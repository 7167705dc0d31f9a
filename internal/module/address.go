package module

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// ParseAddress reads where a service listens, "unix:/path/of/socket" or
// "tcp:host:port", as package net has it.
func ParseAddress(s string) (network, address string, err error) {
	network, address, ok := strings.Cut(s, ":")
	switch {
	case !ok:
		err = errors.New(`want "unix:/path" or "tcp:host:port"`)
	case network == "unix":
		if !filepath.IsAbs(address) || strings.ContainsRune(address, 0) {
			err = errors.New("want an absolute path")
		}
	case network == "tcp":
		err = checkHostPort(address)
	default:
		err = fmt.Errorf("%q is neither unix nor tcp", network)
	}
	if err == nil {
		return network, address, nil
	}
	if meant := meantAddress(s); meant != "" {
		return "", "", fmt.Errorf("%q: %w; did you mean %q?", s, err, meant)
	}
	return "", "", fmt.Errorf("%q: %w", s, err)
}

// meantAddress is how an address is written here that Postfix, clamd.conf and others
// write without a network, or with another word for it; "" where that is not known.
func meantAddress(s string) string {
	word, rest, _ := strings.Cut(s, ":")
	switch strings.ToLower(word) {
	case "local", "unix", "socket":
		if !filepath.IsAbs(rest) {
			return ""
		}
		s = rest
	case "inet", "inet4", "inet6", "tcp", "tcp4", "tcp6":
		s = strings.TrimPrefix(rest, "//")
	}
	if filepath.IsAbs(s) {
		return "unix:" + strings.ReplaceAll(s, "\x00", "")
	}
	if port, host, ok := strings.Cut(s, "@"); ok {
		s = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	if isPort(s) {
		s = net.JoinHostPort("localhost", s) // as in clamd.conf
	}
	if i := strings.LastIndexByte(s, ':'); i > 0 {
		if a, err := netip.ParseAddr(s[:i]); err == nil {
			s = net.JoinHostPort(a.String(), s[i+1:])
		}
	}
	if checkHostPort(s) != nil {
		return ""
	}
	return "tcp:" + s
}

func checkHostPort(address string) error {
	host, port, err := net.SplitHostPort(address)
	switch {
	case isPort(address):
		return errors.New("a port, and no host")
	case err != nil:
		var a *net.AddrError
		if errors.As(err, &a) {
			return errors.New(a.Err)
		}
		return err
	case !isPort(port):
		return fmt.Errorf("%q is no port: a number from 1 to 65535", port)
	case host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == '/' }):
		return fmt.Errorf("%q is no host", host)
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}
