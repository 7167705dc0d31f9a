package takeover

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/state"
)

// Successor answers for a process that has taken over to the one before.
type Successor interface {
	Append(ctx context.Context, records []accounting.Record) error
	// State is the store of the state folder; nil where there is none.
	State() state.Store
	Standings(since uint64) Standings
	// Inherit has lines of a journal written that the one before could not write.
	Inherit(kind string, lines []byte) error
}

// Codes of what the one before decides on.
const (
	codeUncertain = "uncertain"
	codeRecords   = "records"
	codeAway      = "away"
	codeFull      = "full"
	codeClock     = "clock"
)

// Answers are handlers for what the one before asks: it is of the same user.
func Answers(s Successor, handlers map[string]control.Handler) map[string]control.Handler {
	handlers[cmdRecords] = control.Privileged(func(ctx context.Context, request json.RawMessage) (any, error) {
		return nil, keep(ctx, s, request)
	})
	handlers[cmdTry] = control.Privileged(func(ctx context.Context, request json.RawMessage) (any, error) {
		var t state.Try
		store, err := asked(s, request, &t)
		if err != nil {
			return nil, err
		}
		a, err := store.Try(ctx, t)
		return a, refused(err)
	})
	handlers[cmdRemember] = control.Privileged(func(ctx context.Context, request json.RawMessage) (any, error) {
		var r rememberRequest
		store, err := asked(s, request, &r)
		if err != nil {
			return nil, err
		}
		return nil, refused(store.Remember(ctx, r.IDs, r.Now, r.Life))
	})
	handlers[cmdRemembered] = control.Privileged(func(ctx context.Context, request json.RawMessage) (any, error) {
		var r rememberedRequest
		store, err := asked(s, request, &r)
		if err != nil {
			return nil, err
		}
		known, err := store.Remembered(ctx, r.ID, r.Now, r.Life)
		return known, refused(err)
	})
	handlers[cmdStandings] = control.Privileged(func(_ context.Context, request json.RawMessage) (any, error) {
		var r standingsRequest
		if err := json.Unmarshal(request, &r); err != nil {
			return nil, err
		}
		return s.Standings(r.Since), nil
	})
	handlers[cmdLines] = control.Privileged(func(_ context.Context, request json.RawMessage) (any, error) {
		var r linesRequest
		if err := json.Unmarshal(request, &r); err != nil {
			return nil, err
		}
		return nil, s.Inherit(r.Kind, r.Lines)
	})
	return handlers
}

// keep makes records durable.
func keep(ctx context.Context, s Successor, request json.RawMessage) error {
	var q recordsRequest
	if err := json.Unmarshal(request, &q); err != nil {
		return err
	}
	records := make([]accounting.Record, len(q.Records))
	for i, text := range q.Records {
		var err error
		if records[i], err = accounting.ParseRecord(text); err != nil {
			return &control.Refusal{Code: codeRecords, Message: err.Error()}
		}
	}
	// Whoever asked may hang up: that must not leave open whether they are kept.
	err := s.Append(context.WithoutCancel(ctx), records)
	switch {
	case errors.Is(err, spool.ErrUncertain):
		return &control.Refusal{Code: codeUncertain, Message: err.Error()}
	case err != nil:
		return &control.Refusal{Code: codeRecords, Message: err.Error()}
	}
	return nil
}

// asked reads a question to the state store.
func asked(s Successor, request json.RawMessage, into any) (state.Store, error) {
	if err := json.Unmarshal(request, into); err != nil {
		return nil, err
	}
	store := s.State()
	if store == nil {
		return nil, refused(state.ErrAway)
	}
	return store, nil
}

// refused is an error of a state store, for the line.
func refused(err error) error {
	if err == nil {
		return nil
	}
	code := control.CodeFault
	for _, c := range stateErrors() {
		if errors.Is(err, c.err) {
			code = c.code
		}
	}
	return &control.Refusal{Code: code, Message: err.Error()}
}

// stateError is the same on the other side.
func stateError(r *control.Refusal) error {
	for _, c := range stateErrors() {
		if r.Code == c.code {
			return c.err
		}
	}
	return r
}

type coded struct {
	code string
	err  error
}

func stateErrors() []coded {
	return []coded{{codeAway, state.ErrAway}, {codeFull, state.ErrFull}, {codeClock, state.ErrClock}}
}
