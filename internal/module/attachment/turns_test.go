package attachment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
	"github.com/tollgate-mail/tollgate/internal/budget"
)

// dearMail unpacks to many times its length.
func dearMail(t testing.TB) []byte {
	t.Helper()
	const unpacked = 48 << 20
	return archivetest.Attached("a.tgz", archivetest.GzipOf(t, "a.tar", make([]byte, unpacked)))
}

// While somebody else has the only place, what is cheap is inspected and what is
// dear waits.
func TestDearTakesTurns(t *testing.T) {
	turns := budget.NewTurns(1)
	other := budget.New(t.Context(), math.MaxInt64, math.MaxInt64)
	defer other.Share(turns.In(t.Context(), "other"))()
	for range 1 << 10 {
		if err := other.Charge(1 << 10); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(turns.In(t.Context(), "client"))
	defer cancel()
	waits := make(chan error)
	go func() {
		_, err := New(Settings{Archives: true}).inspect(ctx, bytes.NewReader(dearMail(t)))
		waits <- err
	}()
	if _, err := New(Settings{Archives: true}).inspect(ctx, bytes.NewReader(archivetest.Attached("a.zip", archivetest.ZipOf(t, "a.txt")))); err != nil {
		t.Error(err)
	}
	select {
	case err := <-waits:
		t.Errorf("what is dear did not wait: %v", err)
	default:
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// BenchmarkBeside tells what one short message and eight turns of a conversation
// take, in the middle and of nine in ten at most, beside four clients who send what
// is dear as fast as they can, with and without turns.
func BenchmarkBeside(b *testing.B) {
	dear, cheap := dearMail(b), archivetest.Attached("a.zip", archivetest.ZipOf(b, "a.txt"))
	for _, name := range []string{"as they come", "by turns"} {
		b.Run(name, func(b *testing.B) {
			turns := budget.NewTurns(1)
			in := func(ctx context.Context, client string) context.Context {
				if name == "by turns" {
					return turns.In(ctx, client)
				}
				return ctx
			}
			ctx, cancel := context.WithCancel(b.Context())
			var all sync.WaitGroup
			for n := range 4 {
				all.Go(func() {
					for ctx.Err() == nil {
						_, _ = New(Settings{Archives: true}).inspect(in(ctx, fmt.Sprint(n)), bytes.NewReader(dear))
					}
				})
			}
			near, far := net.Pipe()
			all.Go(func() { _, _ = io.Copy(far, far) })
			var took []float64
			for b.Loop() {
				time.Sleep(5 * time.Millisecond) // mail comes from outside, not back to back
				began := time.Now()
				for range 8 {
					if _, err := near.Write([]byte("x")); err != nil {
						b.Fatal(err)
					}
					if _, err := near.Read(make([]byte, 1)); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := New(Settings{Archives: true}).inspect(in(ctx, "other"), bytes.NewReader(cheap)); err != nil {
					b.Fatal(err)
				}
				took = append(took, float64(time.Since(began))/float64(time.Millisecond))
			}
			cancel()
			_ = near.Close()
			_ = far.Close()
			all.Wait()
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "median-ms")
			b.ReportMetric(took[len(took)*9/10], "90%-ms")
		})
	}
}
