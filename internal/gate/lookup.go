package gate

import (
	"context"
	"errors"
	"net/netip"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/rules"
)

// DNS answers what policies ask of it. Each call has its own deadline; an error
// is a passing fault.
type DNS interface {
	// SenderMX is ok, implicit, null, missing or none for the sender's address.
	SenderMX(ctx context.Context, sender string) (string, error)
	// Listed and ListedDomain have the addresses that a DNS list answers with,
	// none where it does not have the client or domain.
	Listed(ctx context.Context, zone string, client netip.Addr) ([]netip.Addr, error)
	ListedDomain(ctx context.Context, zone, domain string) ([]netip.Addr, error)
	SPF(ctx context.Context, client netip.Addr, helo, sender string) (dnscheck.SPFResult, error)
	// LookupTXT is a mailauth.Lookup.
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// lookup is a question that was put in the background.
type lookup[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func begin[T any](ctx context.Context, ask func(context.Context) (T, error)) *lookup[T] {
	l := &lookup[T]{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer func() {
			// One bad answer never ends the daemon.
			if p := recover(); p != nil {
				l.err = errors.New("internal fault in a look-up")
			}
		}()
		l.value, l.err = ask(ctx)
	}()
	return l
}

// wait has the answer, or the error of ctx when that ends before.
func (l *lookup[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-l.done:
		return l.value, l.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// lookups are the questions of a session or a message, each put once, by the
// key of the rules.
type lookups map[rules.Key]*lookup[rules.Value]

// begin puts those of keys that ask has a question for and that were not put
// yet. All run side by side.
func (l *lookups) begin(ctx context.Context, keys []rules.Key, ask func(rules.Key) func(context.Context) (rules.Value, error)) {
	for _, k := range keys {
		question := ask(k)
		if question == nil || (*l)[k] != nil {
			continue
		}
		if *l == nil {
			*l = make(lookups)
		}
		(*l)[k] = begin(ctx, question)
	}
}
