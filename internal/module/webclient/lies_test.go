package webclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAskLies(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, tt := range map[string]struct {
		play func(net.Conn)
		want string // part of the error
	}{
		"hangs up":       {func(net.Conn) {}, ""},
		"says nothing":   {answering(""), "EOF"},
		"garbage":        {answering("220 mail.example.org ESMTP\r\n"), "malformed"},
		"refuses":        {answering("HTTP/1.1 413 Too large\r\nContent-Length: 5\r\n\r\nsorry"), `answered HTTP 413 Too large: "sorry"`},
		"no content":     {answering("HTTP/1.1 204 No Content\r\n\r\n"), `answered HTTP 204 No Content`},
		"elsewhere":      {answering("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), `answered HTTP 302 Found`},
		"upgrades":       {answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), ""},
		"cut header":     {answering(ok + "Content-Le"), ""},
		"cut":            {answering(ok + "Content-Length: 10\r\n\r\n{}"), "answer: unexpected EOF"},
		"cut chunk":      {answering(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n{}"), "answer: unexpected EOF"},
		"endless header": {func(conn net.Conn) { answering(ok)(conn); repeat(conn, "X: y\r\n") }, ""},
		"endless hints":  {func(conn net.Conn) { answering("")(conn); repeat(conn, "HTTP/1.1 102 Processing\r\n\r\n") }, ""},
		"endless":        {func(conn net.Conn) { answering(ok + "\r\n")(conn); repeat(conn, "{}") }, ErrTooLong.Error()},
		"endless status": {func(conn net.Conn) { answering("HTTP/1.1 200 ")(conn); repeat(conn, "OK") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := script(t, tt.play).Ask(limit(t), post("hello"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%.100q, %v; want %q", got, err, tt.want)
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("an error of %d octets", len(err.Error()))
			}
		})
	}
}

// repeat sends text until the other side has had enough.
func repeat(conn net.Conn, text string) {
	text = strings.Repeat(text, 1000)
	for {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
	}
}

func TestAskLongestAnswer(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]error{MaxAnswer: nil, MaxAnswer + 1: ErrTooLong} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Write(make([]byte, size))
		})
		if got, err := c.Ask(limit(t), post("hello")); err != want || err == nil && len(got) != size {
			t.Errorf("%d octets: %d, %v", size, len(got), err)
		}
	}
}

// An answer that comes while the message is still arriving is none.
func TestAskEarlyAnswer(t *testing.T) {
	t.Parallel()
	c := script(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		io.Copy(io.Discard, conn)
	})
	got, err := c.Ask(limit(t), Request{Method: http.MethodPost, Open: func(ctx context.Context) io.Reader {
		return io.MultiReader(strings.NewReader("hello"), stalled{ctx})
	}})
	if !errors.Is(err, ErrEarly) {
		t.Errorf("%q, %v", got, err)
	}
}

// stalled never comes.
type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// What cannot be read to its end does not arrive as a whole one.
func TestAskBrokenBody(t *testing.T) {
	t.Parallel()
	seen := make(chan error, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		seen <- err
		io.WriteString(w, "{}")
	})
	broken := errors.New("no room on disk")
	got, err := c.Ask(limit(t), Request{Method: http.MethodPost, Open: func(context.Context) io.Reader {
		return io.MultiReader(strings.NewReader("hello"), failing{broken})
	}})
	if !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
	if err := <-seen; err == nil {
		t.Error("the service takes it for a whole one")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAskEndsWithContext(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(net.Conn){
		"silent": func(conn net.Conn) { io.Copy(io.Discard, conn) },
		"stalled in the answer": func(conn net.Conn) {
			answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")(conn)
			io.Copy(io.Discard, conn)
		},
		"does not read": func(conn net.Conn) { conn.Read(make([]byte, 1)); stall(t, conn) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			got, err := script(t, play).Ask(ctx, Request{Method: http.MethodPost, Open: func(context.Context) io.Reader {
				return io.LimitReader(zeros{}, 64<<20)
			}})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// stall reads nothing more, yet sees the end of the connection: by a write.
func stall(t *testing.T, conn net.Conn) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		// A header that never ends.
		if _, err := io.WriteString(conn, "H"); err != nil {
			return
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
