package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

// appliedKey counts, by gateway, the records of a client that were taken.
func (s *Store) appliedKey(client string) string { return s.o.Prefix + "{c:" + client + "}:applied" }

// droppedField follows a gateway's name in it: what was given up.
const droppedField = "|dropped"

// droppedKey is the set of the ids of a client's records that were given up.
func (s *Store) droppedKey(client string) string { return s.o.Prefix + "{c:" + client + "}:dropped" }

// Taken counts what became of the records of a gateway.
func (s *Store) Taken(ctx context.Context, gateway string) (accounting.Taken, error) {
	var t accounting.Taken
	clients, err := s.clients(ctx, scanSeldom)
	if err != nil {
		return t, err
	}
	clients = append(clients, nobody)
	for chunk := range slices.Chunk(clients, pageSize) {
		pipe := s.db.Pipeline()
		cmds := make([]*redis.SliceCmd, len(chunk))
		for i, c := range chunk {
			cmds[i] = pipe.HMGet(ctx, s.appliedKey(c), gateway, gateway+droppedField)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return t, fault(err)
		}
		for i, cmd := range cmds {
			for n, into := range []*int64{&t.Applied, &t.Dropped} {
				text, ok := cmd.Val()[n].(string)
				if !ok {
					continue
				}
				v, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return t, fmt.Errorf("%w: %s: %q", ErrReply, s.appliedKey(chunk[i]), text)
				}
				*into += v
			}
		}
	}
	err = s.Parked(ctx, func(r accounting.Record, _ string) error {
		if r.Gateway == gateway {
			t.Parked++
		}
		return nil
	})
	return t, err
}

// WasDropped tells whether somebody gave a parked record up.
func (s *Store) WasDropped(ctx context.Context, r accounting.Record) (bool, error) {
	ok, err := s.db.SIsMember(ctx, s.droppedKey(parkedClient(&r)), r.ID).Result()
	return ok, fault(err)
}

// claim takes a gateway's name for as long as it is renewed.
const claim = `
local was = redis.call('GET', KEYS[1])
if was and string.match(was, '^%S*') ~= ARGV[1] then return was end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 0`

// Claim takes the gateway's name for an instance.
func (s *Store) Claim(ctx context.Context, c accounting.Claim) error {
	key := s.claimKey(c.Gateway)
	v, err := s.db.Eval(ctx, claim, []string{key}, c.Instance, c.Place, accounting.ClaimLife.Milliseconds()).Result()
	if err != nil {
		return at(key, err)
	}
	if was, taken := v.(string); taken {
		_, where, _ := strings.Cut(was, " ")
		return fmt.Errorf("gateway %q: %w: it runs at %s; give one of them another [gateway] name", c.Gateway, accounting.ErrClaimed, where)
	}
	return nil
}

// unclaim gives the name back.
const unclaim = `
local was = redis.call('GET', KEYS[1])
if was and string.match(was, '^%S*') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`

// Unclaim gives the name back, so that another may have it at once.
func (s *Store) Unclaim(ctx context.Context, c accounting.Claim) error {
	return fault(s.db.Eval(ctx, unclaim, []string{s.claimKey(c.Gateway)}, c.Instance).Err())
}

// claimKey says who has a gateway's name; it expires.
func (s *Store) claimKey(gateway string) string { return s.o.Prefix + "{c:_gw:" + gateway + "}:claim" }

var (
	_ accounting.Conserver = (*Store)(nil)
	_ accounting.Claimer   = (*Store)(nil)
)
