package journal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

var errClosed = errors.New("journal: closed")

// Journal writes the journals of one gateway. It is safe for use by many
// goroutines.
type Journal struct {
	log *slog.Logger
	now func() time.Time

	moving sync.Mutex // held while files are replaced
	dir    string

	writers [len(kinds)]writer
	buffers sync.Pool // *[]byte, for lines that are written at once

	tracing sync.Mutex                // held while what is traced changes
	traced  atomic.Pointer[traced]    // nil: nothing is traced
	syslog  atomic.Pointer[syslogger] // nil: none

	packing atomic.Bool    // rotated files are packed
	ending  sync.WaitGroup // of those that sent to syslog before

	made made // by Open
}

// writer writes one kind.
type writer struct {
	*kind
	file     *file
	gathered *gathered // nil: at once
}

// Option changes how a journal is opened.
type Option func(*Journal)

// WithLog tells where troubles are reported; otherwise nowhere.
func WithLog(log *slog.Logger) Option { return func(j *Journal) { j.log = log } }

// Open opens (and makes) the files in dir, which it makes as well.
func Open(dir string, options ...Option) (*Journal, error) {
	j := &Journal{dir: dir, log: slog.New(slog.DiscardHandler), now: time.Now}
	for _, o := range options {
		o(j)
	}
	for i := range kinds {
		j.writers[i] = writer{kind: &kinds[i], file: &file{kind: kinds[i].name}}
	}
	first, err := openAll(dir, j.files()...)
	if err != nil {
		return nil, err
	}
	j.made = first.made
	// None of the files was open: there is none to close.
	_ = first.replace()
	for i := range j.writers {
		if w := &j.writers[i]; w.when == gatheredSoon {
			w.gathered = newGathered(w.file, j.log, j.now)
		}
	}
	return j, nil
}

// ErrKind: there is no journal of an entry's kind.
var ErrKind = errors.New("journal: no such kind")

// Write writes entries, all of the first one's kind. Those of blocks are in the
// file, by one write(2), when it returns; on an error some of them are not. Those
// of other kinds are gathered and written together, at the latest after a second;
// the error is then ErrLost.
func (j *Journal) Write(entries ...*Entry) error {
	if len(entries) == 0 {
		return nil
	}
	i := slices.IndexFunc(kinds[:], func(k kind) bool { return k.name == entries[0].Kind })
	if i < 0 {
		return fmt.Errorf("%w: %q", ErrKind, entries[0].Kind)
	}
	w := &j.writers[i]
	if w.name == Trace {
		if entries = j.watched(entries); len(entries) == 0 {
			return nil
		}
	}
	var err error
	if w.gathered == nil {
		err = j.writeNow(w, entries)
	} else {
		for _, e := range entries {
			err = errors.Join(err, w.gathered.add(e, w.append))
		}
	}
	if s := j.syslog.Load(); s != nil && w.syslog {
		for _, e := range entries {
			s.send(e)
		}
	}
	return err
}

// largestBuffer is kept for the next entry; one message can have thousands of
// recipients.
const largestBuffer = 64 << 10

func (j *Journal) writeNow(w *writer, entries []*Entry) error {
	buf, ok := j.buffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	b := (*buf)[:0]
	for _, e := range entries {
		b = append(w.append(b, e), '\n')
	}
	rest, err := w.file.write(b, j.now())
	if err != nil { // nobody keeps them for another try
		w.file.lose(bytes.Count(rest, []byte{'\n'}))
	}
	if cap(b) <= largestBuffer {
		*buf = b
		j.buffers.Put(buf)
	}
	return err
}

// Reopen opens the files anew, after they were rotated away. On an error the
// files before are written on.
func (j *Journal) Reopen() error {
	j.moving.Lock()
	defer j.moving.Unlock()
	next, err := openAll(j.dir, j.files()...)
	if err != nil {
		return err
	}
	return next.replace()
}

func (j *Journal) files() []*file {
	all := make([]*file, len(j.writers))
	for i := range j.writers {
		all[i] = j.writers[i].file
	}
	return all
}

// Flush writes what was gathered.
func (j *Journal) Flush() error {
	var errs []error
	for _, w := range j.writers {
		if w.gathered != nil {
			errs = append(errs, w.gathered.flush())
		}
	}
	return errors.Join(errs...)
}

// Close flushes and closes.
func (j *Journal) Close() error {
	j.SetSyslog(nil)
	j.ending.Wait()
	var errs []error
	for _, w := range j.writers {
		if w.gathered != nil {
			errs = append(errs, w.gathered.close())
		} else {
			errs = append(errs, w.file.close())
		}
	}
	return errors.Join(errs...)
}

// KindStatus is how one journal fares.
type KindStatus struct {
	Kind       string    `json:"kind"`
	Lines      int64     `json:"lines"`       // written since the start
	Lost       int64     `json:"lost"`        // could not be written for too long
	Waiting    int       `json:"waiting"`     // bytes gathered and not yet written
	LastError  string    `json:"last_error"`  // of the last write; "" when it went well
	ErrorSince time.Time `json:"error_since"` // zero when it went well

	// Reopened is how often the file was removed or renamed and nobody said so, and
	// was opened anew at its path; ReopenedAt, the last time. Elsewhere is why it
	// could not be: lines go to the file that was there before.
	Reopened   int64     `json:"reopened"`
	ReopenedAt time.Time `json:"reopened_at"`
	Elsewhere  string    `json:"elsewhere"`
}

// Status is how the journals fare.
type Status struct {
	Dir           string       `json:"dir"`
	Kinds         []KindStatus `json:"kinds"`
	SyslogDropped int64        `json:"syslog_dropped"` // lines the syslog daemon did not take
}

// Status now.
func (j *Journal) Status() Status {
	j.moving.Lock()
	s := Status{Dir: j.dir}
	j.moving.Unlock()
	for _, w := range j.writers {
		k := w.file.state()
		if k.Kind = w.name; w.gathered != nil {
			k.Waiting = w.gathered.waiting()
		}
		s.Kinds = append(s.Kinds, k)
	}
	if l := j.syslog.Load(); l != nil {
		s.SyslogDropped = l.dropped.Load()
	}
	return s
}

// Path is the file of a kind.
func (j *Journal) Path(kind string) string {
	j.moving.Lock()
	defer j.moving.Unlock()
	return filepath.Join(j.dir, fileName(kind))
}
