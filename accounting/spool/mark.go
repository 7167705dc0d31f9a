package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// compare finds out whether the sink still has what it took. Its mark was set
// after all that lies before it was applied, and is lost with it: what lies
// behind the mark is applied again.
func (d *drain) compare(ctx context.Context) error {
	if d.marks == nil {
		d.known = true
		return nil
	}
	text, err := d.marks.Mark(ctx)
	if err != nil {
		return fmt.Errorf("store: mark: %w", err)
	}
	first, _ := d.s.bounds()
	mark, err := parseCursor(text)
	ours := err == nil && mark.spool == d.s.cursor.spool
	to := mark.position
	if !ours {
		to = first
	}
	if !to.before(d.pos) {
		d.mark, d.known = text, true
		return nil
	}
	// Behind the saved cursor it cannot have been but for a loss: the mark goes
	// first.
	if to.before(d.s.cursor.position) {
		log := d.s.o.Log.With("mark", text, "applied", cursor{d.s.cursor.spool, d.pos}.String())
		if to.before(first) || !ours && first.seq > 1 {
			log.Error("the store has lost records, some of them older than the spool retains")
		} else {
			log.Error("the store has lost records, or is another: they are applied again from the spool")
		}
	}
	d.mark, d.known = text, true
	return d.rewind(to)
}

// rewind begins again at p.
func (d *drain) rewind(p position) error {
	d.pos, d.dirty = p, true
	d.rewindScan()
	d.s.mu.Lock()
	d.s.applied = p
	d.s.mu.Unlock()
	return d.s.count()
}

// checkpoint moves the sink's mark and then the cursor, so that the cursor is
// never ahead of the mark but where the sink has lost records.
func (d *drain) checkpoint(ctx context.Context) error {
	if d.marks != nil {
		now := cursor{d.s.cursor.spool, d.pos}.String()
		ok, err := d.marks.MoveMark(ctx, d.mark, now)
		if err != nil {
			return fmt.Errorf("store: mark: %w", err)
		}
		if !ok {
			d.known = false // the next step compares
			return nil
		}
		d.mark = now
	}
	d.saveCursor()
	return nil
}

// saveCursor saves how far the drain is. Without room on the disk the sink can
// still take records: the cursor stays behind, and is tried again.
func (d *drain) saveCursor() {
	s := d.s
	c := cursor{s.cursor.spool, d.pos}
	d.saved = time.Now()
	if err := saveCursor(s.fs, s.dir, c); err != nil {
		s.o.Log.Error("the spool's cursor cannot be saved", "error", err)
		return
	}
	d.dirty = false
	s.mu.Lock()
	s.cursor = c
	s.mu.Unlock()
	s.prune()
}

// touch notes when the segments from one on and before another were drained:
// they are retained from then on, and that survives a restart.
func (s *Spool) touch(from, to uint64) {
	for _, g := range s.between(from, to) {
		now := s.o.Now()
		if err := os.Chtimes(s.path(segmentName(g.seq)), now, now); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.o.Log.Warn("the time of a spool segment", "error", err)
		}
	}
}

// between are the segments from one on and before another.
func (s *Spool) between(from, to uint64) []segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []segment
	for _, g := range s.segments {
		if g.seq >= from && g.seq < to {
			list = append(list, g)
		}
	}
	return list
}

// prune removes segments that were drained long enough ago.
func (s *Spool) prune() {
	limit := s.o.Now().Add(-s.o.Retain)
	for {
		s.mu.Lock()
		if len(s.segments) < 2 || s.segments[0].seq >= s.cursor.seq {
			s.mu.Unlock()
			return
		}
		oldest := s.segments[0].seq
		s.mu.Unlock()
		path := s.path(segmentName(oldest))
		info, err := os.Stat(path)
		if err == nil {
			if info.ModTime().After(limit) {
				return
			}
			err = s.fs.remove(path)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			s.o.Log.Warn("a drained spool segment cannot be removed", "error", err)
			return
		}
		s.mu.Lock()
		s.segments = s.segments[1:]
		s.mu.Unlock()
	}
}
