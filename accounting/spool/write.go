package spool

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// batchBytes bounds what one write takes together, and with it the writer's
// memory; a frame that is larger goes alone.
const batchBytes = 4 << 20

// writer appends what waits, one write and one sync for all of it. It alone
// writes segments.
type writer struct {
	spool *Spool
	next  uint64 // number of the next segment
	cur   *tail  // nil: the next write makes one
	buf   []byte
	batch []*waiter

	asked   time.Time // when it was last looked whether the segment stands in the folder
	refused int       // messages that were not spooled, since the last line said so
	said    time.Time // when that was; zero: what came last was spooled
}

// tail is the segment that is written.
type tail struct {
	seq    uint64
	file   File
	synced int64 // bytes that a sync has made durable

	removed bool // somebody took its name away: nothing more is written to it
}

// run until the queue is closed and empty.
func (w *writer) run() {
	for more := true; more; {
		var worked bool
		if worked, more = w.step(); !worked && more {
			<-w.spool.queue.wake
		}
	}
	w.end()
}

// end ends the current segment. With its descriptor goes what somebody removed meanwhile.
func (w *writer) end() {
	if err := w.still(); err != nil {
		w.spool.o.Log.Error("records that wait are lost with a segment that was removed", "error", err)
	}
	if w.cur != nil {
		w.close()
	}
}

// step commits what waits. It reports whether something did, and whether more
// can come.
func (w *writer) step() (worked, more bool) {
	w.looked()
	w.batch, more = w.spool.queue.take(w.batch[:0], batchBytes)
	if len(w.batch) == 0 {
		return false, more
	}
	w.commit()
	return true, more
}

// commit writes the batch and tells each caller.
func (w *writer) commit() {
	w.buf = w.buf[:0]
	records := 0
	for _, a := range w.batch {
		w.buf = append(w.buf, a.frame...)
		records += a.records
	}
	err := w.write()
	if err == nil {
		w.spooled()
		w.spool.publish(w.cur.seq, w.cur.synced, records)
		if w.cur.synced >= w.spool.o.SegmentSize {
			w.end()
		}
	} else {
		w.spool.wrote(err)
		w.failed(err)
	}
	for _, a := range w.batch {
		a.done <- err
	}
	clear(w.batch)
	if cap(w.buf) > 2*batchBytes {
		w.buf = nil
	}
}

// failed says that messages could not be spooled, once and then every minute: the log
// may be on the disk that is full.
func (w *writer) failed(err error) {
	w.refused += len(w.batch)
	now := w.spool.o.Now()
	if passed := now.Sub(w.said); w.said.IsZero() || passed < 0 || passed >= time.Minute {
		w.spool.o.Log.Error("usage records cannot be spooled; mail for clients is deferred", "messages", w.refused, "error", err)
		w.said, w.refused = now, 0
	}
}

// spooled says that they can be again.
func (w *writer) spooled() {
	if !w.said.IsZero() {
		w.spool.o.Log.Info("usage records can be spooled again", "deferred", w.refused)
		w.said, w.refused = time.Time{}, 0
	}
}

// write makes the buffer durable. A descriptor whose write or sync failed is
// never used again: the kernel may have dropped the dirty pages and would
// report the next sync as a success. The buffer then goes to a new segment.
func (w *writer) write() error {
	// That costs a system call; what is written meanwhile to a file that was removed is
	// written again the next time, or at the end of the segment.
	if now := w.spool.o.Now(); now.Sub(w.asked) < 0 || now.Sub(w.asked) >= w.spool.pace.look {
		w.asked = now
		if err := w.still(); err != nil {
			return err
		}
	}
	fresh := w.cur == nil
	err := w.try()
	if err == nil || fresh {
		return err
	}
	w.spool.o.Log.Warn("spool segment given up, going on in a new one", "error", err)
	if errors.Is(err, ErrUncertain) {
		// The records stand in both, and are applied once: only if the new
		// segment fails too does it matter.
		if again := w.try(); again != nil {
			return errors.Join(err, again)
		}
		return nil
	}
	return w.try()
}

// try writes the buffer once; on failure there is no current segment.
func (w *writer) try() error {
	if w.cur == nil {
		if err := w.create(); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	_, err := w.cur.file.Write(w.buf)
	if err == nil {
		err = w.cur.file.Sync()
	}
	if err == nil {
		w.cur.synced += int64(len(w.buf))
		return nil
	}
	return w.abandon(fmt.Errorf("spool: %w", err))
}

func (w *writer) create() error {
	path := w.spool.path(segmentName(w.next))
	f, err := w.spool.fs.Create(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = w.spool.remade(); err == nil {
			f, err = w.spool.fs.Create(path)
		}
	}
	if err != nil {
		return err
	}
	if err := w.spool.fs.SyncDir(w.spool.dir); err != nil {
		return errors.Join(err, f.Close(), w.spool.fs.Remove(path))
	}
	w.cur = &tail{seq: w.next, file: f}
	w.spool.writing.Store(w.next)
	w.next++
	return nil
}

// abandon leaves the segment as it was last synced. If it cannot, the frames
// may come back at the next Open.
func (w *writer) abandon(cause error) error {
	cur := w.cur
	w.drop()
	err := cur.file.Truncate(cur.synced)
	if e := cur.file.Close(); e != nil {
		w.spool.o.Log.Warn("closing a spool segment", "error", e)
	}
	if err == nil && cur.synced == 0 {
		if e := w.spool.fs.Remove(w.spool.path(segmentName(cur.seq))); e != nil && !errors.Is(e, os.ErrNotExist) {
			w.spool.o.Log.Warn("removing an empty spool segment", "error", e)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w, and cutting it off: %w", ErrUncertain, cause, err)
	}
	return cause
}

// close ends the current segment; all of it is synced.
func (w *writer) close() {
	if err := w.cur.file.Close(); err != nil {
		w.spool.o.Log.Warn("closing a spool segment", "error", err)
	}
	w.drop()
	w.spool.saveCounts()
}

// drop has no current segment from now on.
func (w *writer) drop() {
	w.cur = nil
	w.spool.writing.Store(0)
}
