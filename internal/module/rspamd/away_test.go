package rspamd

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// The answer is about the whole of a message or there is none.
func TestMessageGivenUp(t *testing.T) {
	t.Parallel()
	i := inspector(t, Config{URL: daemon.URL})
	f, err := i.inspect(limit(t), &module.Envelope{}, func(context.Context) io.Reader {
		return io.MultiReader(strings.NewReader(subject("x")), broken{})
	})
	if !errors.Is(err, module.ErrAborted) {
		t.Errorf("%+v, %v", f, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if f, err := i.inspect(ctx, &module.Envelope{}, stalled); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v, %v", f, err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, module.ErrAborted }

func TestFrozenStoppedRestarted(t *testing.T) {
	t.Parallel()
	d, err := box.Rspamd(harness.RspamdConfig{})
	if err != nil {
		t.Fatal(err)
	}
	i := inspector(t, Config{URL: d.URL})
	works := func(when string) {
		t.Helper()
		f, err := i.inspect(limit(t), &module.Envelope{}, message(subject(harness.LotteryWord)))
		if err != nil || !slices.Contains(f.Symbols, harness.LotterySymbol) {
			t.Errorf("%s: %+v, %v", when, f, err)
		}
		if err := i.Ping(limit(t)); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	fails := func(when string, want error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if f, err := i.inspect(ctx, &module.Envelope{}, message(subject("x"))); err == nil || want != nil && !errors.Is(err, want) {
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
