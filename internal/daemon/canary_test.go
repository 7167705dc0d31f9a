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
