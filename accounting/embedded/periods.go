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

// Clients are those that ever had a record, sorted; also those whose records are
// all in archives.
func (s *Store) Clients(ctx context.Context) ([]string, error) {
	var list []string
	for name := ""; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next, err := s.nextClient(name)
		if err != nil {
			return nil, err
		}
		noted, err := s.noted(name)
		if err != nil {
			return nil, err
		}
		if next == "" || noted != "" && noted < next {
			next = noted
		}
		if name = next; name == "" {
			return list, nil
		}
		list = append(list, name)
	}
}

// noted is the first client behind one of whom a period is noted; "" when there
// is none.
func (s *Store) noted(after string) (next string, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(periods)).Cursor()
		k, _ := c.Seek([]byte(after + "\x01"))
		if after == "" {
			k, _ = c.First()
		}
		next, _, _ = strings.Cut(string(k), "\x00")
		return nil
	})
	return next, err
}

// Periods are those in which the client has an account of its own.
func (s *Store) Periods(ctx context.Context, client string) ([]string, error) {
	list, err := s.periods(ctx, client)
	return accounting.SortPeriods(list), err
}

// RecordsOf calls fn with every record of a client's period.
func (s *Store) RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	return s.recordsOf(ctx, client, period, note{}, fn)
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
		c.Currency = parseNote(tx.Bucket([]byte(periods)).Get(join(client, period))).currency
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
		c.values[closed] = 1
		c.change()
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

// feesKey is where it stands in the bucket meta until when fees were looked after.
func feesKey() []byte { return []byte("fees") }

// FeesThrough is until when the fees of all clients were looked after.
func (s *Store) FeesThrough(context.Context) (t time.Time, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		raw := tx.Bucket([]byte(meta)).Get(feesKey())
		if raw == nil {
			return nil
		}
		if t, err = time.Parse(time.RFC3339, string(raw)); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return nil
	})
	return t, err
}

// SetFeesThrough says until when they are.
func (s *Store) SetFeesThrough(_ context.Context, t time.Time) error {
	return s.update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(meta)).Put(feesKey(), []byte(t.UTC().Format(time.RFC3339)))
	})
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
	return s.aside(func(tx *bolt.Tx) error { return tx.Bucket([]byte(closes)).Put([]byte(c.Period), value) })
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
