package gate

import (
	"context"
	"errors"
	"net/netip"
	"sync"

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

// asking owns the look-ups that a session has begun: they end with it, and
// it with them. What a look-up needs it has taken along when it was begun: the
// session goes on meanwhile, and may adopt another policy.
type asking struct {
	ctx    context.Context
	cancel context.CancelFunc // nil before the first
	under  sync.WaitGroup
}

// end cancels what is still asked and waits for it.
func (a *asking) end() {
	if a.cancel != nil {
		a.cancel()
		a.under.Wait()
	}
}

func begin[T any](ctx context.Context, a *asking, ask func(context.Context) (T, error)) *lookup[T] {
	if a.cancel == nil {
		a.ctx, a.cancel = context.WithCancel(ctx)
	}
	l := &lookup[T]{done: make(chan struct{})}
	a.under.Go(func() {
		defer close(l.done)
		defer func() {
			// One bad answer never ends the daemon.
			if p := recover(); p != nil {
				l.err = errors.New("internal fault in a look-up")
			}
		}()
		l.value, l.err = ask(a.ctx)
	})
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

// question is what has to be asked for a key, nil for nothing. It must not
// look at the session or the message: these go on.
type question func(ctx context.Context) (rules.Value, error)

// lookups are the questions of a session or a message, each put once, by the
// key of the rules.
type lookups map[rules.Key]*lookup[rules.Value]

// begin puts those of keys that ask has a question for and that were not put
// yet. All run side by side.
func (l *lookups) begin(ctx context.Context, a *asking, keys []rules.Key, ask func(rules.Key) question) {
	for _, k := range keys {
		if (*l)[k] != nil {
			continue
		}
		q := ask(k)
		if q == nil {
			continue
		}
		if *l == nil {
			*l = make(lookups)
		}
		(*l)[k] = begin(ctx, a, q)
	}
}
