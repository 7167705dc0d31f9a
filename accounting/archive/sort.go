package archive

import (
	"bufio"
	"container/heap"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
)

// memory is how many octets of a client's lines are sorted at once.
const memory = 32 << 20

// sorter sorts a client's records by their ids. What is more than fits into
// memory goes into files, each sorted, which are merged.
type sorter struct {
	dir   string
	most  int // octets
	lines []line
	size  int
	files []*os.File
}

// line is a record as it will stand in the archive.
type line struct {
	id   string
	text []byte
}

func (s *sorter) add(r *accounting.Record) error {
	text := append(r.AppendJSON(nil), '\n')
	s.lines = append(s.lines, line{r.ID, text})
	if s.size += len(text) + len(r.ID) + 64; s.size < s.most {
		return nil
	}
	return s.spill()
}

func (s *sorter) sort() {
	slices.SortFunc(s.lines, func(a, b line) int { return strings.Compare(a.id, b.id) })
}

// spill writes what is in memory into a file that has no name.
func (s *sorter) spill() error {
	f, err := os.CreateTemp(s.dir, "sort.*")
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	s.sort()
	w := bufio.NewWriterSize(f, 256<<10)
	for _, l := range s.lines {
		if _, err := w.Write(l.text); err != nil {
			return err
		}
	}
	s.lines, s.size = s.lines[:0], 0
	return w.Flush()
}

// write writes all in order.
func (s *sorter) write(w io.Writer) error {
	if len(s.files) == 0 {
		s.sort()
		for _, l := range s.lines {
			if _, err := w.Write(l.text); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	var runs runs
	for _, f := range s.files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := &run{in: bufio.NewReaderSize(f, 256<<10)}
		more, err := r.next()
		if err != nil {
			return err
		}
		if more {
			runs = append(runs, r)
		}
	}
	heap.Init(&runs)
	for len(runs) > 0 {
		if _, err := w.Write(runs[0].text); err != nil {
			return err
		}
		more, err := runs[0].next()
		if err != nil {
			return err
		}
		if more {
			heap.Fix(&runs, 0)
		} else {
			heap.Pop(&runs)
		}
	}
	return nil
}

func (s *sorter) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// run is a sorted file, at one of its lines.
type run struct {
	in *bufio.Reader
	line
}

func (r *run) next() (bool, error) {
	text, err := r.in.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(text) == 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	record, err := accounting.ParseRecord(text)
	r.line = line{record.ID, text}
	return true, err
}

// runs are a heap by their ids.
type runs []*run

func (r runs) Len() int           { return len(r) }
func (r runs) Less(i, k int) bool { return r[i].id < r[k].id }
func (r runs) Swap(i, k int)      { r[i], r[k] = r[k], r[i] }
func (r *runs) Push(x any)        { *r = append(*r, x.(*run)) }

func (r *runs) Pop() any {
	old := *r
	last := old[len(old)-1]
	*r = old[:len(old)-1]
	return last
}
