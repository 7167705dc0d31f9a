package dnscheck

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2)
		first, p1, err := l.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		second, p2, err := l.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		entered := make(chan *permit)
		go func() {
			_, p, err := l.enter(t.Context())
			if err != nil {
				t.Error(err)
			}
			entered <- p
		}()
		<-first.Done()
		if d := time.Since(start); d != grace-time.Millisecond {
			t.Errorf("the first has to go after %v", d)
		}
		if !errors.Is(context.Cause(first), errBusy) {
			t.Error(context.Cause(first))
		}
		synctest.Wait()
		if running, waiting, _, _ := l.load(); running != 2 || waiting != 1 {
			t.Errorf("%d run and %d wait before the first has gone", running, waiting)
		}
		p1.leave()
		p3 := <-entered
		// Nobody waits any more: the second stays.
		time.Sleep(time.Hour)
		if second.Err() != nil {
			t.Error("the second had to go for nobody")
		}
		p2.leave()
		p3.leave()
		if running, waiting, most, evicted := l.load(); running != 0 || waiting != 0 || most != 2 || evicted != 1 || l.leaving != 0 {
			t.Error(running, waiting, most, evicted, l.leaving)
		}
	})
}

// Who gives up waiting takes no place, and too many do not even wait.
func TestLimiterWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		_, p, err := l.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), grace/2)
		defer cancel()
		ended := make(chan error)
		for range l.maxWaiting {
			go func() {
				_, _, err := l.enter(ctx)
				ended <- err
			}()
		}
		synctest.Wait()
		if _, _, err := l.enter(t.Context()); !errors.Is(err, errBusy) {
			t.Error(err)
		}
		for range l.maxWaiting {
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		time.Sleep(time.Hour)
		p.leave()
		if running, waiting, _, evicted := l.load(); running != 0 || waiting != 0 || evicted != 0 {
			t.Error(running, waiting, evicted)
		}
	})
}
