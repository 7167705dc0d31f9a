package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/audit"
)

// taking is a store that has taken nothing.
type taking struct{}

func (taking) Taken(context.Context, string) (accounting.Taken, error) {
	return accounting.Taken{}, nil
}

func (taking) WasDropped(context.Context, accounting.Record) (bool, error) { return false, nil }

// logLines is who reads the log line by line.
type logLines chan string

func (t logLines) Write(b []byte) (int, error) {
	t <- string(b)
	return len(b), nil
}

// That nothing can be compared is told: nobody takes silence for a proof.
func TestNoBalanceIsTold(t *testing.T) {
	d := closedDaemon(t)
	said := make(logLines, 10)
	d.log = slog.New(slog.NewTextHandler(said, nil))
	if err := os.WriteFile(filepath.Join(d.cfg.StateDir, balanceName), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.spool, err = spool.Open(filepath.Join(d.cfg.StateDir, "spool"), spool.Options{}); err != nil {
		t.Fatal(err)
	}
	defer d.spool.Close()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { d.balance(ctx, taking{}); close(over) }()
	if text := <-said; !strings.Contains(text, balanceName) || !strings.Contains(text, "cannot be compared") {
		t.Error(text)
	}
	cancel()
	<-over
}

// An audit says so, too: that nothing was compared is not that nothing is gone.
func TestNoBalanceOfAnAudit(t *testing.T) {
	d := closedDaemon(t)
	d.store = struct {
		accounting.Store
		taking
	}{}
	if err := os.WriteFile(filepath.Join(d.cfg.StateDir, balanceName), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.spool, err = spool.Open(filepath.Join(d.cfg.StateDir, "spool"), spool.Options{}); err != nil {
		t.Fatal(err)
	}
	defer d.spool.Close()
	r := &audit.Report{}
	if err := d.compare(t.Context(), r); err != nil || !strings.Contains(r.Uncompared, balanceName) {
		t.Errorf("%+v, %v", r, err)
	}
}

// Why mail is deferred is told where the spool cannot: once, not with each message.
func TestUnkeptIsTold(t *testing.T) {
	d := closedDaemon(t)
	said := make(logLines, 10)
	d.log = slog.New(slog.NewTextHandler(said, nil))
	d.hand.records.Put(lost{errors.New("the disk hangs")})
	for range 3 {
		if err := (records{d}).Append(t.Context(), nil); err == nil {
			t.Error("it is kept")
		}
	}
	if len(said) != 1 || !strings.Contains(<-said, "the disk hangs") {
		t.Error("told", len(said), "times more")
	}
	if now := time.Now(); !new(minutely).due(now) || !(&minutely{at: now}).due(now.Add(time.Minute)) || (&minutely{at: now}).due(now) {
		t.Error("not every minute")
	}
}
