package webclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, c Config) *Client {
	t.Helper()
	made, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// serve has handler answer, and returns a client of it.
func serve(t testing.TB, handler http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return client(t, Config{URL: s.URL})
}

// script plays a server on each connection, and returns a client of it.
func script(t testing.TB, play func(net.Conn)) *Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				play(conn)
			})
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		open.Wait()
	})
	return client(t, Config{URL: "http://" + l.Addr().String()})
}

// answering takes a whole request and answers with text.
func answering(text string) func(net.Conn) {
	return func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(conn, text)
	}
}

func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func post(text string) Request {
	return Request{Method: http.MethodPost, Open: func(context.Context) io.Reader { return strings.NewReader(text) }}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q %s %v %v", r.Method, r.URL, r.UserAgent(), body, r.Header.Get("X"), r.ContentLength, err)
	})
	got, err := c.Ask(limit(t), Request{
		Method: http.MethodPost, Path: "checkv2", Header: http.Header{"X": {"y"}}, Open: post("hello").Open,
	})
	if err != nil || string(got) != `POST /checkv2 tollgate "hello" y -1 <nil>` {
		t.Errorf("%s, %v", got, err)
	}
	got, err = c.Ask(limit(t), Request{Method: http.MethodGet})
	if err != nil || string(got) != `GET / tollgate ""  0 <nil>` {
		t.Errorf("%s, %v", got, err)
	}
}

// The service has the first part before the second is there.
func TestAskStreams(t *testing.T) {
	t.Parallel()
	came := make(chan string)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 5)
		if _, err := io.ReadFull(r.Body, part); err != nil {
			return
		}
		came <- string(part)
		rest, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v", rest, err)
	})
	reader, writer := io.Pipe()
	go func() {
		io.WriteString(writer, "first")
		if part := <-came; part != "first" {
			writer.CloseWithError(fmt.Errorf("came as %q", part))
		}
		io.WriteString(writer, "second")
		writer.Close()
	}()
	got, err := c.Ask(limit(t), Request{Method: http.MethodPost, Open: func(context.Context) io.Reader { return reader }})
	if err != nil || string(got) != "second <nil>" {
		t.Errorf("%s, %v", got, err)
	}
}

// What a service says too much is of no other message: neither a second answer, at
// once or later, nor octets behind the end of one.
func TestAskAnswersTooMuch(t *testing.T) {
	t.Parallel()
	const another = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n999"
	for name, more := range map[string]func(io.ReadWriteCloser, *bufio.Reader){
		"a second answer":       answeringMore(another),
		"octets behind the end": answeringMore("}\r\n"),
		"an empty line":         answeringMore("\r\n"),
		"half an answer":        answeringMore(another[:20]),
		"a hint":                answeringMore("HTTP/1.1 100 Continue\r\n\r\n"),
		"the end":               func(conn io.ReadWriteCloser, _ *bufio.Reader) { conn.Close() },
		"nothing":               answeringMore(""),
		"a second answer, when it is asked again": func(conn io.ReadWriteCloser, r *bufio.Reader) {
			if _, err := r.Peek(1); err == nil {
				answeringMore(another)(conn, r)
			}
		},
	} {
		c := script(t, func(conn net.Conn) {
			r := bufio.NewReader(conn)
			for {
				q, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				text, err := io.ReadAll(q.Body)
				if err != nil {
					return
				}
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
				more(conn, r)
			}
		})
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for n := range 25 {
					text := fmt.Sprint(worker, " ", n)
					if got, err := c.Ask(limit(t), post(text)); err != nil || string(got) != text {
						t.Errorf("%s: %q of message %q, %v", name, got, text, err)
					}
				}
			})
		}
		all.Wait()
	}
}

// answeringMore says a text after an answer.
func answeringMore(text string) func(io.ReadWriteCloser, *bufio.Reader) {
	return func(conn io.ReadWriteCloser, _ *bufio.Reader) { _, _ = io.WriteString(conn, text) }
}

func TestAskIgnoresProxy(t *testing.T) {
	t.Parallel()
	if client(t, Config{URL: "http://scanner.example.org/"}).http.Transport.(*http.Transport).Proxy != nil {
		t.Error("asks a proxy")
	}
}

func TestAskTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the handshake that is refused
	s.StartTLS()
	t.Cleanup(s.Close)
	var text bytes.Buffer
	if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}); err != nil {
		t.Fatal(err)
	}
	got, err := client(t, Config{URL: s.URL, CAs: text.String()}).Ask(limit(t), post("hello"))
	if err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := client(t, Config{URL: s.URL}).Ask(limit(t), post("hello")); err == nil {
		t.Errorf("the system knows the certificate: %q", got)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{}, {URL: "scanner.example.org"}, {URL: "ftp://scanner.example.org/"}, {URL: "http:///check"}, {URL: "http://a/#b"},
		{URL: "http://a:b:c/"}, {URL: "http://user:secret@a b/"}, {URL: "http://a/%zz"}, {URL: "/run/scanner"},
		{URL: "https://a/", CAs: "no certificate"}, {URL: "http://a/", CAs: "no certificate"},
	} {
		_, err := New(c)
		if err == nil {
			t.Errorf("%+v is taken", c)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
	}
	c := client(t, Config{URL: "http://user:secret@scanner.example.org/check?a=b"})
	if got := c.String(); got != "http://user:xxxxx@scanner.example.org/check?a=b" {
		t.Error(got)
	}
}

func TestAskErrorKeepsPassword(t *testing.T) {
	t.Parallel()
	c := client(t, Config{URL: "http://user:secret@127.0.0.1:1/"})
	_, err := c.Ask(limit(t), post("hello"))
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "http://") {
		t.Error(err)
	}
}
