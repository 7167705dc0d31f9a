package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Clients are those that ever had a record, sorted: also those that somebody took out of
// the set of clients.
func (s *Store) Clients(ctx context.Context) ([]string, error) { return s.clients(ctx, scanAge) }

// Periods are those in which the client has an account of its own.
func (s *Store) Periods(ctx context.Context, client string) ([]string, error) {
	list, err := s.periodsOf(ctx, client, firstMonth(), s.o.Now().Add(accounting.FutureLimit))
	if err != nil {
		return nil, err
	}
	pipe := s.db.Pipeline()
	cmds := make([]*redis.IntCmd, len(list))
	for i, p := range list {
		cmds[i] = pipe.Exists(ctx, s.key(client, "rec", p))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fault(err)
	}
	var there []string
	for i, c := range cmds {
		if c.Val() > 0 {
			there = append(there, list[i])
		}
	}
	return accounting.SortPeriods(there), nil
}

// RecordsOf calls fn with every record of a client's period.
func (s *Store) RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	return s.stream(ctx, s.key(client, "rec", period), func(r accounting.Record) error {
		r.Period = period
		return fn(r)
	})
}

// CounterOf reads the counters of a client's period.
func (s *Store) CounterOf(ctx context.Context, client, period string) (accounting.Counter, error) {
	key := s.key(client, "use", period)
	values, err := s.db.HMGet(ctx, key, counterFields()...).Result()
	if err != nil {
		return accounting.Counter{}, ofClient(key, err)
	}
	c, _, err := readCounter(values)
	if err != nil {
		return c, unreadable(key, err)
	}
	c.Client, c.Period = client, period
	return c, nil
}

// ClosePeriod closes a client's period.
func (s *Store) ClosePeriod(ctx context.Context, client, period string) error {
	return fault(s.db.HSet(ctx, s.key(client, "use", period), "closed", s.timestamp()).Err())
}

// DropRecords empties the stream of a client's closed period. It stays, so that
// the period is known to have been.
func (s *Store) DropRecords(ctx context.Context, client, period string) error {
	c, err := s.CounterOf(ctx, client, period)
	if err != nil {
		return err
	}
	if !c.Closed {
		return fmt.Errorf("redis store: %s, %s is not closed: its records stay", client, period)
	}
	return fault(s.db.XTrimMaxLen(ctx, s.key(client, "rec", period), 0).Err())
}

// Gateways tells when each gateway was last heard of.
func (s *Store) Gateways(ctx context.Context) ([]accounting.Gateway, error) {
	var list []accounting.Gateway
	names, err := s.gatewayNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		values, err := s.db.HMGet(ctx, s.o.Prefix+"gw:"+name, "heartbeat", "backlog").Result()
		if err != nil {
			return nil, fault(err)
		}
		g := accounting.Gateway{Name: name}
		beat, _ := values[0].(string)
		g.Heartbeat, _ = time.Parse(time.RFC3339, beat) // none is very long ago
		backlog, _ := values[1].(string)
		if _, err := fmt.Sscan(backlog, &g.Backlog); err != nil && backlog != "" {
			return nil, fmt.Errorf("%w: backlog of gateway %s: %q", ErrReply, name, backlog)
		}
		list = append(list, g)
	}
	return list, nil
}

// gatewayNames are found by their keys: there are few, and this is asked
// seldom.
func (s *Store) gatewayNames(ctx context.Context) ([]string, error) {
	prefix := s.o.Prefix + "gw:"
	keys, err := s.scan(ctx, prefix+"*")
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], prefix)
	}
	return keys, err
}

// SetClose keeps the seal of a closed period.
func (s *Store) SetClose(ctx context.Context, c accounting.Close) error {
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := s.db.HSet(ctx, s.closesKey(), c.Period, value).Err(); err != nil {
		return fault(err)
	}
	s.noteSeal(c.Period, sealState{true, s.o.Now()})
	return nil
}

// Closes are the seals, the first one closed first.
func (s *Store) Closes(ctx context.Context) ([]accounting.Close, error) {
	all, err := s.db.HGetAll(ctx, s.closesKey()).Result()
	if err != nil {
		return nil, fault(err)
	}
	var list []accounting.Close
	for period, text := range all {
		var c accounting.Close
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil, fmt.Errorf("%w: %s: %s: %w", ErrReply, s.closesKey(), period, err)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b accounting.Close) int { return a.Number - b.Number })
	return list, nil
}

// FeesThrough is until when the fees of all clients were looked after.
func (s *Store) FeesThrough(ctx context.Context) (time.Time, error) {
	text, err := s.db.Get(ctx, s.feesKey()).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, at(s.feesKey(), err)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %s: %w", ErrReply, s.feesKey(), err)
	}
	return t, nil
}

// SetFeesThrough says until when they are.
func (s *Store) SetFeesThrough(ctx context.Context, t time.Time) error {
	return at(s.feesKey(), s.db.Set(ctx, s.feesKey(), t.UTC().Format(time.RFC3339), 0).Err())
}

func (s *Store) feesKey() string { return s.o.Prefix + "fees" }

func (s *Store) closesKey() string { return s.o.Prefix + "closes" }
