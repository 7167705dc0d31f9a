package clamav

import (
	"errors"
	"io"
	"net"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// write appends to a stash; it may run beside the test.
func write(t testing.TB, stash *module.Stash, text string) {
	t.Helper()
	if _, err := io.WriteString(stash, text); err != nil {
		t.Error(err)
	}
}

// What is written is at clamd before the message is complete.
func TestInspectWhileItArrives(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	s := serve(t, func(conn net.Conn) {
		if _, err := io.CopyN(io.Discard, conn, 1000); err != nil {
			t.Error(err)
		}
		close(begun)
		untilClosed(conn)
	})
	stash := (&module.Stasher{}).New()
	write(t, stash, strings.Repeat("x", 2000))
	result := make(chan error, 1)
	go func() {
		_, err := s.Inspect(t.Context(), &module.Message{Stash: stash})
		result <- err
	}()
	<-begun
	// Given up in the middle, it is neither clean nor waited for.
	if err := stash.Close(); err != nil {
		t.Error(err)
	}
	if err := <-result; !errors.Is(err, module.ErrAborted) {
		t.Error(err)
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	s := scanners(t, daemon)["unix"]
	text := strings.ReplaceAll(infectedForms(t)["nested in base64"], "\n", "\r\n")
	for _, c := range []struct{ text, virus string }{{text, harness.Virus}, {"Subject: x\r\n\r\nhello\r\n", ""}} {
		stash := (&module.Stasher{}).New()
		go func() {
			for i := range len(c.text) {
				write(t, stash, c.text[i:i+1])
			}
			stash.End()
		}()
		finding, err := s.Inspect(limit(t), &module.Message{Stash: stash})
		if finding.Virus != c.virus || err != nil {
			t.Errorf("%q, %v", finding.Virus, err)
		}
		if err := stash.Close(); err != nil {
			t.Error(err)
		}
	}
}

// 50 messages of 5 MB at once, every other one infected at its end.
func TestMany(t *testing.T) {
	t.Parallel()
	const (
		messages = 50
		size     = 5_000_000
		bound    = messages * size / 3
	)
	s := scanners(t, daemon)["unix"]
	stasher := &module.Stasher{Dir: t.TempDir()}
	ctx := limit(t)
	var memory watermark
	var all sync.WaitGroup
	for i := range messages {
		all.Go(func() {
			r := infected(size)
			if i%2 != 0 {
				r = io.LimitReader(r, size/100*99)
			}
			stash := stasher.New()
			all.Go(func() {
				if _, err := io.Copy(stash, io.TeeReader(r, &memory)); err != nil {
					t.Error(err)
				}
				stash.End()
			})
			finding, err := s.Inspect(ctx, &module.Message{Stash: stash})
			if err != nil || (finding.Virus == harness.Virus) != (i%2 == 0) {
				t.Errorf("message %d: %q, %v", i, finding.Virus, err)
			}
			if err := stash.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := memory.most.Load(); n > bound {
		t.Errorf("%d octets in memory", n)
	}
	t.Logf("at most %d octets in memory", memory.most.Load())
}

// watermark looks at the heap with each write.
type watermark struct{ most atomic.Uint64 }

func (w *watermark) Write(p []byte) (int, error) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	n := sample[0].Value.Uint64()
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
	return len(p), nil
}
