package redis

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

//go:embed entry.lua
var entryScript string

// Answers of the entry's script that the one of records does not have.
const (
	otherContent int64 = iota + 7
	reversed
	otherCurrency
)

// reversesField is where it stands in a client's entries by which id one of them
// was reversed. No id begins like it.
const reversesField = "\x00reverses\x00"

// Enter books a payment, an adjustment or a fee, once for its ID.
func (s *Store) Enter(ctx context.Context, r accounting.Record) (bool, error) {
	if err := r.Check(); err != nil {
		return false, err
	}
	amount, err := strconv.ParseInt(r.Amount, 10, 64)
	if err != nil {
		return false, err
	}
	account, plans, err := s.account(ctx, r.Client)
	if err != nil {
		return false, err
	}
	if r.Currency == "" {
		r.Currency = account.Currency
	}
	counter, delta := "adjusted", amount
	switch r.Kind {
	case accounting.Payment:
		counter = "paid"
	case accounting.Fee:
		counter, delta = "fee", -amount
	}
	now := s.o.Now()
	for at, moved := r.Time, false; ; moved = true {
		p := s.desk.At(plans, at)
		period := p.Period
		if r.Period != "" && !moved {
			period = r.Period
		}
		if moved {
			r.Effect = accounting.Adjustment
		}
		n, err := periodClosed, error(nil)
		// Who was not known when a period was closed has no flag in it.
		if is, failed := s.db.HExists(ctx, s.closesKey(), period).Result(); failed != nil {
			return false, fault(failed)
		} else if !is {
			n, err = s.enter(ctx, r, period, p.Day, counter, amount, delta)
		}
		switch {
		case err != nil:
			return false, err
		case n == known, n == applied:
			return n == applied, nil
		case n == beyondLimit:
			return false, fmt.Errorf("redis store: %w", errLimit)
		case n == otherContent:
			return false, fmt.Errorf("%q: %w", r.ID, accounting.ErrConflict)
		case n == reversed:
			return false, fmt.Errorf("%q: %w", r.Reverses, accounting.ErrReversed)
		case n == otherCurrency:
			return false, fmt.Errorf("%s in %s: %w", r.Currency, period, accounting.ErrCurrency)
		case n != periodClosed:
			return false, fmt.Errorf("%w: to entry %q: %d", ErrReply, r.ID, n)
		case !moved && at.Before(now):
			at = now
		default:
			at = p.End(s.desk, at)
		}
	}
}

func (s *Store) enter(ctx context.Context, r accounting.Record, period, day, counter string, amount, delta int64) (int64, error) {
	r.Period = ""
	keys := []string{
		s.o.Prefix + "{c:" + r.Client + "}:entries", s.key(r.Client, "use", period), s.accountKey(r.Client),
		s.key(r.Client, "rec", period), s.periodsKey(r.Client), s.key(r.Client, "day", day),
	}
	reverses := ""
	if r.Reverses != "" {
		reverses = reversesField + r.Reverses
	}
	args := []any{r.ID, r.Content(), counter, amount, delta, period, r.Currency, s.standingChannel(), r.Client, day, reverses}
	if err := s.db.SAdd(ctx, s.clientsKey(), r.Client).Err(); err != nil {
		return 0, fault(err)
	}
	n, err := s.db.Eval(ctx, entryScript, keys, r.AppendFields(args)...).Int64()
	return n, fault(err)
}

// Plans are the tariffs of a client.
func (s *Store) Plans(ctx context.Context, client string) (string, error) {
	text, err := s.db.HGet(ctx, s.accountKey(client), "plans").Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, at(s.accountKey(client), err)
}

// SetPlans replaces them. Who applies a record is told by the script.
func (s *Store) SetPlans(ctx context.Context, client, was, plans string) (bool, error) {
	const script = `
if (redis.call('HGET', KEYS[1], 'plans') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'plans', ARGV[2])
return 1`
	n, err := s.db.Eval(ctx, script, []string{s.accountKey(client)}, was, plans).Int()
	return n == 1, at(s.accountKey(client), err)
}

// Standings reads how accounts stand. Each is read by itself, so that a change
// under way shows before or after.
func (s *Store) Standings(ctx context.Context, list []accounting.Standing) ([]accounting.Standing, error) {
	const script = `
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
return {redis.call('HGET', KEYS[1], 'balance') or '0', redis.call('HGET', KEYS[2], 'charged') or '0',
  redis.call('HGET', KEYS[3], 'charged') or '0', last[1] and last[1][1] or '0-0'}`
	out := slices.Clone(list)
	for chunk := range slices.Chunk(out, pageSize) {
		if err := s.inForce(ctx, chunk); err != nil {
			return nil, err
		}
		pipe := s.db.Pipeline()
		cmds := make([]*redis.Cmd, len(chunk))
		for i, st := range chunk {
			cmds[i] = pipe.Eval(ctx, script, []string{
				s.accountKey(st.Client), s.key(st.Client, "use", st.Period), s.key(st.Client, "day", st.Day), s.key(st.Client, "rec", st.Period),
			})
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fault(err)
		}
		for i, cmd := range cmds {
			values, _ := cmd.Val().([]any)
			if err := readStanding(&chunk[i], values); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrReply, s.accountKey(chunk[i].Client), err)
			}
		}
	}
	return out, nil
}

// inForce names the periods of the tariffs that clients are under now, in place of
// those that were asked for.
func (s *Store) inForce(ctx context.Context, list []accounting.Standing) error {
	pipe, now := s.db.Pipeline(), s.o.Now()
	cmds := make([]*redis.SliceCmd, len(list))
	for i, st := range list {
		if st.Period != "" {
			cmds[i] = pipe.HMGet(ctx, s.accountKey(st.Client), "balance", "plans")
		}
	}
	if pipe.Len() == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fault(err)
	}
	for i, cmd := range cmds {
		if cmd == nil {
			continue
		}
		_, plans, err := s.readAccount(list[i].Client, cmd.Val())
		if err != nil {
			return err
		}
		list[i].Period = cmp.Or(plans.PeriodAt(now), list[i].Period)
	}
	return nil
}

// readStanding reads balance, charged in the period, on the day, and the name
// of the stream's last entry.
func readStanding(st *accounting.Standing, values []any) error {
	if len(values) != 4 {
		return fmt.Errorf("%d values", len(values))
	}
	var err error
	for i, into := range []*int64{&st.Balance, &st.Used, &st.UsedDay} {
		text, _ := values[i].(string)
		if *into, err = strconv.ParseInt(text, 10, 64); err != nil {
			return err
		}
	}
	text, _ := values[3].(string)
	ms, sequence, _ := strings.Cut(text, "-")
	var err2 error
	st.Change[0], err = strconv.ParseUint(ms, 10, 64)
	st.Change[1], err2 = strconv.ParseUint(sequence, 10, 64)
	return errors.Join(err, err2)
}

// followQuiet is how long a channel may be silent before the server is asked
// whether it is still there.
const followQuiet = 10 * time.Second

// Follow tells of changes of accounts, whoever made them.
func (s *Store) Follow(ctx context.Context, fresh func(), tell func([]accounting.Standing)) error {
	sub := s.db.Subscribe(ctx, s.standingChannel())
	// A read that waits does not look at its context.
	stop := context.AfterFunc(ctx, func() { sub.Close() })
	defer stop()
	defer sub.Close()
	for asked := false; ; {
		message, err := sub.ReceiveTimeout(ctx, followQuiet)
		var wait interface{ Timeout() bool }
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &wait) && wait.Timeout() && !asked:
			if err := sub.Ping(ctx); err != nil {
				return fault(err)
			}
			asked = true
			continue
		case err != nil:
			return fault(err)
		}
		asked = false
		switch m := message.(type) {
		case *redis.Subscription:
			fresh()
		case *redis.Message:
			if st, ok := parseStanding(m.Payload); ok {
				tell([]accounting.Standing{st})
				continue
			}
			s.o.Log.Warn("a message about an account cannot be read", "channel", m.Channel, "message", m.Payload)
		}
	}
}

// parseStanding reads a message of the channel.
func parseStanding(text string) (accounting.Standing, bool) {
	words := strings.Split(text, " ")
	if len(words) != 7 {
		return accounting.Standing{}, false
	}
	st := accounting.Standing{Client: words[0], Period: words[2], Day: words[4]}
	err := readStanding(&st, []any{words[1], words[3], words[5], words[6]})
	return st, err == nil
}

var _ accounting.Ledger = (*Store)(nil)
