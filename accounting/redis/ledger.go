package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Plans are the tariffs of a client.
func (s *Store) Plans(ctx context.Context, client string) (string, error) {
	text, err := s.db.HGet(ctx, s.accountKey(client), "plans").Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return text, ofClient(s.accountKey(client), err)
}

// plansScript replaces plans, and tells all who follow how the account stands under
// the new ones. It is numbered after the last change under either: nothing was applied.
//
// KEYS 1 acct 2 use 3 day 4 rec, of the period under the new plans 5 rec of that before
// ARGV 1 plans as they were 2 to be 3 channel 4 client 5 period 6 day
const plansScript = `
if (redis.call('HGET', KEYS[1], 'plans') or '') ~= ARGV[1] then return 0 end
local function last(key)
  local entry = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  local ms, n = string.match(entry and entry[1] or '0-0', '^(%d+)-(%d+)$')
  return {tonumber(ms), tonumber(n), ms .. '-' .. n}
end
local a, b = last(KEYS[4]), last(KEYS[5])
if b[1] > a[1] or b[1] == a[1] and b[2] > a[2] then a = b end
local text = table.concat({ARGV[4], redis.call('HGET', KEYS[1], 'balance') or '0',
  ARGV[5], redis.call('HGET', KEYS[2], 'charged') or '0', ARGV[6], redis.call('HGET', KEYS[3], 'charged') or '0', a[3]}, ' ')
local no = may({'HSET', KEYS[1], 'PUBLISH', ARGV[3]})
if no then return no end
redis.call('HSET', KEYS[1], 'plans', ARGV[2])
redis.call('PUBLISH', ARGV[3], text)
return 1`

// SetPlans replaces them. Who applies a record is told by the script.
func (s *Store) SetPlans(ctx context.Context, client, was, plans string) (bool, error) {
	before, err := price.ParsePlans(was)
	if err != nil {
		return false, err
	}
	list, err := price.ParsePlans(plans)
	if err != nil {
		return false, err
	}
	now := s.o.Now()
	none := accounting.Month(now, s.o.Location)
	period, old := cmp.Or(list.PeriodAt(now), none), cmp.Or(before.PeriodAt(now), none)
	day := accounting.Day(now, s.o.Location)
	keys := []string{
		s.accountKey(client), s.key(client, "use", period), s.key(client, "day", day), s.key(client, "rec", period), s.key(client, "rec", old),
	}
	n, err := s.eval(ctx, s.scripts.plans, keys, was, plans, s.standingChannel(), client, period, day).Int()
	return n == 1, ofClient(s.accountKey(client), err)
}

// standingScript reads an account whole: a change under way shows before or after.
const standingScript = `
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
return {redis.call('HGET', KEYS[1], 'balance') or '0', redis.call('HGET', KEYS[2], 'charged') or '0',
  redis.call('HGET', KEYS[3], 'charged') or '0', last[1] and last[1][1] or '0-0'}`

// Standings reads how accounts stand. Each is read by itself.
func (s *Store) Standings(ctx context.Context, list []accounting.Standing) ([]accounting.Standing, error) {
	out := slices.Clone(list)
	for chunk := range slices.Chunk(out, pageSize) {
		if err := s.inForce(ctx, chunk); err != nil {
			return nil, err
		}
		pipe := s.db.Pipeline()
		cmds := make([]*redis.Cmd, len(chunk))
		for i, st := range chunk {
			cmds[i] = pipe.Eval(ctx, standingScript, []string{
				s.accountKey(st.Client), s.key(st.Client, "use", st.Period), s.key(st.Client, "day", st.Day), s.key(st.Client, "rec", st.Period),
			})
		}
		if err := query(ctx, pipe); err != nil {
			return nil, err
		}
		for i, cmd := range cmds {
			st := &chunk[i]
			values, err := cmd.Slice()
			switch {
			case err != nil:
				st.Err = ofClient(s.accountKey(st.Client), err)
			default:
				if err := readStanding(st, values); err != nil {
					st.Err = unreadable(s.accountKey(st.Client), err)
				}
			}
			if st.Err != nil {
				s.o.Log.Error("how a client's account stands cannot be read", "client", st.Client, "error", st.Err)
			}
		}
	}
	return out, nil
}

// inForce names the periods of the tariffs that clients are under now, in place of
// those that were asked for, and the zones they are cut in. Who is under which is not
// known of a client whose tariffs cannot be read: it stays at what was asked for.
func (s *Store) inForce(ctx context.Context, list []accounting.Standing) error {
	pipe, now := s.db.Pipeline(), s.o.Now()
	cmds := make([]*redis.StringCmd, len(list))
	for i, st := range list {
		if st.Period != "" {
			cmds[i] = pipe.HGet(ctx, s.accountKey(st.Client), "plans")
		}
	}
	if pipe.Len() == 0 {
		return nil
	}
	if err := query(ctx, pipe); err != nil {
		return err
	}
	for i, cmd := range cmds {
		if cmd == nil || errors.Is(cmd.Err(), redis.Nil) {
			continue
		}
		plans, err := price.ParsePlans(cmd.Val())
		if err = cmp.Or(cmd.Err(), err); err != nil {
			s.o.Log.Error("a client's tariffs cannot be read: its period is taken to be that of the policy's",
				"client", list[i].Client, "key", s.accountKey(list[i].Client), "period", list[i].Period, "error", err)
			continue
		}
		list[i].Period, list[i].Zone = cmp.Or(plans.PeriodAt(now), list[i].Period), plans.ZoneAt(now)
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

var _ accounting.Ledger = (*Store)(nil)
