package spool

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const textGone = "a segment of the spool was removed before it was drained: its usage records are lost"

var (
	errMoved   = errors.New("the spool's folder is another one: it was moved, or its file system is away")
	errWritten = errors.New("it is being written, and is to be made again")
)

// passOver has the drain go on behind a segment that waits and is not in the folder, once
// that is certain: it was missing for a while, in the folder that was opened or made, and
// not because that is away, where nothing is lost. What waited in it, from off on, counts
// as spooled: the store is seen to miss it. Nil where it is passed over.
func (d *drain) passOver(g segment, off int64, cause error) error {
	s := d.s
	s.look() // a folder that was removed is made again, and the segment that is written
	if err := d.missed(); err != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	since, missing := d.absent[g.seq]
	if !missing {
		return cause // it is there again
	}
	if s.writing.Load() == g.seq {
		return fmt.Errorf("%w: %w", cause, errWritten)
	}
	if rest := s.pace.absent - s.o.Now().Sub(since); rest > 0 {
		return fmt.Errorf("%w: it was removed; what waited in it is given up in %v unless it comes back", cause, rest.Round(time.Second))
	}
	delete(d.absent, g.seq)
	taken := d.taken()
	if lost := s.giveUp(g.seq, off, int64(len(d.batch)), taken); lost > 0 {
		s.o.Log.Error(textGone, "segment", segmentName(g.seq), "records", lost)
	} else {
		s.o.Log.Warn("a segment of the spool was removed; the store has its usage records", "segment", segmentName(g.seq))
	}
	return nil
}

// taken is how many of all records that were ever spooled the sink is sure to have, by
// its marks: the cursor, which is saved seldom, may be behind them after a crash.
func (d *drain) taken() int64 {
	_, end := d.s.bounds()
	least := int64(math.MaxInt64)
	for _, m := range d.session.Marks() {
		c, err := parseCursor(m.Text)
		if _, ours := d.s.parseMark(m.Text, end); !ours || err != nil {
			return 0
		}
		least = min(least, c.count)
	}
	if least == math.MaxInt64 {
		return 0 // it has no marks
	}
	return least
}

// missed notes which segments that wait are not in the folder. Nothing is noted while it
// is not known to be ours: that begins anew when it is.
func (d *drain) missed() error {
	s := d.s
	if err := s.hold(); err != nil {
		clear(d.absent)
		return err
	}
	list, err := listSegments(s.fs, s.dir)
	if err != nil {
		clear(d.absent)
		return err
	}
	there := map[uint64]bool{}
	for _, g := range list {
		there[g.seq] = true
	}
	now, was := s.o.Now(), d.absent
	d.absent = map[uint64]time.Time{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if g.seq < d.pos.seq || there[g.seq] {
			continue
		}
		since, known := was[g.seq]
		if !known || now.Before(since) {
			since = now // or the clock was set back
		}
		d.absent[g.seq] = since
	}
	return nil
}

// hold makes sure that the folder is the one that was opened. One that was removed has
// nothing any more that could come back: whatever stands in its place is taken for it. It
// is the drain's alone, as the folder is until the end: nobody else waits for a file
// system that hangs.
func (s *Spool) hold() error {
	if s.folder.Stands(s.dir) {
		return nil
	}
	if !s.folder.Removed() {
		return errMoved
	}
	f, err := s.fs.OpenDir(s.dir)
	if err != nil {
		return err
	}
	if err := s.folder.Close(); err != nil {
		s.o.Log.Warn("the folder of a spool that was removed", "error", err)
	}
	s.folder = f
	return nil
}

// giveUp has a segment be passed over. It returns how many records are lost: those that
// waited in it from off on, of which none is in the batch that was read, without those
// that the sink took.
func (s *Spool) giveUp(seq uint64, off, batch, taken int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	behind, mine, later := s.ends(), 0, int64(0)
	for i, g := range s.segments {
		switch {
		case g.seq == seq:
			mine = i
		case g.seq > seq && !g.gone:
			later += g.records
		}
	}
	g := &s.segments[mine]
	g.gone = true
	waited := max(0, s.waiting-batch-later)
	if off == 0 && g.counted {
		waited = g.records
	}
	s.waiting = max(0, s.waiting-waited)
	if behind[mine] < 0 {
		return waited
	}
	return min(waited, max(0, behind[mine]-taken))
}
