package module

import (
	"errors"
	"fmt"
	"net"
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
		err = errors.New("want unix:/path or tcp:host:port")
	case network == "unix":
		if !filepath.IsAbs(address) || strings.ContainsRune(address, 0) {
			err = errors.New("want an absolute path")
		}
	case network == "tcp":
		err = checkHostPort(address)
	default:
		err = fmt.Errorf("%q is neither unix nor tcp", network)
	}
	if meant := meantAddress(s); err != nil && meant != "" {
		return "", "", fmt.Errorf("%q: %w; write %s", s, err, meant)
	}
	if err != nil {
		return "", "", fmt.Errorf("%q: %w", s, err)
	}
	return network, address, nil
}

// meantAddress is how an address is written here that Postfix, clamd.conf and others
// write without a network, or with another word for it; "" where that is not known.
func meantAddress(s string) string {
	if filepath.IsAbs(s) {
		return "unix:" + s
	}
	word, rest, _ := strings.Cut(s, ":")
	switch strings.ToLower(word) {
	case "local", "unix", "socket":
		if filepath.IsAbs(rest) {
			return "unix:" + rest
		}
		return ""
	case "inet", "inet6", "tcp4", "tcp6":
		s = rest
		if port, host, ok := strings.Cut(rest, "@"); ok {
			s = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
	}
	if checkHostPort(s) == nil {
		return "tcp:" + s
	}
	return ""
}

func checkHostPort(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%q is no port", port)
	}
	if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' }) {
		return fmt.Errorf("%q is no host", host)
	}
	return nil
}
