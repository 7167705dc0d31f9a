package clamav

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// message opens a text.
func message(text string) func(context.Context) io.Reader {
	return func(context.Context) io.Reader { return strings.NewReader(text) }
}

// endless is longer than the buffers of any socket.
func endless(context.Context) io.Reader { return &repeated{text: strings.Repeat("x", 4096)} }

// long is longer than them too, but ends: the client does not notice that its
// connection is gone before the message ends.
func long(ctx context.Context) io.Reader { return io.LimitReader(endless(ctx), 8<<20) }

func TestStreamIsTheMessage(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "Subject: x\r\n\r\nbody\r\n", strings.Repeat("0123456789abcdef", 20000) + "\xff\x00"} {
		got := make(chan []byte, 1)
		s := serve(t, func(conn net.Conn) {
			stream, err := receiveStream(conn)
			if err != nil {
				t.Error(err)
			}
			got <- stream
			io.WriteString(conn, "stream: OK\n")
		})
		// Octet by octet: pieces of any size arrive as what they are together.
		for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.DataErrReader} {
			virus, err := s.scan(t.Context(), func(context.Context) io.Reader { return wrap(strings.NewReader(text)) })
			if virus != "" || err != nil {
				t.Errorf("%q %v", virus, err)
			}
			if stream := <-got; !bytes.Equal(stream, []byte(prefix+text)) {
				t.Errorf("%d octets arrived as %d", len(text), len(stream))
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script     func(net.Conn)
		open       func(context.Context) io.Reader
		virus, err string
	}{
		"clean":          {answering("stream: OK\n"), nil, "", ""},
		"found":          {answering("stream: Eicar FOUND\n"), nil, "Eicar", ""},
		"no reply":       {answering(""), nil, "", "without a result"},
		"half a line":    {answering("stream: OK"), nil, "", "without a result"},
		"garbage":        {answering("220 mail.example.org ESMTP\n"), nil, "", `unintelligible reply "220 mail.example.org ESMTP"`},
		"several":        {answering("stream: OK\nstream: OK\n"), nil, "", "more than one line"},
		"found and OK":   {answering("stream: Eicar FOUND\nstream: OK\n"), nil, "", "more than one line"},
		"engine error":   {answering("stream: Can't create temporary file ERROR\n"), nil, "", "Can't create temporary file"},
		"limit, at last": {answering("INSTREAM size limit exceeded. ERROR\n"), nil, "", "StreamMaxLength"},
		"endless lines": {func(conn net.Conn) {
			receiveStream(conn)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(conn, "stream: OK\n")
			}
		}, nil, "", "more than one line"},
		"closes at once": {func(net.Conn) {}, long, "", "before the end of the message"},
		"closes early": {func(conn net.Conn) {
			io.CopyN(io.Discard, conn, 100_000)
			io.WriteString(conn, "INSTREAM size limit exceeded. ERROR\n")
		}, long, "", "before the end of the message"},
		"OK too early": {func(conn net.Conn) {
			io.CopyN(io.Discard, conn, 100_000)
			io.WriteString(conn, "stream: OK\n")
		}, long, "", "before the end of the message"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.open == nil {
				c.open = message("Subject: x\r\n\r\n")
			}
			virus, err := serve(t, c.script).scan(t.Context(), c.open)
			if virus != c.virus || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q, %v; want %q, %q", virus, err, c.virus, c.err)
			}
		})
	}
}

var errDisk = errors.New("no room on disk")

// The client takes a failure to read for the end of the message, and clamd
// says OK to the half that it saw.
func TestReadErrorIsNeverClean(t *testing.T) {
	t.Parallel()
	s := serve(t, answering("stream: OK\n"))
	for _, before := range []string{"", "Subject: x\r\n", strings.Repeat("x", 100_000)} {
		virus, err := s.scan(t.Context(), func(context.Context) io.Reader {
			return io.MultiReader(strings.NewReader(before), iotest.ErrReader(errDisk))
		})
		if virus != "" || !errors.Is(err, errDisk) {
			t.Errorf("after %d octets: %q, %v", len(before), virus, err)
		}
	}
}

// Each of these would wait for ever.
func TestEndOfContext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// at is called where the scan is to be ended.
		script func(conn net.Conn, at func())
		open   func(ctx context.Context, at func()) io.Reader
	}{
		"the message does not end": {func(conn net.Conn, at func()) { io.CopyN(io.Discard, conn, 100_000); at(); untilClosed(conn) },
			func(ctx context.Context, _ func()) io.Reader { return endless(ctx) }},
		"no reply": {func(conn net.Conn, at func()) { receiveStream(conn); at(); untilClosed(conn) }, nil},
		"half a reply": {func(conn net.Conn, at func()) {
			receiveStream(conn)
			io.WriteString(conn, "stream: O")
			at()
			untilClosed(conn)
		}, nil},
		"an OK without close": {func(conn net.Conn, at func()) {
			receiveStream(conn)
			io.WriteString(conn, "stream: OK\n")
			at()
			untilClosed(conn)
		}, nil},
		"an endless line": {func(conn net.Conn, at func()) {
			receiveStream(conn)
			for n, err := 0, error(nil); err == nil; n++ {
				if n == 100 {
					at()
				}
				_, err = io.WriteString(conn, "stream: OK ")
			}
		}, nil},
		"the message does not go on": {func(conn net.Conn, _ func()) { untilClosed(conn) },
			func(ctx context.Context, at func()) io.Reader { return waiting{ctx, at} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, cause := range []error{context.Canceled, context.DeadlineExceeded, errDisk} {
				ctx, cancel := context.WithCancelCause(t.Context())
				at := func() { cancel(cause) }
				s := serve(t, func(conn net.Conn) { c.script(conn, at) })
				open := message("Subject: x\r\n\r\n")
				if c.open != nil {
					open = func(ctx context.Context) io.Reader { return c.open(ctx, at) }
				}
				virus, err := s.scan(ctx, open)
				if virus != "" || !errors.Is(err, cause) {
					t.Errorf("%q, %v; want %v", virus, err, cause)
				}
			}
		})
	}
}

// waiting is a message of which nothing arrives any more.
type waiting struct {
	ctx context.Context
	at  func()
}

func (w waiting) Read([]byte) (int, error) {
	w.at()
	<-w.ctx.Done()
	return 0, context.Cause(w.ctx)
}

// Nothing is left of a scan that came to its end while its context lives on:
// TestMain looks for goroutines.
func TestContextOutlivesScan(t *testing.T) {
	t.Parallel()
	ctx := context.WithoutCancel(t.Context())
	for _, script := range []func(net.Conn){answering("stream: OK\n"), answering(""), answering("a\nb\nc\n"), func(net.Conn) {}} {
		s := serve(t, script)
		for _, open := range []func(context.Context) io.Reader{message("x"), long, func(context.Context) io.Reader { return iotest.ErrReader(errDisk) }} {
			if virus, err := s.scan(ctx, open); virus != "" {
				t.Errorf("%q, %v", virus, err)
			}
		}
	}
}

func TestAway(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"unix:/nonexistent/clamd.ctl", "tcp:127.0.0.1:1"} {
		s, err := New(Settings{Addr: addr})
		if err != nil {
			t.Fatal(err)
		}
		if virus, err := s.scan(t.Context(), message("x")); err == nil {
			t.Errorf("%s: clean, %q", addr, virus)
		}
		if err := s.Accepts(t.Context(), 1); err == nil || errors.Is(err, ErrStreamLimit) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: %v", addr, err)
		}
		if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
