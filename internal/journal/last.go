package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
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
	newest := &newestEntries{most: n}
	errs = errors.Join(errs, tail{newest, newMatch(q), &report}.read(ctx, dir, found))
	for _, e := range newest.all {
		if err := fn(*e); err != nil {
			return report, errors.Join(err, errs)
		}
	}
	return report, errors.Join(errs, ctx.Err())
}

// tail gathers the newest entries.
type tail struct {
	newest
	match  *match
	report *Report
}

// newest keeps what is newest of what it is given, of all kinds.
type newest interface {
	add(e *Entry)
	// full tells, where it has as much as it keeps, before which time nothing more is
	// wanted.
	full() (before time.Time, ok bool)
}

// read gathers from all files.
func (t tail) read(ctx context.Context, dir string, found map[string][]*part) (errs error) {
	narrow(dir, found, t.match, t.report)
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
	return errs
}

// newestEntries are entries, each for itself.
type newestEntries struct {
	most int
	all  []*Entry // by time, at most so many
}

func (n *newestEntries) add(e *Entry) {
	at := len(n.all)
	for at > 0 && n.all[at-1].Time.After(e.Time) {
		at--
	}
	n.all = slices.Insert(n.all, at, e)
	if len(n.all) > n.most {
		n.all = n.all[1:]
	}
}

func (n *newestEntries) full() (time.Time, bool) {
	if len(n.all) < n.most || n.most == 0 {
		return time.Time{}, false
	}
	return n.all[0].Time, true
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
	if oldest, ok := t.full(); ok && is < at(oldest.Add(-slack)) {
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

// meanwhile is how many more messages are kept than are asked for: the journals are
// read one after the other, and what one of them has of a message may be older than
// what it has of others that ended before it.
const meanwhile = 256

// LastMessages is Last of messages: it calls fn with the entries that match of the
// newest n, by their newest entry. An entry without a reference is one by itself.
func LastMessages(ctx context.Context, dir string, q Query, n int, fn func(Entry) error) (Report, error) {
	var report Report
	found, errs := wanted(dir, q, &report)
	if found == nil {
		return report, errs
	}
	defer closeAll(found)
	newest := &newestMessages{most: n + meanwhile, byRef: map[string]*gathering{}}
	errs = errors.Join(errs, tail{newest, newMatch(q), &report}.read(ctx, dir, found))
	var entries []*Entry
	for _, g := range newest.all[max(len(newest.all)-n, 0):] {
		slices.Reverse(g.entries) // they were read from the end
		entries = append(entries, g.entries...)
	}
	// Entries of one moment stay in the order of their kinds, as a search has them.
	slices.SortStableFunc(entries, func(a, b *Entry) int {
		if by := a.Time.Compare(b.Time); by != 0 {
			return by
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	for _, e := range entries {
		if err := fn(*e); err != nil {
			return report, errors.Join(err, errs)
		}
	}
	return report, errors.Join(errs, ctx.Err())
}

// gathering is what was found of one message.
type gathering struct {
	ref     string
	newest  time.Time
	entries []*Entry
}

// newestMessages are messages, each with all of its entries that were found.
type newestMessages struct {
	most  int
	all   []*gathering // by the newest entry
	byRef map[string]*gathering
}

func (n *newestMessages) add(e *Entry) {
	g := n.byRef[e.Ref]
	if g == nil {
		g = &gathering{ref: e.Ref, newest: e.Time, entries: []*Entry{e}}
		if e.Ref != "" {
			n.byRef[e.Ref] = g
		}
		n.insert(g)
	} else {
		g.entries = append(g.entries, e)
		if e.Time.After(g.newest) {
			n.all = slices.DeleteFunc(n.all, func(other *gathering) bool { return other == g })
			g.newest = e.Time
			n.insert(g)
		}
	}
	if len(n.all) > n.most {
		delete(n.byRef, n.all[0].ref)
		n.all = n.all[1:]
	}
}

func (n *newestMessages) insert(g *gathering) {
	at, _ := slices.BinarySearchFunc(n.all, g, func(a, b *gathering) int {
		if a.newest.After(b.newest) {
			return 1
		}
		return -1 // an equal one stands behind those that came first
	})
	n.all = slices.Insert(n.all, at, g)
}

func (n *newestMessages) full() (time.Time, bool) {
	if len(n.all) < n.most {
		return time.Time{}, false
	}
	return n.all[0].newest, true
}
