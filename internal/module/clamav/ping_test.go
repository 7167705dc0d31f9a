package clamav

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// pinged reads the command line and answers with reply.
func pinged(reply string) func(net.Conn) {
	return func(conn net.Conn) {
		io.CopyN(io.Discard, conn, int64(len("nPING\n")))
		io.WriteString(conn, reply)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"PONG\n":                     "",
		"":                           "without an answer",
		"PONG":                       "without an answer",
		"UNKNOWN COMMAND\n":          "UNKNOWN COMMAND",
		"HTTP/1.1 400 Bad Request\n": "400 Bad Request",
	} {
		s := serve(t, pinged(reply))
		for range 2 * maxPings { // none keeps its place
			err := s.Ping(t.Context())
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", reply, err)
			}
		}
	}
}

// A clamd that does not answer costs a bounded number of connections, however
// often it is asked, and is found again when it goes on.
func TestPingOfSilence(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	accepted := make(chan struct{}, 100)
	thaw := make(chan struct{})
	s := serve(t, func(conn net.Conn) {
		connections.Add(1)
		accepted <- struct{}{}
		<-thaw
		pinged("PONG\n")(conn)
	})
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- s.Ping(ctx) }()
		if i < maxPings {
			<-accepted
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("ping %d: %v", i, err)
		}
	}
	if n := connections.Load(); n != maxPings {
		t.Errorf("%d connections", n)
	}
	close(thaw)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	version := func(reply string) func(net.Conn) {
		return func(conn net.Conn) {
			io.CopyN(io.Discard, conn, int64(len("nVERSION\n")))
			io.WriteString(conn, reply)
		}
	}
	const text = "ClamAV 1.4.3/27800/Mon Nov 10 09:48:14 2025"
	if got, err := serve(t, version(text+"\n")).Version(t.Context()); err != nil || got != text {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := serve(t, version("")).Version(t.Context()); err == nil {
		t.Errorf("%q", got)
	}
}
