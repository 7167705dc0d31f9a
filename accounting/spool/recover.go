package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// recover finds out what the folder holds.
func (s *Spool) recover() error {
	if err := s.loadCursor(); err != nil {
		return err
	}
	var err error
	if s.segments, err = listSegments(s.fs, s.dir); err != nil {
		return err
	}
	if n := len(s.segments); n > 0 {
		if err := s.mend(&s.segments[n-1]); err != nil {
			return fmt.Errorf("%s: %w", segmentName(s.segments[n-1].seq), err)
		}
	}
	gone := s.loadCounts()
	s.applied = s.cursor.position
	if err := s.count(); err != nil {
		return err
	}
	if gone > 0 {
		s.miss(gone)
	}
	s.spooled = s.cursor.count + s.waiting
	return nil
}

// miss has records that are gone stand among those that were spooled, so that whoever
// compares that with the store misses them: twice, where it is cut off half way.
func (s *Spool) miss(records int64) {
	s.cursor.count += records
	if err := saveCursor(s.fs, s.dir, s.cursor); err != nil {
		s.o.Log.Error("the spool's cursor cannot be saved", "error", err)
		return
	}
	s.saveCounts() // without what is gone
}

// loadCursor takes up the cursor, or begins with a new one: then all that is
// retained is applied again, which changes nothing where it was applied before.
func (s *Spool) loadCursor() error {
	c, err := loadCursor(s.fs, s.dir)
	switch {
	case err == nil:
		s.cursor = c
		return nil
	case errors.Is(err, errNoCursor):
		s.o.Log.Error("the spool's cursor is damaged: beginning again with what is retained", "error", err)
		if err := s.fs.Rename(s.path(cursorName), s.path(kindDamaged+"-"+cursorName)); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	s.cursor = cursor{spool: s.o.name()}
	return saveCursor(s.fs, s.dir, s.cursor)
}

// mend cuts a torn tail off the last segment, and syncs the rest: it may have
// been written just before the daemon was killed.
func (s *Spool) mend(last *segment) error {
	f, err := s.fs.Open(s.path(segmentName(last.seq)))
	if err != nil {
		return err
	}
	keep, err := s.tornFrom(f, *last)
	if err == nil && keep < last.size {
		if err = f.Truncate(keep); err == nil {
			last.size = keep
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// tornFrom is where the torn tail of a segment begins, after it was set aside;
// the segment's end where there is none.
func (s *Spool) tornFrom(f File, g segment) (int64, error) {
	sc := scanner{r: f, end: g.size}
	if s.cursor.seq == g.seq {
		sc.off = min(s.cursor.off, g.size)
	}
	tail, err := lastGap(&sc)
	if err != nil || tail.size() == 0 {
		return g.size, err
	}
	torn, err := sc.isTorn(tail)
	if err != nil {
		return 0, err
	}
	if !torn {
		// It may be a frame that somebody was told is durable, in which a bit
		// has turned over: it stays, to be reported where it is read.
		return g.size, nil
	}
	log := s.o.Log.With("segment", segmentName(g.seq), "offset", tail.begin, "bytes", tail.size())
	if _, err := s.setAside(kindTorn, g.seq, tail, &sc); err != nil {
		log.Error("the spool ends in a write cut off, which cannot be set aside", "error", err)
		return g.size, nil
	}
	log.Warn("the spool ended in a write cut off by a crash: it is cut away")
	return tail.begin, nil
}

// lastGap is what lies behind the last frame.
func lastGap(sc *scanner) (gap, error) {
	for {
		_, g, err := sc.next()
		if errors.Is(err, io.EOF) {
			return g, nil
		}
		if err != nil {
			return gap{}, err
		}
	}
}

// count finds what waits behind the applied position, and the damage of what has
// to be read for that. The rest of it is met when it is drained.
func (s *Spool) count() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	for p := s.applied; ; {
		g, from, ok := s.atLocked(p)
		if !ok {
			s.waiting = n // what was published meanwhile is in it
			return nil
		}
		p = position{g.seq, g.size}
		if g.counted && from.off == 0 {
			n += g.records
			continue
		}
		s.mu.Unlock()
		records, err := s.countSegment(g, from.off)
		s.mu.Lock()
		if err != nil {
			return fmt.Errorf("%s: %w", segmentName(g.seq), err)
		}
		if from.off == 0 {
			s.counted(g, records)
		}
		n += records
	}
}

func (s *Spool) countSegment(g segment, off int64) (int64, error) {
	f, err := s.fs.Open(s.path(segmentName(g.seq)))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	sc := scanner{r: f, off: off, end: g.size}
	var n int64
	for {
		fr, damage, err := sc.next()
		if damage.size() > 0 {
			s.damage(g.seq, damage, &sc)
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, errors.Join(err, f.Close())
		}
		n += int64(fr.records)
	}
}
