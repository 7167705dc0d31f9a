package daemon

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/history"
)

// closedDaemon has opened nothing.
func closedDaemon(t *testing.T) *Daemon {
	log := slog.New(slog.DiscardHandler)
	d := &Daemon{log: log, cfg: &config.Config{StateDir: t.TempDir()}}
	d.hand.prepare(d, Options{Log: log})
	return d
}

// A hand-over that comes to its point when the daemon ends closes nothing: that is
// being closed already.
func TestNoHandOverAtTheEnd(t *testing.T) {
	d := closedDaemon(t)
	d.hand.end()
	if err := d.hand.Yield(t.Context()); err == nil {
		t.Error("it is handed over")
	}
	d.hand.Resume()
	if d.hand.gone || !d.hand.one.TryLock() || !d.reloading.TryLock() {
		t.Error("not as before")
	}
}

// What waited for the end of a hand-over changes no files of the other process.
func TestNoReloadAfterHandOver(t *testing.T) {
	d := closedDaemon(t)
	unlock, err := d.lockPolicy()
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		_, err := d.reload(t.Context(), history.Entry{How: history.Signal}, anyPolicy)
		over <- err
	}()
	close(d.hand.left)
	unlock()
	var refusal *control.Refusal
	select {
	case err := <-over:
		if !errors.As(err, &refusal) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits")
	}
}
