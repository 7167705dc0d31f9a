package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// Last calls fn with the newest n entries that match, oldest first. It reads the
// newest files first and from their ends, packed ones but from their beginning.
func Last(ctx context.Context, dir string, q Query, n int, fn func(Entry) error) (Report, error) {
	var report Report
	found, errs := wanted(dir, q, &report)
	if found == nil {
		return report, errs
	}
	defer closeAll(found)
	t := tail{most: n, match: newMatch(q), report: &report}
	narrow(dir, found, t.match, &report)
	for _, k := range slices.Sorted(maps.Keys(found)) {
		files, err := byTime(found[k])
		errs = errors.Join(errs, err)
		for at := len(files) - 1; at >= 0 && ctx.Err() == nil; at-- {
			if at+1 < len(files) && t.older(files[at+1].from) && files[at].endedBefore(t.older) {
				continue
			}
			errs = errors.Join(errs, t.file(ctx, files[at]))
		}
	}
	for _, e := range t.newest {
		if err := fn(*e); err != nil {
			return report, errors.Join(err, errs)
		}
	}
	return report, errors.Join(errs, ctx.Err())
}

// tail gathers the newest entries.
type tail struct {
	most   int
	newest []*Entry // by time, at most so many
	match  *match
	report *Report
}

// add puts an entry among the newest, if it is one.
func (t *tail) add(e *Entry) {
	at := len(t.newest)
	for at > 0 && t.newest[at-1].Time.After(e.Time) {
		at--
	}
	t.newest = slices.Insert(t.newest, at, e)
	if len(t.newest) > t.most {
		t.newest = t.newest[1:]
	}
}

// patience is how many lines in a row are too old before those above them are
// taken to be so as well: a clock that was not set yet wrote some among newer ones.
const patience = 1024

// older tells whether a line of that time, as the journals write it, is too old, be
// it that enough newer ones are there or that nobody asks for it; "" is not known.
func (t *tail) older(is string) bool {
	if is == "" {
		return false
	}
	if len(t.newest) == t.most && is < at(t.newest[0].Time.Add(-slack)) {
		return true
	}
	return t.match.wellBefore(is)
}

// file gathers from one file.
func (t *tail) file(ctx context.Context, d dated) error {
	t.report.Files++
	l, err := d.backward()
	if err != nil {
		return err
	}
	if l == nil {
		return t.packed(ctx, d)
	}
	past := 0 // lines in a row
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil
		}
		line, torn, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLong):
			t.report.Lines++
			t.report.Broken++
			continue
		case err != nil:
			return fmt.Errorf("journal: %s: %w", d.path, err)
		case !t.older(string(timeOf(line))):
			past = 0
		default:
			if past++; past == patience {
				return nil
			}
			continue
		}
		if e := entry(line, torn, t.match, t.report); e != nil {
			t.add(e)
		}
	}
}

// packed reads a file that can only be read forward, or by its members from the last.
func (t *tail) packed(ctx context.Context, d dated) error {
	if d.index == nil {
		return t.forward(ctx, d)
	}
	for chosen := d.index.chosen; len(chosen) > 0; chosen = chosen[:len(chosen)-1] {
		n := chosen[len(chosen)-1]
		if latest := d.index.Members[n].Latest; t.older(at(time.UnixMilli(latest))) {
			continue
		}
		one := *d.index
		one.chosen = []int{n}
		p := *d.part
		p.index = &one
		if err := t.forward(ctx, dated{part: &p}); err != nil {
			return err
		}
	}
	return nil
}

func (t *tail) forward(ctx context.Context, d dated) error {
	s := &stream{files: []*part{d.part}, match: t.match, report: t.report}
	t.report.Files-- // the stream counts it
	for {
		e := s.read(ctx)
		if e == nil {
			return s.err
		}
		t.add(e)
	}
}

// backward reads a plain file from its end; nil for a packed one.
func (p *part) backward() (*backward, error) {
	info, err := p.f.Stat()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if p.packed {
		return nil, nil
	}
	return &backward{f: p.f, from: info.Size(), first: true}, nil
}

const backStep = 256 << 10 // octets

// backward reads line by line from the end of a file, in bounded memory.
type backward struct {
	f     *os.File
	from  int64  // where buf begins in the file
	buf   []byte // what was read and not yet given
	first bool   // no line was given yet
}

// next returns the line before, without its end, valid until the next call;
// torn: the file's last line has none. errLong for one that was passed over,
// io.EOF before the first.
func (b *backward) next() (line []byte, torn bool, err error) {
	if b.first {
		b.first = false
		if err := b.more(); err != nil {
			return nil, false, err
		}
		torn = len(b.buf) > 0 && b.buf[len(b.buf)-1] != '\n'
		if !torn && len(b.buf) > 0 {
			b.buf = b.buf[:len(b.buf)-1]
		}
		if len(b.buf) == 0 && b.from == 0 {
			return nil, false, io.EOF
		}
	}
	if b.buf == nil {
		return nil, false, io.EOF
	}
	long := false
	searched := 0 // of buf's end
	for {
		if i := bytes.LastIndexByte(b.buf[:len(b.buf)-searched], '\n'); i >= 0 {
			line, b.buf = b.buf[i+1:], b.buf[:i]
			break
		}
		if b.from == 0 {
			line, b.buf = b.buf, nil
			break
		}
		if searched = len(b.buf); searched > longest {
			long, searched, b.buf = true, 0, b.buf[:0]
		}
		if err := b.more(); err != nil {
			return nil, false, err
		}
	}
	if long {
		return nil, false, errLong
	}
	return line, torn, nil
}

// more puts what stands before buf in front of it.
func (b *backward) more() error {
	n := min(b.from, backStep)
	grown := make([]byte, int(n)+len(b.buf))
	if _, err := b.f.ReadAt(grown[:n], b.from-n); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	copy(grown[n:], b.buf)
	b.buf, b.from = grown, b.from-n
	return nil
}
