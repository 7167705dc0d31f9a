package maillog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Place is how far a log was read. The head tells a file that was written anew
// under the same inode.
type Place struct {
	Inode   uint64    `json:"inode"`
	Offset  int64     `json:"offset"`
	Head    string    `json:"head"`     // SHA-256 of the first HeadLen octets
	HeadLen int64     `json:"head_len"` // at most headMost
	Last    time.Time `json:"last"`     // of the last line that told something
}

// headMost is how much of a file's head tells it from others.
const headMost = 1024

// Follower reads a log as it grows: also through its rotation, whether it is
// renamed or copied and truncated. Poll is to be called again and again, by one
// goroutine.
type Follower struct {
	Path     string
	Location *time.Location // of times without one
	Now      func() time.Time
	// Gap is told when lines may have been missed.
	Gap func(why string)

	absent bool // there was no file to begin at the end of: all of it is new
	place  Place
	open   []*growing // the file under Path last; before it those it was renamed to
}

// linger is how long a file that was renamed is read on: Postfix and syslogd
// write into it until they are told.
const linger = 10 * time.Minute

// growing is an open file, read up to offset; rest begins a line.
type growing struct {
	f       *os.File
	inode   uint64
	offset  int64 // of what was read
	rest    []byte
	skip    bool // the rest of a line that was too long
	grew    time.Time
	head    string
	headLen int64
}

// Resume begins behind a place; with none at the end of the log that there is. One that
// there was not yet is read from its beginning once it has come.
func (f *Follower) Resume(from Place, fn func(Event) error) error {
	g, err := f.current()
	if err != nil {
		f.absent = f.absent || errors.Is(err, fs.ErrNotExist)
		return err
	}
	f.place = from
	f.open = []*growing{g}
	if from.Inode == 0 && f.absent {
		return g.remember()
	}
	if from.Inode == 0 {
		info, err := g.f.Stat()
		if err != nil {
			return err
		}
		g.offset = info.Size()
		return g.remember()
	}
	if g.inode == from.Inode && g.is(from) {
		g.offset = from.Offset
		return g.remember()
	}
	// It was rotated meanwhile: the file it is now, and what came after it.
	return f.catchUp(from, fn)
}

// catchUp reads the files that a log was rotated into. What was read before is
// read again where it cannot be told apart: events are taken note of once.
func (f *Follower) catchUp(from Place, fn func(Event) error) error {
	names, err := Files(f.Path, from.Last.Add(-linger))
	if err != nil {
		return err
	}
	found := slices.ContainsFunc(names, func(name string) bool { return name != f.Path && isPlace(name, from) })
	if !found && f.Gap != nil {
		f.Gap(fmt.Sprintf("the log that was read up to %s is not there any more", from.Last.Format(time.RFC3339)))
	}
	for _, name := range names {
		if name == f.Path {
			continue // it is read as it grows
		}
		if err := ScanFile(name, f.Location, fn); err != nil {
			if f.Gap != nil {
				f.Gap(err.Error())
			}
		}
	}
	return nil
}

// isPlace tells whether a file, which may be packed, is the one of a place.
func isPlace(name string, from Place) bool {
	in, err := unpacked(name)
	if err != nil {
		return false
	}
	defer in.Close()
	head := make([]byte, from.HeadLen)
	n, err := io.ReadFull(in, head)
	return err == nil && n == len(head) && sumOf(head) == from.Head
}

func sumOf(head []byte) string {
	sum := sha256.Sum256(head)
	return hex.EncodeToString(sum[:])
}

// current opens the file that is there now.
func (f *Follower) current() (*growing, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &growing{f: file, inode: inodeOf(info), grew: f.Now()}, nil
}

// is tells whether the file begins as it did at a place, and is no shorter.
func (g *growing) is(p Place) bool {
	info, err := g.f.Stat()
	if err != nil || info.Size() < p.Offset {
		return false
	}
	head := make([]byte, p.HeadLen)
	_, err = g.f.ReadAt(head, 0)
	return err == nil && sumOf(head) == p.Head
}

// remember takes note of the head, as far as it was read.
func (g *growing) remember() error {
	n := min(g.offset, headMost)
	if n == g.headLen && g.head != "" {
		return nil
	}
	head := make([]byte, n)
	if _, err := g.f.ReadAt(head, 0); err != nil {
		return err
	}
	g.head, g.headLen = sumOf(head), n
	return nil
}

// Poll reads what has been written since, and calls fn with its events. An error
// of the file leaves all as it was: what was not read is read the next time.
func (f *Follower) Poll(fn func(Event) error) error {
	if len(f.open) == 0 {
		if err := f.Resume(f.place, fn); err != nil {
			return err
		}
	}
	now := f.Now()
	last := f.open[len(f.open)-1]
	if err := f.truncated(last, fn); err != nil {
		return err
	}
	for _, g := range f.open {
		if err := f.read(g, fn); err != nil {
			return err
		}
	}
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // between two files
	case err != nil:
		return err
	case inodeOf(info) != last.inode:
		next, err := f.current()
		if err != nil {
			return err
		}
		f.open = append(f.open, next)
		if err := f.read(next, fn); err != nil {
			return err
		}
	}
	f.open = slices.DeleteFunc(f.open, func(g *growing) bool {
		old := g != f.open[len(f.open)-1] && now.Sub(g.grew) > linger
		if old {
			_ = g.f.Close() // was only read
		}
		return old
	})
	return nil
}

// truncated notices that the file was written anew: what was copied away before
// is looked for in the copy.
func (f *Follower) truncated(g *growing, fn func(Event) error) error {
	was := Place{Inode: g.inode, Offset: g.offset, Head: g.head, HeadLen: g.headLen, Last: f.place.Last}
	if g.headLen == 0 || g.is(was) {
		return nil
	}
	if err := f.catchUp(was, fn); err != nil {
		return err
	}
	g.offset, g.rest, g.skip, g.head, g.headLen = 0, nil, false, "", 0
	return nil
}

// atOnce bounds what is read of one file in one go.
const atOnce = 1 << 20

func (f *Follower) read(g *growing, fn func(Event) error) error {
	p := Parser{Now: f.Now, Location: f.Location}
	buffer := make([]byte, 64<<10)
	for got := 0; got < 64*atOnce; {
		n, err := g.f.ReadAt(buffer, g.offset)
		if n == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		got += n
		g.grew = f.Now()
		g.rest = append(g.rest, buffer[:n]...)
		g.offset += int64(n)
		for {
			line, rest, ok := bytes.Cut(g.rest, []byte("\n"))
			if !ok {
				break
			}
			g.rest = rest
			if g.skip {
				g.skip = false
				continue
			}
			e, ok := p.Parse(string(bytes.TrimRight(line, "\r")))
			if !ok {
				continue
			}
			if e.Time.After(f.place.Last) {
				f.place.Last = e.Time
			}
			if err := fn(e); err != nil {
				return err
			}
		}
		if len(g.rest) > maxLine {
			g.rest, g.skip = g.rest[:0], true // what is so long says nothing of a message
		}
		g.rest = slices.Clip(slices.Clone(g.rest))
	}
	return g.remember()
}

// Place is how far the log was read, up to whole lines.
func (f *Follower) Place() Place {
	p := f.place
	if len(f.open) > 0 {
		g := f.open[len(f.open)-1]
		p.Inode, p.Offset, p.Head, p.HeadLen = g.inode, g.offset-int64(len(g.rest)), g.head, g.headLen
		if p.Offset < p.HeadLen {
			p.Head, p.HeadLen = sumOf(nil), 0
		}
	}
	return p
}

// Close closes the files.
func (f *Follower) Close() error {
	var errs []error
	for _, g := range f.open {
		errs = append(errs, g.f.Close())
	}
	f.open = nil
	return errors.Join(errs...)
}
