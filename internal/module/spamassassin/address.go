package spamassassin

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
)

// address is where spamd listens, as package net has it.
type address struct{ network, at string }

func (a address) String() string { return a.network + ":" + a.at }

func parseAddress(s string) (address, error) {
	network, at, ok := strings.Cut(s, ":")
	if !ok {
		return address{}, fmt.Errorf("spamd %q: want unix:/path or tcp:host:port", s)
	}
	switch network {
	case "unix":
		if !filepath.IsAbs(at) || strings.ContainsRune(at, 0) {
			return address{}, fmt.Errorf("spamd %q: want an absolute path", s)
		}
		return address{network, at}, nil
	case "tcp":
		host, port, err := net.SplitHostPort(at)
		if err != nil {
			return address{}, fmt.Errorf("spamd %q: %w", s, err)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return address{}, fmt.Errorf("spamd %q: %q is no port", s, port)
		}
		if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' }) {
			return address{}, fmt.Errorf("spamd %q: %q is no host", s, host)
		}
		return address{network, at}, nil
	}
	return address{}, fmt.Errorf("spamd %q: %q is neither unix nor tcp", s, network)
}
