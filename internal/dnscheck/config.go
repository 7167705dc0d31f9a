package dnscheck

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
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
	// Stage is how long a whole check may take: SenderMX, Listed, SPF. A
	// caller's context can only make it shorter. Default: 8 s.
	Stage time.Duration

	// InFlight bounds the questions under way at once, each of which has one
	// socket. When there are so many, a new one takes the place of the oldest
	// that has had its quarter of a second. Default: 1024.
	InFlight int
	// CacheEntries bounds the cache, together with 512 octets times as many.
	// Default: 20,000.
	CacheEntries int

	// Now is the clock that ages answers. Default: time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.ResolvConf == "" {
		c.ResolvConf = "/etc/resolv.conf"
	}
	if c.Try <= 0 {
		c.Try = 2 * time.Second
	}
	if c.Stage <= 0 {
		c.Stage = 8 * time.Second
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
	given, port := c.Servers, "53"
	if len(given) == 0 {
		file, err := dns.ClientConfigFromFile(c.ResolvConf)
		if err != nil {
			return nil, fmt.Errorf("dnscheck: %w", err)
		}
		given, port = file.Servers, file.Port
	}
	if len(given) == 0 {
		given = []string{"127.0.0.1", "::1"}
	}
	addrs := make([]string, 0, len(given))
	for _, s := range given {
		addr, err := serverAddr(s, port)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
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
