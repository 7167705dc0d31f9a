package spamassassin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	// longest is how many octets an answer may have. The names of all rules
	// that SpamAssassin has are a tenth of it.
	longest = 1 << 20
	// buffered is how much is read of a message at once.
	buffered = 64 << 10
)

var (
	errLong  = fmt.Errorf("answers more than %d octets", longest)
	errEarly = errors.New("closed the connection without an answer")
)

// message is what is asked about.
type message struct {
	size int64 // octets that r has
	r    io.Reader
}

// exchange asks and returns the whole answer. It returns soon after ctx ends.
func (i *Inspector) exchange(ctx context.Context, ask func(*writer) error) ([]byte, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, i.addr.network, i.addr.at)
	if err != nil {
		return nil, cause(ctx, err)
	}
	defer conn.Close() // what matters has been read by then
	// Wakes whoever reads or writes then.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	w := &writer{w: bufio.NewWriterSize(conn, buffered)}
	asked := w.end(ask(w))
	if errors.Is(asked, errMessage) || ctx.Err() != nil {
		return nil, cause(ctx, asked)
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && asked == nil {
		// spamd must not wait for more, whatever it thinks of the length.
		asked = half.CloseWrite()
	}
	answer, err := io.ReadAll(io.LimitReader(conn, longest+1))
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case len(answer) > longest:
		return nil, errLong
	case asked != nil:
		// It hung up on us. What it may have said before is why, and never a
		// result: it has not seen the message.
		if refusal := parseStatus(answer); refusal != nil && len(answer) > 0 {
			return nil, refusal
		}
		return nil, asked
	case err != nil:
		return nil, err
	case len(answer) == 0:
		return nil, errEarly
	}
	return answer, nil
}

// cause is why ctx ended, if it has, for then err is only its consequence.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// errMessage: the message could not be read to its end.
var errMessage = errors.New("reading the message")

// writer writes a question; its first error stays.
type writer struct {
	w   *bufio.Writer
	err error
}

func (w *writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.w, format, args...)
	}
}

// message copies one of which exactly the octets are there that were
// announced.
func (w *writer) message(m message) error {
	if w.err != nil {
		return w.err
	}
	r := &source{r: m.r}
	n, err := io.Copy(w.w, io.LimitReader(r, m.size))
	switch {
	case r.err != nil:
		return fmt.Errorf("%w: %w", errMessage, r.err)
	case err != nil:
		return err
	case n < m.size:
		return fmt.Errorf("%w: %w", errMessage, io.ErrUnexpectedEOF)
	}
	return nil
}

// end sends what is left, unless there was an error.
func (w *writer) end(err error) error {
	if err != nil {
		return err
	}
	if w.err != nil {
		return w.err
	}
	return w.w.Flush()
}

// source tells failures to read from failures to write.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
