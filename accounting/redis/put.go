package redis

import (
	"context"
	"crypto/sha1" // as EVALSHA wants it
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

//go:embed apply.lua
var applyScript string

func scriptSHA() string {
	sum := sha1.Sum([]byte(applyScript))
	return hex.EncodeToString(sum[:])
}

// Answers of the script.
const (
	known int64 = iota
	applied
	remembered
	beyondLimit
)

// pipelined is how many records go in one pipeline.
const pipelined = 512

// Put applies the batch, each record in one call of the script.
func (s *Store) Put(ctx context.Context, batch []accounting.Record) error {
	for len(batch) > 0 {
		n := min(len(batch), pipelined)
		if err := s.put(ctx, batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

func (s *Store) put(ctx context.Context, batch []accounting.Record) error {
	now := s.o.Now()
	var unfit []parked
	fit := make([]*accounting.Record, 0, len(batch))
	for i := range batch {
		if err := accounting.Fit(&batch[i], now, s.o.SeenDays); err != nil {
			unfit = append(unfit, parked{err.Error(), batch[i]})
			continue
		}
		fit = append(fit, &batch[i])
	}
	if len(fit) > 0 {
		beyond, err := s.apply(ctx, fit, now)
		if err != nil {
			return err
		}
		unfit = append(unfit, beyond...)
	}
	return s.park(ctx, unfit)
}

// apply applies records; it returns those that a counter has no room for.
func (s *Store) apply(ctx context.Context, list []*accounting.Record, now time.Time) ([]parked, error) {
	calls, err := s.call(ctx, list, now)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		// A server that was started anew, or whose scripts were flushed. What
		// was applied before it said so is known when it comes again.
		if err := s.db.ScriptLoad(ctx, applyScript).Err(); err != nil {
			return nil, fault(err)
		}
		calls, err = s.call(ctx, list, now)
	}
	if err != nil {
		return nil, fault(err)
	}
	var beyond []parked
	for i, c := range calls {
		switch answer, ok := c.Val().(int64); {
		case ok && (answer == known || answer == applied || answer == remembered):
		case ok && answer == beyondLimit:
			beyond = append(beyond, parked{fmt.Sprintf("usage record %q: a counter would pass its limit", list[i].ID), *list[i]})
		default:
			return nil, fmt.Errorf("%w: to record %q: %v", ErrReply, list[i].ID, c.Val())
		}
	}
	return beyond, nil
}

// call sends the records in one pipeline. The error is the first of any.
func (s *Store) call(ctx context.Context, list []*accounting.Record, now time.Time) ([]*redis.Cmd, error) {
	pipe := s.db.Pipeline()
	clients := map[string]bool{}
	for _, r := range list {
		if !clients[r.Client] {
			clients[r.Client] = true
			pipe.SAdd(ctx, s.clientsKey(), r.Client)
		}
	}
	calls := make([]*redis.Cmd, len(list))
	sha := scriptSHA()
	for i, r := range list {
		keys, args := s.arguments(r, now)
		calls[i] = pipe.EvalSha(ctx, sha, keys, args...)
	}
	_, err := pipe.Exec(ctx)
	return calls, err
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

// seconds to live, a day at least.
func seconds(d time.Duration) int64 { return int64(max(d, 24*time.Hour) / time.Second) }

// parked is a value of the parked hash.
type parked struct {
	Reason string            `json:"reason"`
	Record accounting.Record `json:"record"`
}

// park keeps for the operator what cannot be applied, once.
func (s *Store) park(ctx context.Context, list []parked) error {
	if len(list) == 0 {
		return nil
	}
	pipe := s.db.Pipeline()
	fresh := make([]*redis.BoolCmd, len(list))
	for i, p := range list {
		value, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("redis store: parking %q: %w", p.Record.ID, err)
		}
		fresh[i] = pipe.HSetNX(ctx, s.parkedKey(), p.Record.ID, value)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fault(err)
	}
	for i, f := range fresh {
		if f.Val() {
			s.o.Log.Error("a usage record cannot be applied and is parked", "error", list[i].Reason)
		}
	}
	return nil
}

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
