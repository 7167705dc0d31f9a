package redis

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

//go:embed park.lua
var parkScript string

// parked is a value of a parked hash.
type parked struct {
	Reason string            `json:"reason"`
	Record accounting.Record `json:"record"`
}

// park keeps for the operator what cannot be applied, once, in the slot of its
// client.
func (se *session) park(ctx context.Context, list []parked, written map[*part]bool) error {
	if len(list) == 0 {
		return nil
	}
	s := se.s
	reasons := map[*accounting.Record]string{}
	for i := range list {
		p := &list[i]
		value, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("redis store: parking %q: %w", p.Record.ID, err)
		}
		reasons[&p.Record] = p.Reason
		client, seen := parkedClient(&p.Record), s.seenKey(&p.Record)
		own, _ := p.Record.Marks()
		err = errors.Join(
			se.add(s.parkersKey(), call{Call: Call{"SADD", s.parkersKey(), client}}),
			se.add(seen, call{Call{"EVALSHA", s.scripts.park.sha, 2, seen, s.parkedKey(client), member(own), p.Record.ID, value}, &p.Record, nil}))
		if err != nil {
			return err
		}
	}
	return se.send(ctx, written, func(c call, v any) error {
		switch {
		case c.record == nil || v == int64(0):
		case v == int64(1):
			s.o.Log.Error("a usage record cannot be applied and is parked", "error", reasons[c.record])
		default:
			return fmt.Errorf("%w: to parking %q: %v", ErrReply, c.record.ID, v)
		}
		return nil
	})
}

// nobody stands for the clients of records whose client is none.
const nobody = "_invalid"

// parkedClient is under whom a record is parked.
func parkedClient(r *accounting.Record) string {
	if r.Client != accounting.Unbilled && accounting.CheckID(r.Client) != nil {
		return nobody
	}
	return r.Client
}

// seenKey is the set in which a record is remembered.
func (s *Store) seenKey(r *accounting.Record) string {
	return s.key(parkedClient(r), "seen", accounting.Day(r.Origin(), time.UTC))
}

// parkedKey has the parked records of a client.
func (s *Store) parkedKey(client string) string { return s.o.Prefix + "{c:" + client + "}:parked" }

// parkersKey is the set of clients that have, or had, parked records.
func (s *Store) parkersKey() string { return s.o.Prefix + "parkers" }

// oldParkedKey has records that an earlier version parked, of all clients.
func (s *Store) oldParkedKey() string { return s.o.Prefix + "parked" }

// parkedKeys are the hashes that may have parked records.
func (s *Store) parkedKeys(ctx context.Context) ([]string, error) {
	clients, err := s.db.SMembers(ctx, s.parkersKey()).Result()
	if err != nil {
		return nil, fault(err)
	}
	keys := []string{s.oldParkedKey()}
	for _, c := range clients {
		keys = append(keys, s.parkedKey(c))
	}
	return keys, nil
}

// Parked calls fn with every record that could not be applied, and why.
func (s *Store) Parked(ctx context.Context, fn func(r accounting.Record, reason string) error) error {
	keys, err := s.parkedKeys(ctx)
	if err != nil {
		return err
	}
	list := map[string]string{}
	for _, key := range keys {
		it := s.db.HScan(ctx, key, 0, "", pageSize).Iterator()
		for it.Next(ctx) {
			id := it.Val()
			if !it.Next(ctx) {
				return fmt.Errorf("%w: %s: %q has no value", ErrReply, key, id)
			}
			list[id] = it.Val()
		}
		if err := it.Err(); err != nil {
			return fault(err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(list)) {
		var p parked
		if err := json.Unmarshal([]byte(list[id]), &p); err != nil {
			return errors.Join(ErrReply, fmt.Errorf("parked record %q: %w", id, err))
		}
		if err := fn(p.Record, p.Reason); err != nil {
			return err
		}
	}
	return nil
}

// ParkedCount is how many records are parked.
func (s *Store) ParkedCount(ctx context.Context) (int64, error) {
	keys, err := s.parkedKeys(ctx)
	if err != nil {
		return 0, err
	}
	var n int64
	for chunk := range slices.Chunk(keys, pageSize) {
		pipe := s.db.Pipeline()
		cmds := make([]*redis.IntCmd, len(chunk))
		for i, key := range chunk {
			cmds[i] = pipe.HLen(ctx, key)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return 0, fault(err)
		}
		for _, c := range cmds {
			n += c.Val()
		}
	}
	return n, nil
}

// findParked looks for a parked record and tells in which hash it stands.
func (s *Store) findParked(ctx context.Context, id string) (key string, r accounting.Record, err error) {
	keys, err := s.parkedKeys(ctx)
	if err != nil {
		return "", r, err
	}
	for _, key := range keys {
		value, err := s.db.HGet(ctx, key, id).Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return "", r, fault(err)
		}
		var p parked
		if err := json.Unmarshal(value, &p); err != nil {
			return "", r, errors.Join(ErrReply, fmt.Errorf("%s: %q: %w", key, id, err))
		}
		return key, p.Record, nil
	}
	return "", r, fmt.Errorf("%w: %q", accounting.ErrNotParked, id)
}

// ApplyParked applies a parked record whatever its age. A crash in between
// leaves it applied and parked; applied again it changes nothing.
func (s *Store) ApplyParked(ctx context.Context, id string) error {
	key, r, err := s.findParked(ctx, id)
	if err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return fmt.Errorf("%w: %w", accounting.ErrUnfit, err)
	}
	if err := s.may(ctx, "HDEL", key); err != nil {
		return err
	}
	se, err := s.dial(ctx)
	if err != nil {
		return err
	}
	se.anyAge = true
	unfit, err := se.apply(ctx, []accounting.Record{r}, map[*part]bool{})
	if err == nil && len(unfit) > 0 {
		err = fmt.Errorf("%w: %s", accounting.ErrUnfit, unfit[0].Reason)
	}
	if err := errors.Join(err, se.Close()); err != nil {
		return err
	}
	return fault(s.db.HDel(ctx, key, id).Err())
}

// DropParked gives a parked record up: it is remembered as one that was
// applied, and then parked no longer.
func (s *Store) DropParked(ctx context.Context, id string) error {
	key, r, err := s.findParked(ctx, id)
	if err != nil {
		return err
	}
	if err := s.may(ctx, "HDEL", key); err != nil {
		return err
	}
	own, _ := r.Marks()
	seen, client := s.seenKey(&r), parkedClient(&r)
	keep := seconds(r.Origin().AddDate(0, 0, s.o.SeenDays+2).Sub(s.o.Now()))
	err = s.eval(ctx, s.scripts.drop, []string{seen, s.droppedKey(client), s.appliedKey(client)}, member(own), keep, id, r.Gateway+droppedField).Err()
	if err != nil {
		return fault(err)
	}
	return fault(s.db.HDel(ctx, key, id).Err())
}

// dropScript remembers and counts what is given up, once. It stays parked until
// then, which may be under another slot's key, of an earlier version.
const dropScript = `
redis.call('SCARD', KEYS[2])
local count = redis.call('HGET', KEYS[3], ARGV[4])
if count and not string.match(count, '^%d+$') then error('tollgate: ' .. KEYS[3] .. ' ' .. ARGV[4] .. ' is no counter') end
local no = may({'SADD', KEYS[1], 'EXPIRE', KEYS[1], 'SADD', KEYS[2], 'HINCRBY', KEYS[3], 'EXPIRE', KEYS[2]})
if no then return no end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
if redis.call('SADD', KEYS[2], ARGV[3]) == 1 then redis.call('HINCRBY', KEYS[3], ARGV[4], 1) end
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1`
