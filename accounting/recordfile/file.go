// Package recordfile keeps records for good in the order in which they came, in
// files that are only ever appended to. Each is found by its position, and knows
// the one before it in a chain that its writer chooses.
//
// A database beside the files says up to which position they count, and is
// written after Sync: what stands behind that position after a crash was never
// counted, and is cut away when the files are opened.
package recordfile

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/durable"
)

// Options of the files. Zero values mean the defaults, but for ID.
type Options struct {
	ID   [16]byte // of the database that says what counts
	End  int64    // position behind the last record that counts; 0: none does
	Size int64    // a segment that has grown to it is followed by another, bytes; default 256 MiB
	// Tail is what a crash may leave behind the end, bytes; default 64 MiB. More is
	// not cut away but set aside: somebody put an older database beside the files.
	Tail int64
	Log  *slog.Logger
}

// File is the segments of one database. One goroutine writes; readers are
// others'.
type File struct {
	dir string
	o   Options

	mu     sync.Mutex
	starts []int64 // of the segments there are

	last    *os.File // that is appended to; nil: it is not open
	start   int64    // its
	end     int64    // of all that was appended
	written int64    // of what of it is in the file
	buffer  []byte   // the rest
	renamed bool     // the folder is to be synced
}

const (
	defaultSize = 256 << 20
	defaultTail = 64 << 20

	// bufferSize is what is written at once, bytes.
	bufferSize = 256 << 10
)

// Open opens the segments in a folder, or makes it. What does not count is cut
// away or set aside; what is missing is said, and met as ErrDamaged where it is
// read.
func Open(dir string, o Options) (*File, error) {
	if o.Size <= 0 {
		o.Size = defaultSize
	}
	if o.Tail <= 0 {
		o.Tail = defaultTail
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if err := durable.SyncDir(filepath.Dir(dir)); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	f := &File{dir: dir, o: o, end: o.End, written: o.End}
	if err := f.list(); err != nil {
		return nil, err
	}
	if err := f.cut(); err != nil {
		return nil, err
	}
	there, err := f.reaches()
	if err == nil && there < f.end {
		o.Log.Error("records are missing at the end of their files: counters have them, reports cannot", "dir", dir, "from", there, "to", f.end)
	}
	return f, err
}

// Dir is the folder.
func (f *File) Dir() string { return f.dir }

// End is the position behind the last record.
func (f *File) End() int64 { return f.end }

// Append appends a record; encode appends its octets to what it is given, and
// prev is the position of the one before it in its chain, 0 if it is the first.
// It returns the record's position. After an error, as after one of Sync, what
// was appended since the last Sync is given up by Reset. ErrTooLarge alone
// changes nothing.
func (f *File) Append(prev int64, encode func([]byte) []byte) (position int64, err error) {
	if err := f.ready(); err != nil {
		return 0, err
	}
	if f.buffer, err = appendFrame(f.buffer, f.end, prev, encode); err != nil {
		return 0, err
	}
	position = f.end
	f.end = f.written + int64(len(f.buffer))
	if len(f.buffer) >= bufferSize {
		err = f.Flush()
	}
	return position, err
}

// ready opens what is to be appended to, or begins a segment.
func (f *File) ready() error {
	if f.last != nil && f.end-f.start < f.o.Size {
		return nil
	}
	if f.last != nil {
		if err := f.Sync(); err != nil {
			return err
		}
		if err := f.last.Close(); err != nil {
			return err
		}
		f.last = nil
		return f.begin()
	}
	if err := f.cut(); err != nil {
		return err
	}
	there, err := f.reaches()
	if err != nil {
		return err
	}
	if len(f.starts) == 0 || there != f.end || f.end-f.starts[len(f.starts)-1] >= f.o.Size {
		return f.begin()
	}
	f.start = f.starts[len(f.starts)-1]
	f.last, err = os.OpenFile(f.path(f.start), os.O_RDWR, 0)
	return err
}

// begin begins a segment where the last one ends.
func (f *File) begin() error {
	last, err := os.OpenFile(f.path(f.end), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	f.last, f.start, f.renamed = last, f.end, true
	f.buffer = appendSegmentHeader(f.buffer, f.o.ID, f.start)
	f.end += segmentHeader
	f.mu.Lock()
	f.starts = append(f.starts, f.start)
	f.mu.Unlock()
	return nil
}

// Flush writes what is not written, but does not make it durable.
func (f *File) Flush() error {
	if len(f.buffer) == 0 {
		return nil
	}
	if _, err := f.last.WriteAt(f.buffer, f.written-f.start); err != nil {
		return err
	}
	f.written += int64(len(f.buffer))
	f.buffer = f.buffer[:0]
	return nil
}

// Sync makes all that was appended durable.
func (f *File) Sync() error {
	if f.last == nil {
		return nil
	}
	if err := f.Flush(); err != nil {
		return err
	}
	if err := durable.SyncData(f.last); err != nil {
		return err
	}
	if f.renamed {
		if err := durable.SyncDir(f.dir); err != nil {
			return err
		}
		f.renamed = false
	}
	return nil
}

// Reset gives up what was appended behind a position. The file is not synced
// under its old descriptor again, which after a failed sync would say that all is
// well; the next record is written through another.
func (f *File) Reset(end int64) error {
	var err error
	if f.last != nil {
		err = f.last.Close()
		f.last = nil
	}
	f.buffer, f.end, f.written = f.buffer[:0], end, end
	return err
}

// Remove deletes a segment of which nothing is asked for any more, and which is
// not the last.
func (f *File) Remove(start int64) error {
	f.mu.Lock()
	at := slices.Index(f.starts, start)
	if at < 0 || at == len(f.starts)-1 {
		f.mu.Unlock()
		return nil
	}
	f.starts = slices.Delete(slices.Clone(f.starts), at, at+1)
	f.mu.Unlock()
	return os.Remove(f.path(start))
}

// Segment is where the segment of a position begins.
func (f *File) Segment(position int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, found := slices.BinarySearch(f.starts, position)
	if !found {
		at--
	}
	if at < 0 {
		return 0
	}
	return f.starts[at]
}

// Start is where the segment begins that was appended to last.
func (f *File) Start() int64 { return f.start }

// Last is where the segment begins that is appended to, or was.
func (f *File) Last() int64 { return f.Segment(f.end) }

// Link makes hard links of the segments in another folder, which it makes: a
// copy that costs nothing and stays when they are removed.
func (f *File) Link(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, start := range f.starts {
		if err := os.Link(f.path(start), filepath.Join(dir, filepath.Base(f.path(start)))); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the files. What was not synced is not kept.
func (f *File) Close() error {
	if f.last == nil {
		return nil
	}
	last := f.last
	f.last = nil
	return last.Close()
}
