package state

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// GreylistConfig is how mail is greylisted.
type GreylistConfig struct {
	Terms
	// IPv4Mask and IPv6Mask are the lengths of the prefixes that make one
	// client of the addresses below them: large senders try again from another
	// address. 0 leaves the client out.
	IPv4Mask, IPv6Mask int
}

// DefaultGreylist is the contract's.
func DefaultGreylist() GreylistConfig {
	return GreylistConfig{
		Terms:    Terms{Delay: 5 * time.Minute, Window: 2 * day, Life: 36 * day, AutoWhitelist: 5},
		IPv4Mask: 24, IPv6Mask: 64,
	}
}

const day = 24 * time.Hour

// Limits of what makes sense.
const (
	maxLife          = 3660 * day
	maxAutoWhitelist = 1000
)

// Validate tells everything that is wrong, by the names of policies.
func (c GreylistConfig) Validate() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(c.Delay < time.Second, "delay is %v, at least 1s is needed", c.Delay)
	wrong(c.Window <= c.Delay, "window is %v: nothing that waits for delay (%v) passes in it", c.Window, c.Delay)
	wrong(c.Life < time.Second, "life is %v, at least 1s is needed", c.Life)
	wrong(max(c.Window, c.Life) > maxLife, "window is %v and life %v: at most %v is possible", c.Window, c.Life, maxLife)
	wrong(c.IPv4Mask < 0 || c.IPv4Mask > 32, "ipv4_mask is %d, not 0 to 32", c.IPv4Mask)
	wrong(c.IPv6Mask < 0 || c.IPv6Mask > 128, "ipv6_mask is %d, not 0 to 128", c.IPv6Mask)
	wrong(c.AutoWhitelist < 0 || c.AutoWhitelist > maxAutoWhitelist, "auto_whitelist is %d, not 0 to %d", c.AutoWhitelist, maxAutoWhitelist)
	wrong(c.AutoWhitelist > 0 && (c.IPv4Mask == 0 || c.IPv6Mask == 0),
		"auto_whitelist with a mask of 0 lets everybody pass after the first %d: set it to 0", c.AutoWhitelist)
	return errors.Join(errs...)
}

// Greylist delays the mail of strangers: who means it tries again (RFC 6647).
type Greylist struct {
	access *Access
	c      GreylistConfig
}

// Greylist makes one by a configuration that is valid.
func (a *Access) Greylist(c GreylistConfig) (*Greylist, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("greylist: %w", err)
	}
	for _, d := range []*time.Duration{&c.Delay, &c.Window, &c.Life} {
		*d = d.Truncate(time.Millisecond)
	}
	return &Greylist{access: a, c: c}, nil
}

// Check records that the client tries to deliver mail of the sender (empty:
// the null sender) to the recipient, and tells whether it may. Addresses are
// as SMTP has them. An error, which comes within the time-out, means
// that it is not known: the mail is not to be delayed then.
func (g *Greylist) Check(ctx context.Context, client netip.Addr, sender, recipient string, now time.Time) (Answer, error) {
	network, err := g.c.network(client)
	if err != nil {
		return Answer{}, err
	}
	if now, err = whole(now); err != nil {
		return Answer{}, err
	}
	t := Try{
		Network: network, Now: now, Terms: g.c.Terms,
		Triplet: newID("triplet", network.String(), Stem(sender), address.Fold(recipient)),
	}
	var a Answer
	err = g.access.do(ctx, func(ctx context.Context) (err error) {
		a, err = g.access.store.Try(ctx, t)
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("greylist: %w", err)
	}
	return a, nil
}

// network is the one of a client.
func (c *GreylistConfig) network(client netip.Addr) (netip.Prefix, error) {
	client = client.Unmap().WithZone("")
	if !client.IsValid() {
		return netip.Prefix{}, ErrClient
	}
	bits := c.IPv6Mask
	if client.Is4() {
		bits = c.IPv4Mask
	}
	return client.Prefix(bits)
}

// whole is a time in the milliseconds that stores keep.
func whole(t time.Time) (time.Time, error) {
	if t.UnixMilli() <= 0 {
		return t, ErrClock
	}
	return time.UnixMilli(t.UnixMilli()).UTC(), nil
}
