package module_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

func TestGuardTimeout(t *testing.T) {
	t.Parallel()
	for name, inspect := range map[string]func(context.Context, *module.Message) (module.Finding, error){
		"obeys": patient,
		"deaf": func(context.Context, *module.Message) (module.Finding, error) {
			time.Sleep(time.Hour)
			return module.Finding{}, nil
		},
		"late finding": func(ctx context.Context, _ *module.Message) (module.Finding, error) {
			<-ctx.Done()
			time.Sleep(time.Nanosecond)
			return module.Finding{Action: "late"}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := guard(&fake{inspect: inspect}, module.Limits{Timeout: 10 * time.Second, Parallel: 1})
			r := g.Begin(t.Context(), message(t, 1)).Wait()
			wants(t, name, r, module.ErrTimeout)
			if r.Duration != 10*time.Second {
				t.Errorf("%s: %v", name, r.Duration)
			}
			check(t, g, "degraded", "closed", 0, 1)
			time.Sleep(2 * time.Hour)
			check(t, g, "degraded", "closed", 0, 1)
		})
	}
}

// The deadline of the caller is as good as the guard's own.
func TestGuardCallersDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guard(&fake{inspect: patient}, module.Limits{Timeout: 10 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wants(t, "deadline", g.Begin(ctx, message(t, 1)).Wait(), module.ErrTimeout)
		check(t, g, "degraded", "closed", 0, 1)
	})
}

// What an inspector leaves behind keeps its place.
func TestGuardLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{inspect: func(context.Context, *module.Message) (module.Finding, error) {
			time.Sleep(time.Minute)
			return module.Finding{}, nil
		}}
		g := guard(f, module.Limits{Timeout: 10 * time.Second, Parallel: 2})
		var all []*module.Inspection
		for range 4 {
			all = append(all, g.Begin(t.Context(), message(t, 1)))
		}
		for _, i := range all {
			r := i.Wait()
			wants(t, "left behind", r, module.ErrTimeout)
			if r.Duration != 10*time.Second {
				t.Errorf("after %v", r.Duration)
			}
		}
		if n := f.calls.Load(); n != 2 || g.Health().Running != 2 {
			t.Errorf("%d calls, %d running", n, g.Health().Running)
		}
		if err := g.Close(); err != nil { // waits for none of them
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if n := g.Health().Running; n != 0 {
			t.Errorf("%d running", n)
		}
	})
}

func TestGuardTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		f := &fake{inspect: func(context.Context, *module.Message) (module.Finding, error) {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
			return module.Finding{}, nil
		}}
		g := guard(f, module.Limits{Timeout: 5500 * time.Millisecond, Parallel: 3})
		var all []*module.Inspection
		for range 30 {
			all = append(all, g.Begin(t.Context(), message(t, 1)))
		}
		var fine, late int
		for _, i := range all {
			switch r := i.Wait(); {
			case r.Err == nil:
				fine++
			case errors.Is(r.Err, module.ErrTimeout):
				late++
			default:
				t.Error(r.Err)
			}
		}
		if fine != 15 || late != 15 || most.Load() != 3 {
			t.Errorf("%d fine, %d late, at most %d at once", fine, late, most.Load())
		}
		time.Sleep(time.Minute)
		// Those that never had their turn say nothing against a service that
		// gave results meanwhile. The three in their turn were late.
		check(t, g, "degraded", "closed", 15, 3)
	})
}

func TestGuardOversize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{inspect: whole}
		g := guard(f, module.Limits{Timeout: time.Minute, Parallel: 1, MaxSize: 100})
		wants(t, "known", immediate(t, g.Begin(t.Context(), message(t, 101))), module.ErrOversize)
		wants(t, "known before its end", immediate(t, g.Begin(t.Context(), arriving(t, 101))), module.ErrOversize)
		if f.calls.Load() != 0 {
			t.Error("inspected")
		}
		m := arriving(t, 100)
		i := g.Begin(t.Context(), m)
		synctest.Wait()
		write(t, m.Stash, []byte("x"))
		wants(t, "later", immediate(t, i), module.ErrOversize)
		// An inspector that hides the reason, or does not even read.
		for _, inspect := range []func(context.Context, *module.Message) (module.Finding, error){
			func(ctx context.Context, m *module.Message) (module.Finding, error) {
				whole(ctx, m)
				return module.Finding{}, errRefused
			},
			func(ctx context.Context, m *module.Message) (module.Finding, error) {
				whole(ctx, m)
				return module.Finding{Action: "clean"}, nil
			},
			patient,
		} {
			f.inspect = inspect
			m := arriving(t, 100)
			i := g.Begin(t.Context(), m)
			synctest.Wait()
			write(t, m.Stash, []byte("x"))
			wants(t, "hidden", i.Wait(), module.ErrOversize)
			synctest.Wait()
		}
		check(t, g, "unknown", "closed", 0, 0)
		if n, err := m.Stash.Size(canceled(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("the limit is the inspector's alone: %d, %v", n, err)
		}
	})
}

func canceled(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
