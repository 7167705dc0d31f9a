package redis

import (
	"context"
	"crypto/sha1" // as EVALSHA wants it
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

//go:embed apply.lua
var applyScript string

// scriptSHA is how EVALSHA names a script.
func scriptSHA(script string) string {
	sum := sha1.Sum([]byte(script))
	return hex.EncodeToString(sum[:])
}

// Answers of the script.
const (
	known int64 = iota
	applied
	remembered
	beyondLimit
)

// Put applies the batch, each record in one call of the script.
func (s *Store) Put(ctx context.Context, batch []accounting.Record) error {
	se, err := s.dial(ctx)
	if err != nil {
		return err
	}
	_, err = se.put(ctx, batch)
	return errors.Join(err, se.Close())
}

// apply applies records; it returns those that do not fit, or that a counter
// has no room for.
func (se *session) apply(ctx context.Context, batch []accounting.Record, written map[*part]bool) ([]parked, error) {
	s, now := se.s, se.s.o.Now()
	var unfit []parked
	clients := map[string]bool{}
	for i := range batch {
		r := &batch[i]
		if err := accounting.Fit(r, now, s.o.SeenDays); err != nil {
			unfit = append(unfit, parked{err.Error(), *r})
			continue
		}
		if err := se.addApply(r, now, clients); err != nil {
			return nil, err
		}
	}
	err := se.send(ctx, written, func(c call, v any) error {
		if c.record == nil {
			return nil
		}
		switch answer, ok := v.(int64); {
		case ok && (answer == known || answer == applied || answer == remembered):
		case ok && answer == beyondLimit:
			unfit = append(unfit, parked{fmt.Sprintf("usage record %q: a counter would pass its limit", c.record.ID), *c.record})
		default:
			return fmt.Errorf("%w: to record %q: %v", ErrReply, c.record.ID, v)
		}
		return nil
	})
	return unfit, err
}

// addApply adds the call that applies a record and, for the first of a client,
// the one that lists the client.
func (se *session) addApply(r *accounting.Record, now time.Time, clients map[string]bool) error {
	s := se.s
	if !clients[r.Client] {
		clients[r.Client] = true
		if err := se.add(s.clientsKey(), call{Call: Call{"SADD", s.clientsKey(), r.Client}}); err != nil {
			return err
		}
	}
	keys, args := s.arguments(r, now)
	c := append(make(Call, 0, 3+len(keys)+len(args)), "EVALSHA", s.applySHA, len(keys))
	for _, k := range keys {
		c = append(c, k)
	}
	return se.add(keys[0], call{append(c, args...), r})
}

// arguments of the script for one record.
func (s *Store) arguments(r *accounting.Record, now time.Time) (keys []string, args []any) {
	own, other := r.Marks()
	month, day := accounting.Month(r.Time, s.o.Location), accounting.Day(r.Time, s.o.Location)
	keys = []string{
		s.key(r.Client, "seen", accounting.Day(r.Origin(), time.UTC)), s.key(r.Client, "use", month),
		s.key(r.Client, "rcpt", month), s.key(r.Client, "day", day), s.key(r.Client, "rec", month),
	}
	void := "0"
	if r.Kind == accounting.Void {
		void = "1"
	}
	name := r.Recipient
	if len(name) > accounting.MaxRecipient {
		name = accounting.Other
	}
	deliveries, size, charged := r.Delta()
	args = append(make([]any, 0, 64),
		member(own), member(other), void,
		// Beyond what Fit asks for; counted by this clock, not the server's.
		seconds(r.Origin().AddDate(0, 0, s.o.SeenDays+2).Sub(now)), seconds(r.Time.AddDate(0, 0, s.o.DayDays).Sub(now)),
		s.o.Recipients, name, deliveries, size, charged)
	return keys, r.AppendFields(args)
}

// seconds to live: at least longer than a spool retains what it may bring again.
func seconds(d time.Duration) int64 { return int64(max(d, 8*24*time.Hour) / time.Second) }

// parseFields makes the record of a stream's entry.
func parseFields(entry redis.XMessage) (accounting.Record, error) {
	r, err := accounting.ParseFields(func(name string) (string, bool) {
		v, ok := entry.Values[name].(string)
		return v, ok
	})
	if err != nil {
		return accounting.Record{}, fmt.Errorf("%w: stream entry %s: %w", ErrReply, entry.ID, err)
	}
	return r, nil
}
