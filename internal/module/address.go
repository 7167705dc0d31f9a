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
	if err != nil {
		return "", "", fmt.Errorf("%q: %w", s, err)
	}
	return network, address, nil
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
