package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/embedded"
	"github.com/tollgate-mail/tollgate/internal/state/redis"
)

// stateName is the embedded state store's file in the state folder.
const stateName = "state.bolt"

// memories are what the policies so far remember by; they share one store,
// which is opened for the first that needs it and ends with the daemon.
type memories struct {
	log *slog.Logger

	mu    sync.Mutex
	guard *state.Guard // nil: no policy needed it
}

// give gives a policy its memory, where it needs one.
func (m *memories) give(cfg *config.Config) error {
	if !cfg.Gate.NeedsMemory() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.guard == nil {
		store, err := m.open(cfg)
		if err != nil {
			return fmt.Errorf("state store: %w", err)
		}
		m.guard = state.NewGuard(store, 0, time.Now)
	}
	greylist, err := m.guard.Greylist(cfg.Greylist)
	if err != nil {
		return err
	}
	correspondents, err := m.guard.Correspondents(cfg.CorrespondentLife)
	if err != nil {
		return err
	}
	cfg.Gate.Memory = memory{greylist, correspondents}
	return nil
}

// open opens the store beside the account's: in the same Redis, or in the state
// folder.
func (m *memories) open(cfg *config.Config) (state.Store, error) {
	if cfg.Redis == nil {
		return embedded.Open(filepath.Join(cfg.StateDir, stateName), embedded.Options{Log: m.log})
	}
	secure, err := tlsConfig(cfg.Redis)
	if err != nil {
		return nil, err
	}
	db := goredis.NewClient(&goredis.Options{
		Addr: cfg.Redis.Addr, Username: cfg.Redis.Username, Password: cfg.Redis.Password, TLSConfig: secure, DB: cfg.Redis.DB,
		// The guard's time-out is a context's, and a question has one try: mail
		// does not wait for a second.
		ContextTimeoutEnabled: true, MaxRetries: -1, DialTimeout: state.DefaultTimeout, DialerRetries: 1,
		// Nothing is asked of a server beyond what every Redis answers.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	return redis.New(db, cfg.Redis.Prefix)
}

// status is how the store fares, nil where there is none.
func (m *memories) status() *state.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.guard == nil {
		return nil
	}
	s := m.guard.Status()
	return &s
}

func (m *memories) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.guard == nil {
		return nil
	}
	return m.guard.Close()
}

// memory is the gate's.
type memory struct {
	greylist       *state.Greylist
	correspondents *state.Correspondents
}

func (m memory) Greylist(ctx context.Context, t gate.Try) (time.Duration, string, error) {
	a, err := m.greylist.Check(ctx, t.Client, t.Sender, t.Recipient, t.Now)
	if err != nil || a.Pass {
		return 0, "", err
	}
	return a.Wait, string(a.Reason), nil
}

func (m memory) Wrote(ctx context.Context, local, remote string, now time.Time) (bool, error) {
	return m.correspondents.Wrote(ctx, local, remote, now)
}

func (m memory) Remember(ctx context.Context, local string, remote []string, now time.Time) error {
	return m.correspondents.Remember(ctx, local, remote, now)
}
