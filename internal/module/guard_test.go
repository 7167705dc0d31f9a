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

// errRefused is that of a service that nobody listens for.
var errRefused error = refused{}

type refused struct{}

func (refused) Error() string        { return "connection refused" }
func (refused) Is(target error) bool { return target == module.ErrUnreachable }

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
	return module.NewGuard("av", f, l, time.Now)
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
		check(t, g, "degraded", "closed", 0, 2)
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
