package clamav

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	clamd "github.com/dutchcoders/go-clamd"
)

var (
	errSeveral  = errors.New("more than one line in reply")
	errNoResult = errors.New("closed the connection without a result")
	errCut      = errors.New("closed the connection before the end of the message")
)

// buffered is how much is read of a message at once. The client reads 1 KiB at
// a time, which would be a system call each where the message is in a file.
const buffered = 32 << 10

// stream sends what open opens, and returns the one line that clamd answered,
// without its end. It returns when ctx ends; what may then be left is a
// connection just being made, which ends within two seconds.
func (s *Scanner) stream(ctx context.Context, open func(context.Context) io.Reader) (string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	// In any case: only this ends the client's goroutines and its connection.
	defer cancel(nil)
	abort := make(chan bool)
	context.AfterFunc(ctx, func() { close(abort) })

	src := &source{ctx: ctx, fail: cancel, r: bufio.NewReaderSize(open(ctx), buffered)}
	done := make(chan answer, 1)
	go func() {
		lines, err := s.clamd.ScanStream(src, abort)
		if err != nil {
			done <- answer{err: err}
			return
		}
		done <- receive(lines, cancel)
	}()

	var a answer
	select {
	case a = <-done:
	case <-ctx.Done():
	}
	// First of all: once the message failed to be read, or the time was over,
	// whatever clamd says is of a message cut short.
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	switch {
	case errors.Is(a.err, syscall.EPIPE) || errors.Is(a.err, syscall.ECONNRESET):
		return "", fmt.Errorf("%w (is its StreamMaxLength too small?): %w", errCut, a.err)
	case a.err != nil:
		return "", a.err
	case !src.ended:
		return "", errCut
	}
	return a.line, nil
}

// answer is what came of one stream.
type answer struct {
	line string
	err  error
}

// receive waits until the client has closed the channel, without which its
// goroutine would stay. A second line ends the connection.
func receive(lines <-chan *clamd.ScanResult, cancel context.CancelCauseFunc) answer {
	a := answer{err: errNoResult}
	for n := 0; ; n++ {
		result, ok := <-lines
		switch {
		case !ok:
			return a
		case n == 0:
			a = answer{line: result.Raw}
		default:
			a = answer{err: errSeveral}
			cancel(errSeveral)
		}
	}
}

// source is a message as the client reads it. The client takes every error for
// the end, so an error also ends the whole exchange.
type source struct {
	ctx   context.Context
	fail  context.CancelCauseFunc
	r     io.Reader
	ended bool // read to its end; for others only when the client has returned
}

func (s *source) Read(p []byte) (int, error) {
	// The client goes on reading when its connection is closed already.
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	n, err := s.r.Read(p)
	if errors.Is(err, io.EOF) {
		s.ended = true
	} else if err != nil {
		s.fail(fmt.Errorf("reading the message: %w", err))
	}
	return n, err
}
