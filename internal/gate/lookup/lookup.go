// Package lookup has what is asked of others in the background while a session
// goes on: each question once, all side by side, none left over at its end.
package lookup

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// answer is to a question that was put in the background.
type answer struct {
	done  chan struct{}
	value rules.Value
	err   error
}

// Group owns the look-ups that a session has begun: they end with it, and
// it with them. What a look-up needs it has taken along when it was begun: the
// session goes on meanwhile, and may adopt another policy.
type Group struct {
	Now  func() time.Time // the clock; with Took
	Took *took.Times      // counts what is waited; nil: nobody asks

	ctx    context.Context
	cancel context.CancelFunc // nil before the first
	under  sync.WaitGroup
}

// End cancels what is still asked and waits for it.
func (a *Group) End() {
	if a.cancel != nil {
		a.cancel()
		a.under.Wait()
	}
}

func begin(ctx context.Context, a *Group, ask Question) *answer {
	if a.cancel == nil {
		a.ctx, a.cancel = context.WithCancel(ctx)
	}
	l := &answer{done: make(chan struct{})}
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
func (a *Group) wait(ctx context.Context, l *answer) (rules.Value, error) {
	select {
	case <-l.done: // as nearly always: no look at the clock
		return l.value, l.err
	default:
	}
	if a.Took != nil {
		begun := a.Now()
		defer func() { a.Took.Add(took.DNS, a.Now().Sub(begun)) }()
	}
	select {
	case <-l.done:
		return l.value, l.err
	case <-ctx.Done():
		return rules.Value{}, ctx.Err()
	}
}

// Question is what has to be asked for a key, nil for nothing. It must not
// look at the session or the message: these go on.
type Question func(ctx context.Context) (rules.Value, error)

// Set are the questions of a session or a message, each put once, by the
// key of the rules.
type Set map[rules.Key]*answer

// Begin puts those of keys that ask has a question for and that were not put
// yet. All run side by side.
func (l *Set) Begin(ctx context.Context, a *Group, keys []rules.Key, ask func(rules.Key) Question) {
	for _, k := range keys {
		if (*l)[k] != nil {
			continue
		}
		q := ask(k)
		if q == nil {
			continue
		}
		if *l == nil {
			*l = make(Set)
		}
		(*l)[k] = begin(ctx, a, q)
	}
}

// Answer has the value of a key, asking for it now if nobody has before: no value
// where there is nothing to ask for.
func (l *Set) Answer(ctx context.Context, a *Group, k rules.Key, ask func(rules.Key) Question) (rules.Value, error) {
	l.Begin(ctx, a, []rules.Key{k}, ask)
	if one := (*l)[k]; one != nil {
		return a.wait(ctx, one)
	}
	return rules.Value{}, nil
}
