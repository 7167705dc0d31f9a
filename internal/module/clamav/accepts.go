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
// StreamMaxLength is smaller; every other error that it could not be found out.
func (s *Scanner) Accepts(ctx context.Context, size int64) error {
	err := s.offer(ctx, size)
	if !errors.Is(err, errCut) {
		return s.verdict(err)
	}
	// At its limit clamd says so and hangs up, but the client loses the words
	// when it cannot write the rest. It is the size when a short one is taken.
	if short := s.offer(ctx, 0); short != nil {
		return s.verdict(err)
	}
	return s.verdict(fmt.Errorf("%w: %w", ErrStreamLimit, err))
}

func (s *Scanner) verdict(err error) error {
	if err == nil {
		return nil
	}
	return s.wrap(err)
}

// offer streams a message of zeros.
func (s *Scanner) offer(ctx context.Context, size int64) error {
	line, err := s.stream(ctx, func(context.Context) io.Reader {
		return io.MultiReader(strings.NewReader(prefix), io.LimitReader(zeros{}, size))
	})
	if err != nil {
		return err
	}
	virus, err := parse(line)
	if err == nil && virus != "" {
		return fmt.Errorf("found %q in %d zeros", virus, size)
	}
	return err
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
