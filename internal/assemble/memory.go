package assemble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/redis"
)

// stateName is the embedded state store's file in the state folder.
const stateName = "state.bolt"

// Memories is the part that remembers: greylisting, correspondents. All policies
// share one store, which is opened for the first that needs it and ends with the
// daemon.
type Memories struct {
	Log *slog.Logger

	mu     sync.Mutex
	access *state.Access // nil: no policy needed it
	store  state.Store   // behind it
}

// Prepare gives the policy its memory, where it needs one.
func (m *Memories) Prepare(_ context.Context, d *Draft) (Step, error) {
	if !d.Config.Gate.NeedsMemory() {
		return step{}, nil
	}
	access, discard := m.inForce(), func() {}
	var opened state.Store
	if access == nil {
		store, remove, err := m.open(d.Config)
		if err != nil {
			return nil, fmt.Errorf("state store: %w", err)
		}
		opened = store
		access = state.NewAccess(store, 0, time.Now)
		discard = func() {
			if err := errors.Join(access.Close(), remove()); err != nil {
				m.Log.Warn("the state store of a policy that was given up cannot be closed", "error", err)
			}
		}
	}
	greylist, err := access.Greylist(d.Config.Greylist)
	if err != nil {
		discard()
		return nil, err
	}
	correspondents, err := access.Correspondents(d.Config.CorrespondentLife)
	if err != nil {
		discard()
		return nil, err
	}
	d.Policy.Memory = memory{greylist, correspondents}
	return step{commit: func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.access = access
		if opened != nil {
			m.store = opened
		}
	}, discard: discard}, nil
}

func (m *Memories) inForce() *state.Access {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.access
}

// open opens the store beside the account's: in the same Redis, or in the state
// folder. Remove takes away what it made there.
func (m *Memories) open(cfg *config.Config) (store state.Store, remove func() error, err error) {
	none := func() error { return nil }
	if cfg.Redis == nil {
		path := filepath.Join(cfg.StateDir, stateName)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			none = func() error { return os.Remove(path) }
		}
		store, err := openSeated(path, m.Log)
		if err != nil {
			return nil, nil, err
		}
		return store, none, nil
	}
	store, err = m.openRedis(cfg.Redis)
	return store, none, err
}

func (m *Memories) openRedis(r *config.Redis) (state.Store, error) {
	place, err := RedisPlace(r)
	if err != nil {
		return nil, err
	}
	// The time-out is a context's, and a question has one try: mail
	// does not wait for a second.
	db := place.Client(state.DefaultTimeout)
	return redis.New(db, r.Prefix)
}

// Status is how the store fares, nil where there is none.
func (m *Memories) Status() *state.Status {
	access := m.inForce()
	if access == nil {
		return nil
	}
	s := access.Status()
	return &s
}

// Close closes the store.
func (m *Memories) Close() error {
	access := m.inForce()
	if access == nil {
		return nil
	}
	if err := access.Close(); err != nil {
		return fmt.Errorf("state store: %w", err)
	}
	return nil
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

// Snapshooter writes the store as it is at one moment; nil where it is in no file.
func (m *Memories) Snapshooter() interface{ Snapshot(w io.Writer) error } {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, _ := m.store.(interface{ Snapshot(w io.Writer) error })
	return s
}

// File is the name that the store has in the state folder.
func (m *Memories) File() string { return stateName }
