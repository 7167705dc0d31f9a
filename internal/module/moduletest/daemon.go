package moduletest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// Begun is a message of which a part has come.
func Begun(t testing.TB, text string) *module.Message {
	t.Helper()
	stash := (&module.Stasher{Dir: t.TempDir(), Memory: 64 << 10}).New()
	t.Cleanup(func() {
		if err := stash.Close(); err != nil {
			t.Error(err)
		}
	})
	m := &module.Message{Stash: stash}
	Write(t, m, text)
	return m
}

// Write is a further part of a message.
func Write(t testing.TB, m *module.Message, text string) {
	t.Helper()
	if _, err := io.WriteString(m.Stash, text); err != nil {
		t.Error(err)
	}
}

// whole is a message that has come to its end.
func whole(t testing.TB, text string) *module.Message {
	t.Helper()
	m := Begun(t, text)
	m.Stash.End()
	return m
}

// Daemon is a real service.
type Daemon interface {
	Start() error
	Stop() error
	Kill() error
	Freeze() error
	Thaw() error
}

// Survives freezes, kills, stops and starts the service of an inspector, which
// fails in time while it is gone and works as soon as it is back. Good tells
// whether a finding is that of the message.
func Survives(t *testing.T, i module.Inspector, d Daemon, message string, good func(module.Finding) bool) {
	t.Helper()
	works := func(when string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if f, err := i.Inspect(ctx, whole(t, message)); err != nil || !good(f) {
			t.Errorf("%s: %+v, %v", when, f, err)
		}
		if err := i.Ping(ctx); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	fails := func(when string, want error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if f, err := i.Inspect(ctx, whole(t, message)); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", when, f, err)
		}
		if err := i.Ping(ctx); err == nil {
			t.Errorf("%s: a ping is answered", when)
		}
	}
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	works("at first")
	step(d.Freeze())
	fails("frozen", context.DeadlineExceeded)
	step(d.Thaw())
	works("thawed")
	step(d.Kill())
	fails("killed", nil)
	step(d.Start())
	works("restarted")
	step(d.Stop())
	fails("stopped", nil)
	step(d.Start())
	works("started again")
}
