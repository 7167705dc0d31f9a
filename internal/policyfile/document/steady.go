package document

import (
	"errors"
	"os"
	"time"
)

const (
	// quiet is how long nobody has written to a file that is taken as whole. An
	// editor or script that writes in place empties it first.
	quiet = 40 * time.Millisecond
	// tries bounds how often a file that changes is read again.
	tries = 25
)

var errWritten = errors.New("it is being written to, and may be half of itself; write a new file and rename it, or try again")

// Steady has read take the file until its size and time are the same before and
// after, and it was left alone for a while: a file that is half written would
// be taken for a whole one. What read has done before is done again.
func Steady(f *os.File, read func() error) error {
	before, err := f.Stat()
	if err != nil {
		return Plain(err)
	}
	for range tries {
		if age := time.Since(before.ModTime()); before.Mode().IsRegular() && 0 <= age && age < quiet {
			time.Sleep(quiet - age)
		}
		if _, err := f.Seek(0, 0); err != nil && before.Mode().IsRegular() {
			return Plain(err)
		}
		if err := read(); err != nil {
			return err
		}
		after, err := f.Stat()
		if err != nil {
			return Plain(err)
		}
		if after.Size() == before.Size() && after.ModTime().Equal(before.ModTime()) {
			return nil
		}
		before = after
	}
	return errWritten
}
