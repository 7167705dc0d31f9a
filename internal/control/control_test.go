package control_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
)

type asked struct{ Name string }

func serve(t *testing.T, dir string, handlers map[string]control.Handler) *control.Server {
	t.Helper()
	s, err := control.Serve(dir, handlers, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t *testing.T, s *control.Server) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func handlers() map[string]control.Handler {
	return map[string]control.Handler{
		"greet": func(_ context.Context, request json.RawMessage) (any, error) {
			var a asked
			if err := json.Unmarshal(request, &a); err != nil {
				return nil, err
			}
			return asked{"hello " + a.Name}, nil
		},
		"refuse": func(context.Context, json.RawMessage) (any, error) {
			return nil, &control.Refusal{Code: "policy", Message: "bad policy", Detail: json.RawMessage(`["a","b"]`)}
		},
		"fail":  func(context.Context, json.RawMessage) (any, error) { return nil, errors.New("disk on fire") },
		"panic": func(context.Context, json.RawMessage) (any, error) { panic("oops") },
	}
}

func TestCall(t *testing.T) {
	dir := t.TempDir()
	defer closed(t, serve(t, dir, handlers()))
	info, err := os.Stat(control.SocketPath(dir))
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	c := control.NewClient(dir)
	var got asked
	if err := c.Call(t.Context(), "greet", asked{"Иван"}, &got); err != nil || got.Name != "hello Иван" {
		t.Errorf("%+v, %v", got, err)
	}
	tests := []struct {
		command, code, message, detail string
	}{
		{"refuse", "policy", "bad policy", `["a","b"]`},
		{"fail", control.CodeFault, "disk on fire", ""},
		{"panic", control.CodeFault, "internal fault", ""},
		{"dance", "unknown", "does not know this command", ""},
	}
	for _, tt := range tests {
		err := c.Call(t.Context(), tt.command, nil, nil)
		var refusal *control.Refusal
		if !errors.As(err, &refusal) || refusal.Code != tt.code || !strings.Contains(refusal.Message, tt.message) || string(refusal.Detail) != tt.detail {
			t.Errorf("%s: %#v", tt.command, err)
		}
	}
	// Who may change something may send what he changes.
	if err := c.Call(t.Context(), "greet", asked{strings.Repeat("x", 2<<20)}, &got); err != nil {
		t.Error(err)
	}
	if err := c.Call(t.Context(), "greet", asked{strings.Repeat("x", 65<<20)}, &got); err == nil {
		t.Error("a request of 65 MiB is taken")
	}
	if err := c.Call(t.Context(), "greet", asked{"again"}, &got); err != nil || got.Name != "hello again" {
		t.Errorf("after all that: %+v, %v", got, err)
	}
}

func TestNoDaemon(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{"empty": dir, "absent": filepath.Join(dir, "none")} {
		if err := control.NewClient(path).Call(t.Context(), "greet", nil, nil); !errors.Is(err, control.ErrNoDaemon) {
			t.Errorf("%s folder: %v", name, err)
		}
	}
	// A socket that a killed daemon left.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: control.SocketPath(dir), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := control.NewClient(dir).Call(t.Context(), "greet", nil, nil); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("dead socket: %v", err)
	}
	s := serve(t, dir, handlers())
	if err := control.NewClient(dir).Call(t.Context(), "greet", asked{"x"}, nil); err != nil {
		t.Errorf("in place of the dead one: %v", err)
	}
	closed(t, s)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A socket that was removed is made anew; another live listener's is left alone,
// and so is what is no socket.
func TestSocketIsRemade(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, handlers())
	path := control.SocketPath(dir)
	call := func() error { return control.NewClient(dir).Call(t.Context(), "greet", asked{"x"}, nil) }
	until := func(what string, holds func() bool) {
		t.Helper()
		for limit := time.After(time.Minute); !holds(); {
			select {
			case <-limit:
				t.Fatalf("never %s: %+v", what, s.Socket())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	until("made anew", func() bool { return call() == nil })
	if is, err := os.Stat(path); err != nil || is.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", is, err)
	}
	// A dead one in its place.
	replace := func() *net.UnixListener {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		return l
	}
	other := replace()
	until("told of another", func() bool { return strings.Contains(s.Socket().Error, "another process answers") })
	is, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	until("made anew in place of a dead one", func() bool { return call() == nil })
	if now, err := os.Lstat(path); err != nil || os.SameFile(is, now) || s.Socket().Remade != 2 || s.Socket().Error != "" {
		t.Errorf("%v, %+v", err, s.Socket())
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	until("told of a file", func() bool { return strings.Contains(s.Socket().Error, "no socket") })
	closed(t, s)
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("the file of another: %q, %v", b, err)
	}
}

func TestAnotherProtocol(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, handlers())
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", control.SocketPath(dir))
	}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/greet", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Tollgate-Protocol", "0")
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusUpgradeRequired || !strings.Contains(string(body), "restart") {
		t.Errorf("%d %s %v", answer.StatusCode, body, err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Error(err)
	}
	transport.CloseIdleConnections()
	closed(t, s)

	l, err := net.Listen("unix", control.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	old := &http.Server{Handler: http.NotFoundHandler()}
	go func() {
		if err := old.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	if err := control.NewClient(dir).Call(t.Context(), "greet", nil, nil); !errors.Is(err, control.ErrProtocol) {
		t.Error(err)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseWaitsForRequests(t *testing.T) {
	dir := t.TempDir()
	begun, end := make(chan struct{}), make(chan struct{})
	s := serve(t, dir, map[string]control.Handler{"slow": func(context.Context, json.RawMessage) (any, error) {
		close(begun)
		<-end
		return asked{"done"}, nil
	}})
	answered := make(chan error, 1)
	go func() { answered <- control.NewClient(dir).Call(context.Background(), "slow", nil, nil) }()
	<-begun
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("close: %v", err)
	}
	close(end)
	if err := <-answered; err == nil {
		t.Error("answered after the end")
	}
}

func TestPathTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Serve(dir, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}

// A lock whose file is gone, or another's, keeps nobody out; one that was released is
// nobody's.
func TestLockRemoved(t *testing.T) {
	dir := t.TempDir()
	l, err := control.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "lock")
	if l.Removed(dir) {
		t.Error("it is there")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !l.Removed(dir) {
		t.Error("it is gone")
	}
	other, err := control.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Removed(dir) || other.Removed(dir) {
		t.Error("it is another's")
	}
	if err := errors.Join(l.Release(), other.Release()); err != nil {
		t.Fatal(err)
	}
	if l.Removed(dir) {
		t.Error("it was released")
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	l, err := control.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = control.Acquire(dir)
	var locked *control.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("second lock: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	l, err = control.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("rubbish"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Acquire(dir); !errors.As(err, &locked) || locked.PID != 0 {
		t.Errorf("unsigned lock: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Acquire(filepath.Join(dir, "none")); err == nil || errors.As(err, &locked) {
		t.Errorf("no folder: %v", err)
	}
}

// Who answers a head that is no conversation and then hangs is waited for no longer than
// the context says.
func TestConverseHangs(t *testing.T) {
	dir := t.TempDir()
	ln, err := net.Listen("unix", control.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	answered := make(chan struct{})
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			// More than waits unread: when it is written the head was read.
			_, _ = io.WriteString(conn, "HTTP/1.1 409 Conflict\r\nTollgate-Protocol: "+control.Protocol+"\r\nContent-Length: 5000000\r\n\r\n"+strings.Repeat(" ", 4_000_000))
		}
		close(answered)
		<-t.Context().Done()
	}()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		_, err := control.NewClient(dir).Converse(ctx, "takeover", nil)
		over <- err
	}()
	<-answered
	cancel()
	select {
	case err := <-over:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits")
	}
}
