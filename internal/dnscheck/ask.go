package dnscheck

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// ErrNoQuestion: what is to be asked for is no name in the DNS.
var ErrNoQuestion = errors.New("no name in the DNS")

// Ask asks one server, address and port, for the addresses of a name, and tells by
// which code it answered, NOERROR or NXDOMAIN of a server that serves who asks. The
// error says that it did not answer within try, over UDP and over TCP.
func Ask(ctx context.Context, server, name string, try time.Duration) (rcode string, err error) {
	full, ok := absolute(name)
	if !ok {
		return "", fmt.Errorf("dnscheck: %q: %w", name, ErrNoQuestion)
	}
	m, err := exchange(ctx, server, question{full, dns.TypeA}, try)
	if err != nil {
		return "", fmt.Errorf("dnscheck: %w", err)
	}
	return dns.RcodeToString[m.Rcode], nil
}
