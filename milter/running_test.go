package milter

import (
	"bytes"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// logged is a log that can be read.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// running is a server on a unix socket.
type running struct {
	*Server
	t    testing.TB
	log  *logged
	path string
	done chan struct{}
}

func start(t testing.TB, g Gate, o Options) *running {
	t.Helper()
	r := &running{t: t, log: &logged{}, path: filepath.Join(t.TempDir(), "milter.sock"), done: make(chan struct{})}
	o.Log = r.log.logger()
	ln, err := Listen("unix:"+r.path, Socket{})
	if err != nil {
		t.Fatal(err)
	}
	r.Server = New(g, o)
	go func() {
		defer close(r.done)
		if err := r.Serve(t.Context(), ln); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		r.Close()
		<-r.done
	})
	return r
}

func (r *running) dial() *mta {
	r.t.Helper()
	c, err := net.Dial("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	return newMTA(r.t, c)
}
