package redis

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/state/statetest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// box and server are of the whole run, and prefixes counts the parts of the
// server that tests have had: with -count a test comes again to a server that
// still has what it left.
var (
	box      *harness.Sandbox
	server   *harness.Redis
	prefixes atomic.Int64
)

func freshPrefix() string { return fmt.Sprintf("t%d:", prefixes.Add(1)) }

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, func(s *harness.Sandbox) (err error) {
		box = s
		server, err = s.Redis("--appendonly", "no")
		return err
	}))
}

func options(addr string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: []string{addr}, Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		MaxRetries:               -1, DialerRetries: 1, ContextTimeoutEnabled: true, PipelinePoolSize: -1,
	}
}

func mustNew(t testing.TB, db redis.UniversalClient, prefix string) *Store {
	t.Helper()
	s, err := New(db, prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	statetest.Run(t, func(t *testing.T) statetest.Open {
		prefix := freshPrefix()
		return func(t *testing.T) state.Store {
			return mustNew(t, redis.NewUniversalClient(options(server.Addr)), prefix)
		}
	})
}

// One node that is a whole cluster refuses what touches two slots at once.
func TestCluster(t *testing.T) {
	// The bus would take a port that anybody's connection can have.
	bus, err := box.Port()
	if err != nil {
		t.Fatal(err)
	}
	r, err := box.Redis("--appendonly", "no", "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	node := redis.NewClient(&redis.Options{Addr: r.Addr})
	defer node.Close()
	if err := node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(harness.Patience); node.Set(t.Context(), "x", "", 0).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(node.ClusterInfo(t.Context()).String())
		}
	}
	o := options(r.Addr)
	o.IsClusterMode = true
	statetest.Run(t, func(t *testing.T) statetest.Open {
		prefix := freshPrefix()
		return func(t *testing.T) state.Store { return mustNew(t, redis.NewUniversalClient(o), prefix) }
	})
}
