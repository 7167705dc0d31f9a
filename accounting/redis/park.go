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
			se.add(seen, call{Call{"EVALSHA", s.parkSHA, 2, seen, s.parkedKey(client), member(own), p.Record.ID, value}, &p.Record, nil}))
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
