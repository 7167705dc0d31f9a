package rspamd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/moduletest"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// A message is at rspamd while it is still being written, from a file where it
// is large; one that is given up has no finding.
func TestInspect(t *testing.T) {
	t.Parallel()
	i := inspector(t, Settings{URL: daemon.URL, Headers: true})
	body := strings.Repeat("hello\r\n", 100_000)
	first := "Subject: " + harness.LotteryWord + "\r\n\r\n"
	m := moduletest.Begun(t, first)
	go func() {
		moduletest.Write(t, m, body)
		moduletest.Write(t, m, body)
		m.Stash.End()
	}()
	f, err := i.Inspect(limit(t), m)
	size := module.Addition{Field: mail.Field{Name: "X-Told-size", Value: fmt.Sprint(" ", len(first)+2*len(body))}}
	if err != nil || !slices.Contains(f.Symbols, harness.LotterySymbol) || !slices.Contains(f.Add, size) {
		t.Errorf("%+v, %v; want %+v", f, err, size)
	}
	m = moduletest.Begun(t, subject("x"))
	go m.Stash.Close()
	if f, err := i.Inspect(limit(t), m); !errors.Is(err, module.ErrAborted) {
		t.Errorf("%+v, %v", f, err)
	}
	m = moduletest.Begun(t, subject("x"))
	ctx, cancel := context.WithCancel(limit(t))
	go cancel()
	if f, err := i.Inspect(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", f, err)
	}
}
