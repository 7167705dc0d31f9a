package embedded

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Counters are the totals of one month or day by client.
func (s *Store) Counters(ctx context.Context, period string) ([]accounting.Counter, error) {
	if _, _, err := accounting.Span(period, s.o.Location); err != nil {
		return nil, err
	}
	var list []accounting.Counter
	err := s.view(func(tx *bolt.Tx) error {
		bucket, width := use, int(useWidth)
		if len(period) == len("2006-01-02") {
			bucket, width = days, 3
		}
		values := make([]int64, width)
		return each(ctx, tx.Bucket([]byte(bucket)), join(period, ""), func(client, raw []byte) error {
			if err := decodeTotals(raw, values); err != nil {
				return err
			}
			c := accounting.Counter{
				Client: string(client), Period: period,
				Deliveries: values[deliveries], Size: values[size], Charged: values[charged],
			}
			if bucket == use {
				var err error
				money(&c, values)
				c.Currency = parseNote(tx.Bucket([]byte(periods)).Get(join(c.Client, period))).currency
				if c.Recipients, err = recipients(ctx, tx, period, c.Client); err != nil {
					return err
				}
			}
			list = append(list, c)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// money reads what a value of the bucket use has besides.
func money(c *accounting.Counter, values []int64) {
	c.Priced, c.Included, c.IncludedDeliveries = values[priced], values[included], values[includedDeliveries]
	c.Cost, c.Frac, c.Fee, c.Paid, c.Adjusted = values[cost], values[frac], values[fee], values[paid], values[adjusted]
	c.Closed = values[closed] != 0
}

func recipients(ctx context.Context, tx *bolt.Tx, month, client string) (map[string]accounting.RecipientCounter, error) {
	m := map[string]accounting.RecipientCounter{}
	var values [3]int64
	err := each(ctx, tx.Bucket([]byte(rcpt)), join(month, client, ""), func(name, raw []byte) error {
		if err := decodeTotals(raw, values[:]); err != nil {
			return err
		}
		m[string(name)] = accounting.RecipientCounter{Deliveries: values[deliveries], Size: values[size], Charged: values[charged]}
		return nil
	})
	return m, err
}

// each calls fn with the rest of each key that begins with prefix.
func each(ctx context.Context, b *bolt.Bucket, prefix []byte, fn func(rest, value []byte) error) error {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(k[len(prefix):], v); err != nil {
			return fmt.Errorf("%q: %w", k, err)
		}
	}
	return nil
}

// pageSize is how many records of layout 1 one transaction reads. None stays open while
// the caller's function runs: it would hold back the pages that Put frees, and
// stop a Put of that function for good.
const pageSize = 512

// Records calls fn with every record that counts in [from, to). accounting.ErrUnread:
// with all but those that cannot be read.
func (s *Store) Records(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error {
	if !from.Before(to) {
		return nil
	}
	clients := []string{client}
	if client == "" {
		var err error
		if clients, err = s.Clients(ctx); err != nil {
			return err
		}
	}
	var lost accounting.Unread
	for _, name := range clients {
		if err := lost.Note(s.between(ctx, name, from, to, fn)); err != nil {
			return err
		}
	}
	return lost.Err()
}

// between calls fn with a client's records that count in [from, to).
func (s *Store) between(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error {
	list, err := s.periods(ctx, client)
	if err != nil {
		return err
	}
	// A day more on either side: the time zone may have been another.
	part := note{
		first: accounting.Day(from.AddDate(0, 0, -1), s.o.Location), last: accounting.Day(to.AddDate(0, 0, 1), s.o.Location),
	}
	var lost accounting.Unread
	for _, period := range list {
		if !accounting.Touches(period, from, to) {
			continue
		}
		if err := lost.Note(s.recordsOf(ctx, client, period, part, func(r accounting.Record) error {
			if at := r.Falls(); at.Before(from) || !at.Before(to) {
				return nil
			}
			return fn(r)
		})); err != nil {
			return err
		}
	}
	return lost.Err()
}

// periods are those that a client has records in, sorted as texts.
func (s *Store) periods(ctx context.Context, client string) ([]string, error) {
	var list []string
	if err := s.view(func(tx *bolt.Tx) error {
		return each(ctx, tx.Bucket([]byte(periods)), join(client, ""), func(period, _ []byte) error {
			list = append(list, string(period))
			return nil
		})
	}); err != nil {
		return nil, err
	}
	// An earlier release noted none.
	for period := ""; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if period, err = s.nextPeriod(client, period); err != nil {
			return nil, err
		}
		if period == "" {
			slices.Sort(list)
			return slices.Compact(list), nil
		}
		list = append(list, period)
	}
}

// nextPeriod is the first period behind one in which the client has records of
// layout 1; "" when there is none.
func (s *Store) nextPeriod(client, after string) (next string, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(records)).Cursor()
		prefix := join(client, "")
		k, _ := c.Seek(append(prefix, after+"\x01"...))
		if after == "" {
			k, _ = c.Seek(prefix)
		}
		if rest, ok := bytes.CutPrefix(k, prefix); ok {
			period, _, _ := bytes.Cut(rest, []byte{0})
			next = string(period)
		}
		return nil
	})
	return next, err
}

// nextClient is the first client behind one that has records of layout 1; "" when
// there is none.
func (s *Store) nextClient(after string) (next string, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(records)).Cursor()
		// A client's keys go on with a zero byte, no client's name has one.
		k, _ := c.Seek([]byte(after + "\x01"))
		if after == "" {
			k, _ = c.First()
		}
		next, _, _ = strings.Cut(string(k), "\x00")
		return nil
	})
	return next, err
}

// recordsOf calls fn with a client's records of a period that fall on the days of
// a note, or a few more.
func (s *Store) recordsOf(ctx context.Context, client, period string, part note, fn func(accounting.Record) error) error {
	if err := s.oldRecordsOf(ctx, client, period, fn); err != nil {
		return err
	}
	var chains []chain
	if err := s.view(func(tx *bolt.Tx) (err error) {
		n := parseNote(tx.Bucket([]byte(periods)).Get(join(client, period)))
		if n.first == "" {
			return nil
		}
		n.first = max(n.first, part.first)
		if part.last != "" {
			n.last = min(n.last, part.last)
		}
		chains, err = chainsOf(tx, client, period, n)
		return err
	}); err != nil {
		return err
	}
	return s.chained(ctx, chains, client, period, fn)
}

// oldRecordsOf is recordsOf for records of layout 1, which came before all others.
func (s *Store) oldRecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	prefix := join(client, period, "")
	for at := prefix; at != nil; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var page []accounting.Record
		if err := s.view(func(tx *bolt.Tx) (err error) {
			page, at, err = readPage(tx, prefix, at, len(client)+1)
			return err
		}); err != nil {
			return err
		}
		for _, r := range page {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// readPage reads records with a prefix from the key at on; next is nil when
// there are no more. The period begins at an offset of each key.
func readPage(tx *bolt.Tx, prefix, at []byte, period int) (page []accounting.Record, next []byte, err error) {
	c := tx.Bucket([]byte(records)).Cursor()
	for k, v := c.Seek(at); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(page) == pageSize {
			return page, bytes.Clone(k), nil
		}
		r, err := readOld(k, v, period)
		if err != nil {
			return nil, nil, err
		}
		page = append(page, *r)
	}
	return page, nil, nil
}
