package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"
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
	if d.hand.gone || !d.hand.one.TryLock() || d.changing.take(t.Context()) != nil {
		t.Error("not as before")
	}
}

// A hand-over that cannot begin in its time leaves all as it was, whatever does not end.
func TestNoHandOverInTime(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	d := closedDaemon(t)
	unlock, err := d.lockPolicy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.hand.Yield(over); err == nil {
		t.Error("it is handed over in the midst of a reload")
	}
	d.hand.Resume()
	unlock()
	if _, err := d.lockPolicy(t.Context()); err != nil || d.hand.gone || !d.hand.one.TryLock() {
		t.Error("not as before", err)
	}
	end := make(chan struct{})
	d.background.Go(func() { <-end })
	if err := d.hand.idle(over); err == nil {
		t.Error("something runs")
	}
	close(end)
	<-d.hand.idled
}

// Something that does not end keeps nobody from ending the daemon.
func TestEndWhileSomethingRuns(t *testing.T) {
	d := closedDaemon(t)
	end := make(chan struct{})
	defer close(end)
	d.background.Go(func() { <-end })
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.hand.idle(short); err == nil {
		t.Fatal("nothing runs")
	}
	over := make(chan struct{})
	go func() { d.hand.rework(); close(over) }()
	d.hand.ended()
	select {
	case <-over:
	case <-time.After(time.Minute):
		t.Error("it waits")
	}
}

// A reload that has to wait keeps nobody from ending the daemon.
func TestEndWhileAReloadWaits(t *testing.T) {
	d := closedDaemon(t)
	d.failed = make(chan error)
	if _, err := d.lockPolicy(t.Context()); err != nil { // as who insists does
		t.Fatal(err)
	}
	end, renew, over := make(chan os.Signal, 1), make(chan os.Signal), make(chan error, 1)
	go func() { over <- d.Wait(t.Context(), end, renew) }()
	renew <- syscall.SIGHUP
	end <- syscall.SIGTERM
	select {
	case err := <-over:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits")
	}
}

// What waited for the end of a hand-over changes no files of the other process.
func TestNoReloadAfterHandOver(t *testing.T) {
	d := closedDaemon(t)
	unlock, err := d.lockPolicy(t.Context())
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
