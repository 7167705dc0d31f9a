package daemon

import (
	"log/slog"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/canary"
	"github.com/tollgate-mail/tollgate/internal/config"
)

// What a canary has judged is there after an orderly end; what another process goes on
// with is not written over.
func TestCanaryKept(t *testing.T) {
	d := &Daemon{cfg: &config.Config{StateDir: t.TempDir()}, log: slog.New(slog.DiscardHandler)}
	d.keepCanary() // none is under way
	one := &trial{state: canary.State{File: "c.toml", Version: "v2", Started: time.Now(), Until: time.Now().Add(time.Hour), Judged: 12, Refused: 2}}
	d.trials.canary.Store(one)
	d.keepCanary()
	if s, err := canary.Load(d.cfg.StateDir); err != nil || s.Judged != 12 || s.Refused != 2 || !s.Running() {
		t.Errorf("%+v, %v", s, err)
	}
	one.ended, one.state.Judged = true, 7
	d.keepCanary()
	if s, err := canary.Load(d.cfg.StateDir); err != nil || s.Judged != 12 {
		t.Errorf("another process goes on with it: %+v, %v", s, err)
	}
}

// Who keeps a canary after its end keeps the end, whenever he began to.
func TestCanaryKeptLate(t *testing.T) {
	d := &Daemon{cfg: &config.Config{StateDir: t.TempDir()}, log: slog.New(slog.DiscardHandler)}
	one := &trial{state: canary.State{File: "c.toml", Version: "v2", Started: time.Now(), Until: time.Now().Add(time.Hour), Judged: 12}}
	one.saving.Lock()
	late := make(chan struct{})
	go func() { d.keepTrial(one); close(late) }()
	one.mu.Lock()
	one.ended, one.state.Ended, one.state.Reason = true, time.Now(), "stopped"
	one.mu.Unlock()
	one.saving.Unlock()
	<-late
	if s, err := canary.Load(d.cfg.StateDir); err != nil || s.Running() || s.Reason != "stopped" || s.Judged != 12 {
		t.Errorf("%+v, %v", s, err)
	}
	// Nor does it take back what came after.
	next := canary.State{File: "d.toml", Version: "v3", Started: time.Now(), Until: time.Now().Add(time.Hour)}
	d.saveCanary(next)
	d.keepTrial(one)
	if s, err := canary.Load(d.cfg.StateDir); err != nil || s.Version != "v3" {
		t.Errorf("%+v, %v", s, err)
	}
}
