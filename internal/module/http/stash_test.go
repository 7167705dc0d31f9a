package http

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/moduletest"
)

// The service has a message while it is still being written, from a file where
// it is large; one that is given up has no finding.
func TestInspectStash(t *testing.T) {
	t.Parallel()
	const first = "Subject: x\r\n\r\n"
	rest := strings.Repeat("hello\r\n", 100_000)
	begun := make(chan struct{}, 1)
	i := serve(t, func(w http.ResponseWriter, r *http.Request) {
		start := make([]byte, len(first))
		if _, err := io.ReadFull(r.Body, start); err != nil || string(start) != first {
			t.Errorf("%q, %v", start, err)
		}
		begun <- struct{}{}
		body, err := io.ReadAll(r.Body)
		if err == nil && string(body) == rest {
			io.WriteString(w, `{"score": 1}`)
		}
	})
	m := moduletest.Begun(t, first)
	go func() {
		<-begun
		moduletest.Write(t, m, rest)
		m.Stash.End()
	}()
	f, err := i.Inspect(limit(t), m)
	same(t, "whole", f, module.Finding{Score: 1000}, err)
	m = moduletest.Begun(t, first)
	go func() { <-begun; m.Stash.Close() }()
	if f, err := i.Inspect(limit(t), m); !errors.Is(err, module.ErrAborted) {
		t.Errorf("%+v, %v", f, err)
	}
	m = moduletest.Begun(t, first)
	ctx, cancel := context.WithCancel(limit(t))
	go func() { <-begun; cancel() }()
	if f, err := i.Inspect(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", f, err)
	}
}
