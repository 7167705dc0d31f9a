package clamav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Accepts tells whether clamd takes messages of size octets. It has clamd scan
// as many zeros, which costs no memory here. ErrStreamLimit means that its
// StreamMaxLength is smaller than size and Overhead, ErrScanLimit that it calls
// whatever is so large a virus (AlertExceedsMax); any other error, that it
// could not be found out. Messages that clamd takes and then passes unseen are
// Reaches's to find.
func (s *Scanner) Accepts(ctx context.Context, size int64) error {
	err := s.offer(ctx, size)
	if errors.Is(err, errCut) && s.offer(ctx, 0) == nil {
		// At its limit clamd says so and hangs up, but the client loses the
		// words when it cannot write the rest. It is the size when a short
		// stream is taken.
		err = ErrStreamLimit
	}
	if errors.Is(err, ErrStreamLimit) {
		err = fmt.Errorf("%w, which must be at least %d octets for messages of %d", err, size+Overhead, size)
	}
	if err != nil {
		return s.wrap(err)
	}
	return nil
}

// offer streams a message of zeros.
func (s *Scanner) offer(ctx context.Context, size int64) error {
	virus, err := s.scan(ctx, func(context.Context) io.Reader {
		return io.LimitReader(&repeated{text: strings.Repeat("\x00", 4096)}, size)
	})
	switch {
	case err != nil:
		return err
	case strings.HasPrefix(virus, "Heuristics.Limits.Exceeded."): // "AlertExceedsMax yes"
		return fmt.Errorf("%d octets are %w (%s)", size, ErrScanLimit, virus)
	case virus != "":
		return fmt.Errorf("finds %q in %d zeros", virus, size)
	}
	return nil
}

// repeated is a text over and over, without end.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}
