package mail

import (
	"errors"
	"io"
)

// FileCount is what a message has of files.
type FileCount struct {
	Count   int64 // parts with a name, or meant to be kept as a file (RFC 2183 §2.2)
	Largest int64 // octets of the largest, decoded
	// Partial: there may be more, beyond the bounds of ReadParts.
	Partial bool
}

// CountFiles counts the files of a message and measures them.
func CountFiles(r io.Reader) (FileCount, error) {
	var c FileCount
	err := ReadParts(r, func(p *Part) error {
		if len(p.Names) == 0 && p.Disposition != "attachment" {
			return nil
		}
		n, err := io.Copy(io.Discard, p.Body)
		c.Count, c.Largest = c.Count+1, max(c.Largest, n)
		return err
	})
	if errors.Is(err, ErrComplex) {
		c.Partial, err = true, nil
	}
	return c, err
}
