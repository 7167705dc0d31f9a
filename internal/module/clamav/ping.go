package clamav

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxPings is how many pings may be under way. The client gives no means to
	// end one, so one that clamd does not answer keeps its connection until
	// clamd goes on or dies. Two, because of a connection that a broken network
	// left hanging must not keep a clamd that is back from being found.
	maxPings = 2
	// pingTime is the longest that a ping waits.
	pingTime = 5 * time.Second
)

// Ping asks clamd for a sign of life: nil when it answers PONG, at most 5 s
// from now. The scans under way do not delay the answer.
func (s *Scanner) Ping(ctx context.Context) error {
	_, err := s.ask(ctx, func() (string, error) { return "", s.clamd.Ping() })
	return err
}

// Version is what clamd says of itself and its signatures, such as
// "ClamAV 1.4.3/27800/Mon Nov 10 09:48:14 2025". It costs what Ping costs.
func (s *Scanner) Version(ctx context.Context) (string, error) {
	return s.ask(ctx, func() (string, error) {
		lines, err := s.clamd.Version()
		if err != nil {
			return "", err
		}
		a := receive(lines, func(error) {})
		return printable(a.line), a.err
	})
}

// ask runs one short exchange of the client, and does not wait for it longer
// than ctx and pingTime allow.
func (s *Scanner) ask(ctx context.Context, exchange func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	select {
	case s.pings <- struct{}{}:
	case <-ctx.Done():
		return "", s.wrap(fmt.Errorf("has not answered earlier pings: %w", ctx.Err()))
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.pings }()
		line, err := guarded(exchange)
		done <- answer{line, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			return "", s.wrap(a.err)
		}
		return a.line, nil
	case <-ctx.Done():
		return "", s.wrap(fmt.Errorf("no answer to a ping: %w", ctx.Err()))
	}
}

// guarded runs an exchange of the client, whose Ping follows a nil pointer
// when the connection ends without a reply.
func guarded(exchange func() (string, error)) (line string, err error) {
	defer func() {
		if recover() != nil {
			line, err = "", errors.New("closed the connection without an answer")
		}
	}()
	return exchange()
}
