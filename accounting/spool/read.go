package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// read fills the batch with what lies behind pos. Next is where that ends: pos
// itself when there is nothing.
func (d *drain) read() (next position, err error) {
	d.batch = d.batch[:0]
	next, size := d.pos, 0
	for len(d.batch) < batchRecords && size < batchPayload {
		g, from, ok := d.s.at(next)
		if !ok {
			return next, nil
		}
		if err := d.open(g, from.off); err != nil {
			if len(d.batch) > 0 {
				return next, nil // what lies before it is applied first
			}
			if errors.Is(err, fs.ErrNotExist) {
				err = d.passOver(g, from.off, err)
			}
			if err != nil {
				return d.pos, fmt.Errorf("spool: %s: %w", segmentName(g.seq), err)
			}
			next = position{g.seq, g.size}
			continue
		}
		f, damage, err := d.scan.next()
		if damage.size() > 0 {
			d.s.damage(g.seq, damage, &d.scan)
		}
		if errors.Is(err, io.EOF) {
			next = position{g.seq, g.size}
			continue
		}
		if err != nil {
			d.rewindScan()
			return d.pos, fmt.Errorf("spool: %s: %w", segmentName(g.seq), err)
		}
		if d.batch, err = decode(d.batch, f.payload); err != nil {
			d.s.o.Log.Error("a spooled record cannot be read", "segment", segmentName(g.seq), "offset", f.begin, "error", err)
			d.s.damage(g.seq, gap{f.begin, f.end}, &d.scan)
		}
		size += len(f.payload)
		next = position{g.seq, f.end}
	}
	return next, nil
}

// open makes scan stand at off in the segment.
func (d *drain) open(g segment, off int64) error {
	if d.reading != nil && d.seq == g.seq && d.scan.off == off {
		d.scan.end = g.size
		return nil
	}
	if d.reading == nil || d.seq != g.seq {
		f, err := d.s.fs.Open(d.s.path(segmentName(g.seq)))
		if err != nil {
			return err
		}
		d.closeSegment()
		d.reading, d.seq = f, g.seq
		d.scan = scanner{r: f, window: d.scan.window[:0]}
	}
	d.scan.off, d.scan.end = off, g.size
	return nil
}

// rewindScan makes the next read begin at pos again.
func (d *drain) rewindScan() { d.scan.off = -1 }

func (d *drain) closeSegment() {
	if d.reading == nil {
		return
	}
	if err := d.reading.Close(); err != nil {
		d.s.o.Log.Warn("closing a spool segment", "error", err)
	}
	d.reading = nil
}
