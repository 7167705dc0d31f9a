package module_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/module"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errRefused = errors.New("connection refused")

// fake is an inspector by functions; without them everything is fine.
type fake struct {
	inspect func(context.Context, *module.Message) (module.Finding, error)
	ping    func(context.Context) error
	close   func() error
	calls   atomic.Int64
}

func (f *fake) Inspect(ctx context.Context, m *module.Message) (module.Finding, error) {
	f.calls.Add(1)
	if f.inspect == nil {
		return module.Finding{Action: "fine"}, nil
	}
	return f.inspect(ctx, m)
}

func (f *fake) Ping(ctx context.Context) error {
	if f.ping == nil {
		return nil
	}
	return f.ping(ctx)
}

func (f *fake) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// whole reads the message, which must be readable to its end.
func whole(ctx context.Context, m *module.Message) (module.Finding, error) {
	_, err := io.Copy(io.Discard, m.Stash.Open(ctx))
	return module.Finding{Action: "fine"}, err
}

// patient waits for ctx.
func patient(ctx context.Context, _ *module.Message) (module.Finding, error) {
	<-ctx.Done()
	return module.Finding{}, ctx.Err()
}

func failing(context.Context, *module.Message) (module.Finding, error) {
	return module.Finding{Virus: "half"}, errRefused
}

func guard(f *fake, l module.Limits) *module.Guard {
	return module.NewGuard("av", "av 1", f, l, time.Now)
}

// message is complete, with size octets.
func message(t testing.TB, size int) *module.Message {
	t.Helper()
	s := (&module.Stasher{}).New()
	t.Cleanup(func() { closed(t, s) })
	write(t, s, []byte(strings.Repeat("x", size)))
	s.End()
	return &module.Message{Envelope: module.Envelope{Ref: "R1"}, Stash: s}
}

// arriving is a message of which there are size octets so far.
func arriving(t testing.TB, size int) *module.Message {
	t.Helper()
	s := (&module.Stasher{}).New()
	write(t, s, []byte(strings.Repeat("x", size)))
	return &module.Message{Stash: s}
}

// immediate fails if there is no result yet.
func immediate(t testing.TB, i *module.Inspection) module.Result {
	t.Helper()
	before := time.Now()
	r := i.Wait()
	if waited := time.Since(before); waited != 0 {
		t.Errorf("waited %v for a result", waited)
	}
	return r
}

func wants(t testing.TB, what string, r module.Result, want error) {
	t.Helper()
	if !errors.Is(r.Err, want) || want == nil && r.Err != nil {
		t.Errorf("%s: %v, want %v", what, r.Err, want)
	}
	if r.Err != nil && r.Finding.Virus+r.Finding.Action != "" {
		t.Errorf("%s: a finding with an error: %+v", what, r.Finding)
	}
}

// check compares health without its times and texts.
func check(t testing.TB, g *module.Guard, state, breaker string, inspected, failed int64) {
	t.Helper()
	h := g.Health()
	if h.State != state || h.Breaker != breaker || h.Inspected != inspected || h.Failed != failed {
		t.Errorf("%+v, want %s, %s, %d inspected, %d failed", h, state, breaker, inspected, failed)
	}
}

func TestGuardResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{inspect: func(ctx context.Context, m *module.Message) (module.Finding, error) {
			if m.Ref != "R1" {
				t.Errorf("ref %q", m.Ref)
			}
			time.Sleep(3 * time.Second)
			return whole(ctx, m)
		}}
		g := guard(f, module.Limits{Timeout: 10 * time.Second, Parallel: 2, MaxSize: 100})
		check(t, g, "unknown", "closed", 0, 0)
		i := g.Begin(t.Context(), message(t, 100))
		synctest.Wait()
		if n := g.Health().Running; n != 1 {
			t.Errorf("%d running", n)
		}
		r := i.Wait()
		wants(t, "result", r, nil)
		if r.Duration != 3*time.Second || r.Finding.Action != "fine" || i.Wait().Err != r.Err {
			t.Errorf("%+v", r)
		}
		synctest.Wait()
		check(t, g, "up", "closed", 1, 0)
		if h := g.Health(); h.Running != 0 || h.Latency != 3*time.Second || h.MaxLatency != 3*time.Second || h.Name != "av" {
			t.Errorf("%+v", h)
		}
	})
}

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
			check(t, g, "away", "closed", 0, 1)
			time.Sleep(2 * time.Hour)
			check(t, g, "away", "closed", 0, 1)
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
		check(t, g, "away", "closed", 0, 1)
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
		check(t, g, "away", "closed", 15, 3)
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

func TestGuardUncounted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inspect func(context.Context, *module.Message) (module.Finding, error)
		end     func(*testing.T, *module.Inspection, *module.Message, context.CancelFunc)
		want    error
	}{
		"canceled": {patient, func(_ *testing.T, i *module.Inspection, _ *module.Message, _ context.CancelFunc) {
			i.Cancel()
			i.Cancel()
		}, module.ErrAborted},
		"canceled, deaf": {
			func(context.Context, *module.Message) (module.Finding, error) {
				time.Sleep(time.Hour)
				return module.Finding{}, nil
			},
			func(_ *testing.T, i *module.Inspection, _ *module.Message, _ context.CancelFunc) { i.Cancel() }, module.ErrAborted,
		},
		"caller gone": {patient, func(_ *testing.T, _ *module.Inspection, _ *module.Message, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"given up":    {whole, func(t *testing.T, _ *module.Inspection, m *module.Message, _ context.CancelFunc) { closed(t, m.Stash) }, module.ErrAborted},
		"given up, hidden": {
			func(ctx context.Context, m *module.Message) (module.Finding, error) {
				whole(ctx, m)
				return module.Finding{}, nil
			},
			func(t *testing.T, _ *module.Inspection, m *module.Message, _ context.CancelFunc) { closed(t, m.Stash) }, module.ErrAborted,
		},
		"never complete": {whole, func(*testing.T, *module.Inspection, *module.Message, context.CancelFunc) {}, module.ErrTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := guard(&fake{inspect: tt.inspect}, module.Limits{Timeout: time.Minute, Parallel: 1})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			m := arriving(t, 10)
			i := g.Begin(ctx, m)
			synctest.Wait()
			tt.end(t, i, m, cancel)
			wants(t, name, i.Wait(), tt.want)
			time.Sleep(2 * time.Hour)
			check(t, g, "unknown", "closed", 0, 0)
		})
	}
}

// A message that could not be kept is not inspected, and it is nobody's fault.
func TestGuardWithoutRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guard(&fake{inspect: whole}, module.Limits{Timeout: time.Minute})
		s := (&module.Stasher{Dir: "no/such/folder", Memory: 1}).New()
		i := g.Begin(t.Context(), &module.Message{Stash: s})
		synctest.Wait()
		_, err := s.Write([]byte("abc"))
		if err == nil {
			t.Fatal("written")
		}
		wants(t, "later", i.Wait(), err)
		wants(t, "known", immediate(t, g.Begin(t.Context(), &module.Message{Stash: s})), err)
		check(t, g, "unknown", "closed", 0, 0)
	})
}

func TestGuardPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := guard(&fake{inspect: func(context.Context, *module.Message) (module.Finding, error) { panic("ouch") }}, module.Limits{Parallel: 1})
		for range 2 {
			r := g.Begin(t.Context(), message(t, 1)).Wait()
			var p *module.PanicError
			if !errors.As(r.Err, &p) || p.Value != "ouch" || !strings.Contains(string(p.Stack), "TestGuardPanic") {
				t.Errorf("%v", r.Err)
			}
		}
		check(t, g, "away", "closed", 0, 2)
	})
}

func TestGuardClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open := atomic.Bool{}
		open.Store(true)
		f := &fake{
			inspect: func(context.Context, *module.Message) (module.Finding, error) {
				time.Sleep(time.Second)
				if !open.Load() {
					t.Error("closed under an inspection")
				}
				return module.Finding{}, nil
			},
			close: func() error { open.Store(false); return errRefused },
		}
		g := guard(f, module.Limits{Timeout: time.Minute, Parallel: 1})
		first, second := g.Begin(t.Context(), message(t, 1)), g.Begin(t.Context(), message(t, 1))
		if err := g.Close(); !errors.Is(err, errRefused) {
			t.Error(err)
		}
		wants(t, "first", immediate(t, first), nil)
		wants(t, "second", immediate(t, second), nil)
		wants(t, "after", immediate(t, g.Begin(t.Context(), message(t, 1))), module.ErrAway)
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What was never tried can be canceled too.
func TestGuardCancelUntried(t *testing.T) {
	t.Parallel()
	g := guard(&fake{}, module.Limits{MaxSize: 1})
	i := g.Begin(t.Context(), message(t, 2))
	i.Cancel()
	wants(t, "untried", i.Wait(), module.ErrOversize)
	f := &fake{}
	g = guard(f, module.Limits{})
	wants(t, "caller gone before", g.Begin(canceled(t), message(t, 2)).Wait(), module.ErrAborted)
	if f.calls.Load() != 0 {
		t.Error("inspected for nobody")
	}
}

func BenchmarkGuard(b *testing.B) {
	g := guard(&fake{inspect: whole}, module.Limits{Timeout: time.Minute, Parallel: 10, MaxSize: 1 << 20})
	m := message(b, 10<<10)
	b.ReportAllocs()
	for b.Loop() {
		if r := g.Begin(b.Context(), m).Wait(); r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}
