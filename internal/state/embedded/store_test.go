package embedded

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
)

func now() time.Time { return statetest.Now }

func TestConformance(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Open {
		path := filepath.Join(t.TempDir(), "state.db")
		return func(t *testing.T) state.Store { return mustOpen(t, path, Options{Now: now}) }
	})
}

func mustOpen(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
