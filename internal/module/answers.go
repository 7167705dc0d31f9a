package module

import (
	"context"
	"errors"
)

type (
	recordKey struct{}
	recallKey struct{}
	recordFn  = func(g *Guard, m *Message, r Result)
	recallFn  = func(g *Guard, m *Message) (Result, bool)
)

// ErrUnknown is recalled of an inspection of which nobody knows any more what it
// found, or whether there was one.
var ErrUnknown = errors.New("not known any more")

// WithRecord has keep told the result of each inspection that was begun in the
// context, when it is waited for.
func WithRecord(ctx context.Context, keep func(g *Guard, m *Message, r Result)) context.Context {
	return context.WithValue(ctx, recordKey{}, keep)
}

// WithRecall has inspections that are begun in the context answered by known,
// where it knows the result, and not made.
func WithRecall(ctx context.Context, known func(g *Guard, m *Message) (Result, bool)) context.Context {
	return context.WithValue(ctx, recallKey{}, known)
}

// recalled is an inspection whose result is known, nil where it is to be made.
func (g *Guard) recalled(ctx context.Context, m *Message) *Inspection {
	known, ok := ctx.Value(recallKey{}).(recallFn)
	if !ok {
		return nil
	}
	r, ok := known(g, m)
	if !ok {
		return nil
	}
	i := &Inspection{guard: g, done: make(chan struct{}), result: r}
	close(i.done)
	return i
}
