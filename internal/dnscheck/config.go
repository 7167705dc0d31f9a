package dnscheck

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// Config of a resolver. The zero value of each field is its default.
type Config struct {
	// Servers are recursive servers, as address or address:port, in order of
	// preference. Default: those of ResolvConf.
	Servers []string
	// ResolvConf names the file of servers. Default: /etc/resolv.conf; when
	// that names none, 127.0.0.1 and ::1, as resolv.conf(5) has it.
	ResolvConf string

	// Try is how long one server has for one reply. Default: 2 s.
	Try time.Duration
	// Total is how long a whole check may take: SenderMX, Listed, SPF. A
	// caller's context can only make it shorter. Default: 8 s.
	Total time.Duration

	// InFlight bounds the questions under way at once, each of which has one
	// socket. When there are so many, a new one takes the place of the oldest
	// that has had its quarter of a second. Default: 1024.
	InFlight int
	// CacheEntries bounds the cache, together with 512 octets times as many.
	// Default: 20,000.
	CacheEntries int

	// Now is the clock that ages answers. Default: time.Now.
	Now func() time.Time
	// Log is told when a DNS list begins to refuse or is not trusted. Default:
	// nobody is.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.ResolvConf == "" {
		c.ResolvConf = "/etc/resolv.conf"
	}
	if c.Try <= 0 {
		c.Try = 2 * time.Second
	}
	if c.Total <= 0 {
		c.Total = 8 * time.Second
	}
	if c.InFlight <= 0 {
		c.InFlight = 1024
	}
	if c.CacheEntries <= 0 {
		c.CacheEntries = 20000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// servers are the addresses to ask, with ports.
func (c Config) servers() ([]string, error) {
	addrs := make([]string, 0, len(c.Servers))
	for _, s := range c.Servers {
		addr, err := serverAddr(s, "53")
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	addrs, _, err := readResolvConf(c.ResolvConf)
	return addrs, err
}

// Addresses are the servers that a resolver of this configuration asks, as
// address:port, read from ResolvConf where none are given.
func (c Config) Addresses() ([]string, error) { return c.withDefaults().servers() }

// CheckResolvConf tells of entries of resolv.conf that nobody is asked by: names
// in place of addresses.
func CheckResolvConf(path string) ([]string, error) {
	_, names, err := readResolvConf(Config{ResolvConf: path}.withDefaults().ResolvConf)
	return names, err
}

// mostResolvConf is how long resolv.conf may be, in octets.
const mostResolvConf = 1 << 20

// readResolvConf reads the servers of the system, each once. The file may lack, or
// name none: then there is one on this host (resolv.conf(5)). Names among them need
// a resolver, and are left out. The library's reader takes a file that it cannot
// read to its end for one that ends there.
func readResolvConf(path string) (addrs, names []string, err error) {
	file, err := os.Open(path)
	var text []byte
	if err == nil {
		defer file.Close()
		text, err = io.ReadAll(io.LimitReader(file, mostResolvConf+1))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, nil, fmt.Errorf("dnscheck: %w", err)
	case len(text) > mostResolvConf:
		return nil, nil, fmt.Errorf("dnscheck: %s has more than %d octets", path, mostResolvConf)
	}
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if addr, err := serverAddr(words[1], "53"); err != nil {
			names = append(names, words[1])
		} else if !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		addrs = []string{"127.0.0.1:53", "[::1]:53"}
	}
	return addrs, names, nil
}

// ServerAddr reads a server as policies write it: an IP address, or one with a
// port. It is the form with the port, 53 where none is given.
func ServerAddr(s string) (string, error) { return serverAddr(s, "53") }

// serverAddr adds the port where none is given. A name would need a resolver.
func serverAddr(s, port string) (string, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		if ap.Port() == 0 {
			return "", fmt.Errorf("dnscheck: server %q: port 0", s)
		}
		return ap.String(), nil
	}
	bare := s
	if inner, ok := strings.CutPrefix(s, "["); ok {
		bare = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(bare); err != nil {
		return "", fmt.Errorf("dnscheck: server %q is no IP address, with or without a port", s)
	}
	return net.JoinHostPort(bare, port), nil
}
