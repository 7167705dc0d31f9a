package archive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Ledgered is a store with all that it has.
type Ledgered interface {
	accounting.Store
	accounting.Ledger
}

// Books are a store whose archived records are read from their files, as if
// they still were in the store. They are for one question: what was archived
// since they were made, they do not know.
type Books struct {
	Ledgered
	seals map[string]accounting.Close // of the periods that were archived
	files map[string]*File
}

// Over looks where the archives of a store are. Files are opened when they are
// needed.
func Over(ctx context.Context, l Ledgered) (*Books, error) {
	closes, err := l.Closes(ctx)
	if err != nil {
		return nil, err
	}
	b := &Books{Ledgered: l, seals: map[string]accounting.Close{}, files: map[string]*File{}}
	for _, c := range closes {
		if c.Archive != "" {
			b.seals[c.Period] = c
		}
	}
	return b, nil
}

// Archived tells whether the records of a period are in a file.
func (b *Books) Archived(period string) bool {
	_, is := b.seals[period]
	return is
}

// file opens the archive of a period; nil when it has none.
func (b *Books) file(period string) (*File, error) {
	c, ok := b.seals[period]
	if !ok {
		return nil, nil
	}
	if f := b.files[period]; f != nil {
		return f, nil
	}
	f, err := Open(c.Archive)
	if err != nil {
		return nil, fmt.Errorf("the records of %s are in an archive: %w", period, err)
	}
	if f.Sum().Hash != c.Hash {
		return nil, fmt.Errorf("%s: its hash is %s, %s was sealed with %s: %w", c.Archive, f.Sum().Hash, period, c.Hash, ErrFormat)
	}
	b.files[period] = f
	return f, nil
}

// RecordsOf calls fn with every record of a client's period; those of an
// archive come in the order of their ids.
func (b *Books) RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	f, err := b.file(period)
	if err != nil {
		return err
	}
	if f == nil {
		return b.Ledgered.RecordsOf(ctx, client, period, fn)
	}
	return f.Records(ctx, client, fn)
}

// Records calls fn with every record that counts in [from, to).
func (b *Books) Records(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error {
	touched := false
	for period := range b.seals {
		touched = touched || accounting.Touches(period, from, to)
	}
	if !touched {
		return b.Ledgered.Records(ctx, client, from, to, fn)
	}
	clients := []string{client}
	if client == "" {
		var err error
		if clients, err = b.Clients(ctx); err != nil {
			return err
		}
	}
	var lost accounting.Unread
	for _, c := range clients {
		periods, err := b.Periods(ctx, c)
		if err != nil {
			return err
		}
		for _, p := range slices.DeleteFunc(periods, func(p string) bool { return !accounting.Touches(p, from, to) }) {
			if err := lost.Note(b.RecordsOf(ctx, c, p, func(r accounting.Record) error {
				if at := r.Falls(); at.Before(from) || !at.Before(to) {
					return nil
				}
				return fn(r)
			})); err != nil {
				return err
			}
		}
	}
	return lost.Err()
}
