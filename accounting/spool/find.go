package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Find calls fn with the records of each retained message that was spooled
// whole at or after a time, applied or not, in the order in which they were
// spooled. What damage holds is passed over. It ends with fn's error.
func (s *Spool) Find(ctx context.Context, since time.Time, fn func([]accounting.Record) error) error {
	s.mu.Lock()
	segments := slices.Clone(s.segments)
	s.mu.Unlock()
	for _, g := range segments {
		if err := s.findIn(ctx, g, since, fn); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("spool: %s: %w", segmentName(g.seq), err)
		}
	}
	return nil
}

func (s *Spool) findIn(ctx context.Context, g segment, since time.Time, fn func([]accounting.Record) error) (err error) {
	f, err := s.fs.Open(s.path(segmentName(g.seq)))
	if err != nil {
		return err // removed meanwhile, perhaps
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sc := scanner{r: f, end: g.size}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		fr, _, err := sc.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if fr.oldest.Before(since) {
			continue
		}
		records, _ := decode(nil, fr.payload) // the drain says what cannot be read
		if err := fn(records); err != nil {
			return err
		}
	}
}
