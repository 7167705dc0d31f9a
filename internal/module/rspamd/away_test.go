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
	"github.com/tollgate-mail/tollgate/internal/module/moduletest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// The answer is about the whole of a message or there is none.
func TestMessageGivenUp(t *testing.T) {
	t.Parallel()
	i := inspector(t, Settings{URL: daemon.URL})
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
	i := inspector(t, Settings{URL: d.URL})
	moduletest.Survives(t, i, d, subject(harness.LotteryWord), func(f module.Finding) bool {
		return slices.Contains(f.Symbols, harness.LotterySymbol)
	})
}
