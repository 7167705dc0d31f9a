package simulate

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/redis"
)

// server is a real Redis. What it holds is kept by SAVE, and it is set back by
// loading that again.
type server struct {
	t     *testing.T
	addr  string
	admin *goredis.Client
	saved bool
}

func startRedis(t *testing.T) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is needed: ", err)
		}
		t.Skip("redis-server is not installed: ", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, addr: l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--logfile", filepath.Join(dir, "log"),
		"--save", "", "--enable-debug-command", "yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	redis.SilenceClient()
	s.admin = goredis.NewClient(&goredis.Options{Addr: s.addr})
	t.Cleanup(func() {
		_ = s.admin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); s.admin.Ping(t.Context()).Err() != nil; {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return s
}

func (s *server) Open(book *price.Book, now func() time.Time) (Ledgered, error) {
	return redis.Open(s.t.Context(), redis.Options{Addr: s.addr, Gateway: "gw0", Now: now, SeenDays: 40, Book: book})
}

func (s *server) Crash(store Ledgered) error { return store.Close() }

func (s *server) Copy() error {
	s.saved = true
	return s.admin.Save(s.t.Context()).Err()
}

func (s *server) SetBack() error {
	if !s.saved {
		return s.admin.FlushAll(s.t.Context()).Err() // it has lost all that it had
	}
	return s.admin.Do(s.t.Context(), "DEBUG", "RELOAD", "NOSAVE").Err()
}

// A sample of seeds against a real Redis: what interprets the scripts in the
// simulator is not what interprets them there.
func TestSeedsRedis(t *testing.T) {
	s := startRedis(t)
	// Entries of streams are named by the server's clock, and money is compared
	// within a month: the runs are in the middle of one that has been.
	now := time.Now().UTC()
	begin := time.Date(now.Year(), now.Month(), 15, 9, 59, 50, 0, time.UTC)
	if begin.After(now) {
		begin = begin.AddDate(0, -1, 0)
	}
	for seed := uint64(1); seed <= seeds(t, usual)/100+1; seed++ {
		s.saved = false
		if err := s.admin.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := New(Options{Seed: seed, Faults: true, Backing: s, Begin: begin}).Run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
