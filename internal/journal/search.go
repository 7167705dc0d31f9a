package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Report is what a search went through.
type Report struct {
	Files      int
	Lines      int64
	Broken     int64    // lines that are no entry: cut by a crash, damaged
	Unsearched []string // files compressed in a way that cannot be read
	Indexed    int      // files of which an index told what to read
	Left       int64    // members of those that were not read
	Damaged    []string // files whose index cannot be believed: read whole
	Unread     []error  // of files that could not be read, or not to their end
}

// Missing are the files of which something may be missing in what was found, each with
// why.
func (r *Report) Missing() []string {
	all := []string{}
	for _, err := range r.Unread {
		all = append(all, err.Error())
	}
	for _, path := range r.Unsearched {
		all = append(all, path+": compressed in a way that cannot be searched; unpack it first")
	}
	return all
}

// unread notes errors, those that were joined each by itself.
func (r *Report) unread(err error) {
	all, joined := err.(interface{ Unwrap() []error })
	switch {
	case joined:
		for _, one := range all.Unwrap() {
			r.unread(one)
		}
	case err != nil:
		r.Unread = append(r.Unread, err)
	}
}

// Search calls fn with every entry that matches, oldest first, rotated files
// (also .gz and .bz2) included. It stops at fn's error and returns it. A file
// that cannot be read is an error, after all others were searched.
func Search(ctx context.Context, dir string, q Query, fn func(Entry) error) (Report, error) {
	report, err := SearchReadable(ctx, dir, q, fn)
	return report, errors.Join(append([]error{err}, report.Unread...)...)
}

// SearchReadable is Search for who goes on with what can be read: what cannot is no
// error but in the report, for the caller to tell.
func SearchReadable(ctx context.Context, dir string, q Query, fn func(Entry) error) (Report, error) {
	var report Report
	found, err := wanted(dir, q, &report)
	if found == nil {
		return report, err
	}
	report.unread(err)
	defer closeAll(found)
	m := newMatch(q)
	narrow(dir, found, m, &report)
	var streams []*stream
	for _, k := range slices.Sorted(maps.Keys(found)) {
		s, err := newStream(found[k], m, &report)
		report.unread(err)
		streams = append(streams, s)
	}
	err = merge(ctx, streams, fn)
	for _, s := range streams {
		report.unread(s.err)
	}
	return report, err
}

// wanted opens the files of the kinds that a query asks for.
func wanted(dir string, q Query, report *Report) (map[string][]*part, error) {
	kinds := q.Kinds
	if len(kinds) == 0 {
		kinds = searched()
	}
	for _, k := range kinds {
		if !slices.Contains(Kinds(), k) {
			return nil, fmt.Errorf("journal: no journal %q", k)
		}
	}
	return parts(dir, kinds, report)
}

func closeAll(found map[string][]*part) {
	for _, files := range found {
		for _, p := range files {
			p.close()
		}
	}
}

// merge brings the kinds into one order of time.
func merge(ctx context.Context, streams []*stream, fn func(Entry) error) error {
	heads := make([]*Entry, len(streams))
	for i, s := range streams {
		heads[i] = s.next(ctx)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := -1
		for i, e := range heads {
			if e != nil && (first < 0 || e.Time.Before(heads[first].Time)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		if err := fn(*heads[first]); err != nil {
			return err
		}
		heads[first] = streams[first].next(ctx)
	}
}

// lookAhead is how many entries of one kind are put in order of time among
// each other. They are written nearly so: many goroutines write, and each
// entry's time is a moment before its writing.
const lookAhead = 256

// stream is the matching entries of one kind, oldest first.
type stream struct {
	files  []*part // the oldest first
	lines  *lines  // of files[0]; nil before it is begun
	match  *match
	report *Report
	ahead  []*Entry // sorted
	err    error    // of files that could not be read, joined
}

// newStream puts the files in order by their first lines: names tell it in
// too many ways.
func newStream(files []*part, m *match, report *Report) (*stream, error) {
	all, err := byTime(files)
	s := &stream{match: m, report: report}
	for i, d := range all {
		// When the next file begins a good while before what is asked for,
		// this one has ended by then.
		if d.from != "" && i+1 < len(all) && m.wellBefore(all[i+1].from) && d.endedBefore(m.wellBefore) {
			continue
		}
		s.files = append(s.files, d.part)
	}
	return s, err
}

// dated is a file with the time of its first line, "" for none, and when it was
// written to last.
type dated struct {
	*part
	from, to string
}

// endedBefore asks the same of the file's own end. A machine without a clock
// boots in 1970, and a first line of that time says nothing of those after it;
// nor does the end where it stands before the beginning.
func (d dated) endedBefore(old func(string) bool) bool {
	return d.from <= d.to && old(d.to)
}

// byTime puts files in the order of their first lines.
func byTime(files []*part) ([]dated, error) {
	var all []dated
	var errs []error
	for _, p := range files {
		from, err := p.firstTime()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		info, err := p.f.Stat()
		if err != nil {
			errs = append(errs, fmt.Errorf("journal: %w", err))
			continue
		}
		all = append(all, dated{p, from, at(info.ModTime())})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return strings.Compare(a.from, b.from) })
	return all, errors.Join(errs...)
}

// next returns nil after the last.
func (s *stream) next(ctx context.Context) *Entry {
	for len(s.ahead) < lookAhead {
		e := s.read(ctx)
		if e == nil {
			break
		}
		i, _ := slices.BinarySearchFunc(s.ahead, e, func(a, b *Entry) int {
			if a.Time.After(b.Time) {
				return 1
			}
			return -1 // an equal one stands behind those that came first
		})
		s.ahead = slices.Insert(s.ahead, i, e)
	}
	if len(s.ahead) == 0 {
		return nil
	}
	e := s.ahead[0]
	s.ahead = s.ahead[1:]
	return e
}

// read returns the next entry that matches, in the order of the files.
func (s *stream) read(ctx context.Context) *Entry {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil
		}
		if len(s.files) == 0 {
			return nil
		}
		if s.lines == nil {
			l, err := s.files[0].lines()
			if err != nil {
				s.endFile(err)
				continue
			}
			s.lines = l
			s.report.Files++
		}
		line, err := s.lines.next()
		switch {
		case errors.Is(err, io.EOF):
			if s.lines.damage != nil {
				err = s.lines.damage()
			} else {
				err = nil
			}
			s.endFile(err)
			continue
		case errors.Is(err, errLong):
			s.report.Lines++
			s.report.Broken++
			continue
		case err != nil:
			s.endFile(fmt.Errorf("journal: %s: %w", s.files[0].path, err))
			continue
		}
		if e := entry(line, s.lines.torn, s.match, s.report); e != nil {
			return e
		}
	}
}

func (s *stream) endFile(err error) {
	s.err = errors.Join(s.err, err)
	s.files, s.lines = s.files[1:], nil
}

// entry decodes a line; nil when it does not match.
func entry(line []byte, torn bool, m *match, report *Report) *Entry {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil // begins what follows a torn line
	}
	report.Lines++
	if !m.may(line) {
		return nil
	}
	e, err := decode(line)
	if err != nil || e.Time.IsZero() {
		if !torn { // else it may be under way
			report.Broken++
		}
		return nil
	}
	if !m.is(e) {
		return nil
	}
	return e
}
