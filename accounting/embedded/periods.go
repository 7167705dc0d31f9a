package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Clients are those that ever had a record, sorted.
func (s *Store) Clients(ctx context.Context) ([]string, error) {
	var list []string
	for name := ""; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if name, err = s.nextClient(name); err != nil || name == "" {
			return list, err
		}
		list = append(list, name)
	}
}

// Periods are those in which the client has an account of its own.
func (s *Store) Periods(ctx context.Context, client string) ([]string, error) {
	var list []string
	for period := ""; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if period, err = s.nextPeriod(client, period); err != nil || period == "" {
			return accounting.SortPeriods(list), err
		}
		list = append(list, period)
	}
}

// RecordsOf calls fn with every record of a client's period.
func (s *Store) RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	return s.recordsOf(ctx, client, period, fn)
}

// CounterOf reads the counters of a client's period.
func (s *Store) CounterOf(ctx context.Context, client, period string) (accounting.Counter, error) {
	c := accounting.Counter{Client: client, Period: period}
	if err := ctx.Err(); err != nil {
		return c, err
	}
	err := s.view(func(tx *bolt.Tx) error {
		raw := tx.Bucket([]byte(use)).Get(join(period, client))
		if raw == nil {
			return nil
		}
		values := make([]int64, useWidth)
		if err := decodeTotals(raw, values); err != nil {
			return err
		}
		c.Deliveries, c.Size, c.Charged = values[deliveries], values[size], values[charged]
		money(&c, values)
		c.Currency = strings.TrimPrefix(string(tx.Bucket([]byte(periods)).Get(join(client, period))), "-")
		return nil
	})
	return c, err
}

// ClosePeriod closes a client's period.
func (s *Store) ClosePeriod(ctx context.Context, client, period string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.update(func(tx *bolt.Tx) error {
		t := newTotals(tx, use, useWidth)
		c, err := t.get(join(period, client))
		if err != nil {
			return err
		}
		c.values[closed], c.known = 1, true
		return t.write()
	})
}

// Gateways tells when each gateway was last heard of.
func (s *Store) Gateways(ctx context.Context) ([]accounting.Gateway, error) {
	var list []accounting.Gateway
	err := s.view(func(tx *bolt.Tx) error {
		return each(ctx, tx.Bucket([]byte(gateways)), nil, func(name, value []byte) error {
			var beat struct {
				Heartbeat time.Time `json:"heartbeat"`
				Backlog   int64     `json:"backlog"`
			}
			if err := json.Unmarshal(value, &beat); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			list = append(list, accounting.Gateway{Name: string(name), Heartbeat: beat.Heartbeat, Backlog: beat.Backlog})
			return nil
		})
	})
	return list, err
}

// SetClose keeps the seal of a closed period.
func (s *Store) SetClose(ctx context.Context, c accounting.Close) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(closes)).Put([]byte(c.Period), value) })
}

// Closes are the seals, the first one closed first.
func (s *Store) Closes(ctx context.Context) ([]accounting.Close, error) {
	var list []accounting.Close
	err := s.view(func(tx *bolt.Tx) error {
		return each(ctx, tx.Bucket([]byte(closes)), nil, func(_, value []byte) error {
			var c accounting.Close
			if err := json.Unmarshal(value, &c); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			list = append(list, c)
			return nil
		})
	})
	slices.SortFunc(list, func(a, b accounting.Close) int { return a.Number - b.Number })
	return list, err
}
