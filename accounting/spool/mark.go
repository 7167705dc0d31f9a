package spool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// plain is the session with a sink that loses nothing.
type plain struct{ accounting.Sink }

func (plain) Marks() []accounting.Mark           { return nil }
func (plain) Move(context.Context, string) error { return nil }
func (plain) Check(context.Context) error        { return nil }
func (plain) Close() error                       { return nil }

func (p plain) Put(ctx context.Context, batch []accounting.Record, _ string) error {
	return p.Sink.Put(ctx, batch)
}

// connect begins a session with the sink, and finds out whether the sink still
// has what it took.
func (d *drain) connect(ctx context.Context) error {
	with, ok := d.sink.(accounting.Checkpointer)
	if !ok {
		d.session = plain{d.sink}
		return nil
	}
	session, err := with.Session(ctx)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := d.compare(session.Marks()); err != nil {
		return errors.Join(err, session.Close())
	}
	d.session = session
	return nil
}

// disconnect ends the session, and keeps what it knew of the marks.
func (d *drain) disconnect() {
	if d.session == nil {
		return
	}
	_, end := d.s.bounds()
	for _, m := range d.session.Marks() {
		if at, ours := d.s.parseMark(m.Text, end); ours {
			d.left[m.Part] = at
		}
	}
	if err := d.session.Close(); err != nil {
		d.s.o.Log.Debug("closing the connection with the store", "error", err)
	}
	d.session = nil
}

// parseMark reads a mark; false when it is none, or another spool's: one that
// stands behind the end is of a folder whose files were put back.
func (s *Spool) parseMark(text string, end position) (position, bool) {
	c, err := parseCursor(text)
	return c.position, err == nil && c.spool == s.cursor.spool && !end.before(c.position)
}

// compare goes back to where the marks say the sink has got. A mark was set
// after all that lies before it was applied, and is lost with it. A part of
// the sink that took nothing for a while has an old mark and lost nothing: what
// counts is the mark we left in it or, after a start, the saved cursor, which
// moves behind all marks.
func (d *drain) compare(marks []accounting.Mark) error {
	first, end := d.s.bounds()
	to, foreign := d.pos, false
	parts := map[string]position{}
	for _, m := range marks {
		at, ours := d.s.parseMark(m.Text, end)
		if !ours {
			at, foreign = first, true
		}
		left, known := d.left[m.Part]
		if !known {
			left = d.s.cursor.position
		}
		if (!ours || at.before(left)) && at.before(to) {
			to = at
		}
		parts[m.Part] = at
	}
	if len(d.left) > 0 && !slices.Equal(slices.Sorted(maps.Keys(d.left)), slices.Sorted(maps.Keys(parts))) {
		// Slots have moved: which of the records behind them moved along, no
		// mark tells.
		d.s.o.Log.Warn("the store's slots have moved: what the spool retains is applied again")
		to, foreign = first, false
	} else if to.before(d.pos) {
		log := d.s.o.Log.With("mark", to, "applied", d.pos)
		if d.unkept && !to.before(d.kept) {
			log.Info("what the store could not keep is applied again from the spool")
		} else if to.before(first) || foreign && first.seq > 1 {
			log.Error("the store has lost records, some of them older than the spool retains")
		} else {
			log.Error("the store has lost records, or is another: they are applied again from the spool")
		}
	}
	d.left = parts
	if !to.before(d.pos) {
		return nil
	}
	return d.rewind(to)
}

// rewind begins again at p.
func (d *drain) rewind(p position) error {
	d.pos, d.dirty = p, true
	if p.before(d.kept) {
		d.kept = p
	}
	d.rewindScan()
	d.s.mu.Lock()
	d.s.applied = p
	d.s.mu.Unlock()
	return d.s.count()
}

// checkpoint moves all of the sink's marks and then the cursor, so that the
// cursor is never ahead of a mark but where the sink has lost records.
func (d *drain) checkpoint(ctx context.Context) error {
	c := d.at(d.pos, 0)
	d.begun()
	if err := d.session.Move(ctx, c.String()); err != nil {
		return fmt.Errorf("store: mark: %w", err)
	}
	d.seen()
	d.saveCursor(c)
	return nil
}

// settle leaves nothing in doubt: the cursor is saved and the sink's marks seen.
func (d *drain) settle(ctx context.Context) error {
	if d.dirty {
		return d.checkpoint(ctx)
	}
	d.begun()
	if err := d.session.Check(ctx); err != nil {
		return fmt.Errorf("store: mark: %w", err)
	}
	d.seen()
	return nil
}

// begun has those who wait in Settled by now be answered by what the sink is asked next,
// or by the first that succeeds.
func (d *drain) begun() {
	if d.asking == nil {
		d.asking = d.s.take()
	}
}

// seen notes that the sink was found to have kept all that it took. Where nothing waits
// that is all that can be asked of it: it is well.
func (d *drain) seen() {
	d.checked, d.kept = d.s.o.Now(), d.pos
	if d.unkept || d.failures > 0 && d.s.nothingWaits() {
		d.unkept = false
		d.recovered()
	}
	if d.asking != nil {
		close(d.asking)
		d.asking = nil
	}
}

// recovered notes that the sink takes records, and keeps them.
func (d *drain) recovered() {
	if d.failures > 0 {
		d.s.o.Log.Info("the store takes usage records again", "failures", d.failures)
		d.failures = 0
	}
	d.s.mu.Lock()
	d.s.state = sinkState{lastApplied: d.s.state.lastApplied}
	d.s.mu.Unlock()
}

// at is the cursor behind p, once so many more records are applied.
func (d *drain) at(p position, records int) cursor {
	s := d.s
	s.mu.Lock()
	defer s.mu.Unlock()
	return cursor{s.cursor.spool, p, s.spooled - max(0, s.waiting-int64(records))}
}

// saveCursor saves how far the drain is. Without room on the disk the sink can
// still take records: the cursor stays behind, and is tried again.
func (d *drain) saveCursor(c cursor) {
	s := d.s
	d.saved = s.o.Now()
	s.saving.Lock()
	defer s.saving.Unlock()
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
		if err := s.fs.SetTime(s.path(segmentName(g.seq)), s.o.Now()); err != nil && !errors.Is(err, os.ErrNotExist) {
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

// clockSlack is how far ahead a file's time may be and still be believed.
const clockSlack = time.Minute

// prune removes segments that were drained long enough ago.
func (s *Spool) prune() {
	now := s.o.Now()
	for {
		s.mu.Lock()
		if len(s.segments) < 2 || s.segments[0].seq >= s.cursor.seq {
			s.mu.Unlock()
			return
		}
		oldest := s.segments[0].seq
		s.mu.Unlock()
		path := s.path(segmentName(oldest))
		info, err := s.fs.Stat(path)
		if err == nil && info.Changed.After(now.Add(clockSlack)) {
			// The clock was ahead when it was drained. It is retained from now
			// on, or it would keep all later ones until its time comes.
			if err := s.fs.SetTime(path, now); err != nil {
				s.o.Log.Warn("the time of a spool segment", "error", err)
			}
			return
		}
		if err == nil {
			if info.Changed.After(now.Add(-s.o.Retain)) {
				return
			}
			err = s.fs.Remove(path)
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
