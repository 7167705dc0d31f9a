package recordfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Reader reads records. It is for one goroutine, beside the one that writes.
type Reader struct {
	f     *File
	file  *os.File // nil: none is open
	start int64    // of the segment that is open

	window []byte // octets from the position base on
	base   int64
	asked  int64 // the position that was read last
}

// What a reader reads at once, bytes: chains run backward, and where what it
// wants lies close before what it read, the rest of the chain may as well.
const (
	smallWindow = 2 << 10
	largeWindow = 64 << 10
)

// Reader returns a reader of all that was written; it is closed after use.
func (f *File) Reader() *Reader { return &Reader{f: f} }

// Read reads what the writer has appended, by the writer.
func (f *File) Read(position int64) (Record, error) {
	if position >= f.written {
		if err := f.Flush(); err != nil {
			return Record{}, err
		}
	}
	r := f.Reader()
	record, err := r.Read(position)
	return record, errors.Join(err, r.Close())
}

// Read reads the record at a position. ErrDamaged: there is none, or a broken
// one.
func (r *Reader) Read(position int64) (Record, error) {
	if err := r.open(position); err != nil {
		return Record{}, err
	}
	b, err := r.bytes(position, frameHeader)
	if err != nil {
		return Record{}, err
	}
	size, ok := frameSize(b, position)
	if !ok {
		return Record{}, r.damaged(position)
	}
	if b, err = r.bytes(position, int(size)); err != nil {
		return Record{}, err
	}
	r.asked = position
	if !holds(b) {
		return Record{}, r.damaged(position)
	}
	return recordOf(b, position), nil
}

func (r *Reader) damaged(position int64) error {
	return fmt.Errorf("%s, at octet %d: %w", r.f.path(r.start), position-r.start, ErrDamaged)
}

// open opens the segment of a position.
func (r *Reader) open(position int64) error {
	start := r.f.Segment(position)
	if r.file != nil && start == r.start {
		return nil
	}
	if err := r.Close(); err != nil {
		return err
	}
	file, err := os.Open(r.f.path(start))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("record at %d: no file has it: %w", position, ErrDamaged)
	}
	r.file, r.start = file, start
	return err
}

// bytes are n octets from a position on, in the open segment.
func (r *Reader) bytes(position int64, n int) ([]byte, error) {
	if at := position - r.base; at >= 0 && at+int64(n) <= int64(len(r.window)) {
		return r.window[at : at+int64(n)], nil
	}
	base, want := position, max(n, smallWindow)
	if back := r.asked - position; back > 0 && back < largeWindow/2 {
		base = max(r.start, position-largeWindow+smallWindow)
		want = int(position-base) + max(n, smallWindow)
	}
	if cap(r.window) < want {
		r.window = make([]byte, want)
	}
	got, err := r.file.ReadAt(r.window[:want], base-r.start)
	if err != nil && !errors.Is(err, io.EOF) {
		r.window = r.window[:0]
		return nil, err
	}
	r.window, r.base = r.window[:got], base
	if at := position - base; at+int64(n) <= int64(got) {
		return r.window[at : at+int64(n)], nil
	}
	return nil, r.damaged(position)
}

// Scan calls fn with the records from one position up to another, whatever chain
// they are in, and passes over what is damaged. It stops at fn's error.
func (r *Reader) Scan(from, to int64, fn func(Record) error) error {
	for at := from; at <= to; {
		record, err := r.Read(at)
		switch {
		case errors.Is(err, ErrDamaged):
			if at, err = r.next(at+1, to); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := fn(record); err != nil {
			return err
		}
		at += Size(len(record.Payload))
	}
	return nil
}

// next is where the next record may begin, from a position on.
func (r *Reader) next(at, to int64) (int64, error) {
	for at <= to {
		end := r.f.after(r.f.Segment(at))
		if err := r.open(at); err != nil && !errors.Is(err, ErrDamaged) {
			return 0, err
		} else if err == nil {
			b := make([]byte, min(largeWindow, max(0, end-at)))
			n, err := r.file.ReadAt(b, at-r.start)
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			if i := bytes.Index(b[:n], []byte(frameMagic)); i >= 0 {
				return at + int64(i), nil
			}
			if n > len(frameMagic) {
				at += int64(n - len(frameMagic) + 1)
				continue
			}
		}
		at = end
	}
	return at, nil
}

// after is where the segment behind one begins; behind the last, the end of all
// positions.
func (f *File) after(start int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, found := slices.BinarySearch(f.starts, start)
	if found {
		at++
	}
	if at < len(f.starts) {
		return f.starts[at]
	}
	return 1<<62 + start
}

// Close closes the reader.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file, r.window = nil, r.window[:0]
	return file.Close()
}
