package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func bounded(t *testing.T) (*fake, *Access, func(ctx context.Context) error) {
	t.Helper()
	f := newFake()
	g := NewAccess(f, 0, time.Now)
	list, err := g.Greylist(DefaultGreylist())
	if err != nil {
		t.Fatal(err)
	}
	return f, g, func(ctx context.Context) error {
		_, err := list.Check(ctx, addr("192.0.2.1"), "a@example.com", "b@example.org", time.Now())
		return err
	}
}

// A store that hangs costs one time-out in a while, whoever asks.
func TestAccessHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, check := bounded(t)
		f.set(true, nil)
		start := time.Now()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := check(t.Context()); !errors.Is(err, ErrAway) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != DefaultTimeout {
			t.Fatal(took)
		}
		// What came together failed once: the pause is the first.
		start = time.Now()
		for range 1000 {
			if err := check(t.Context()); !errors.Is(err, ErrAway) {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 || f.count() != 50 {
			t.Fatal(took, f.count())
		}
		if s := g.Status(); !s.Away || s.Error == "" || s.Asked != 1050 || s.Failed != 1050 || s.Since == "" {
			t.Fatalf("%+v", s)
		}
		// Each pause is twice as long as the one before.
		asked := f.count()
		var waits []time.Duration
		last := time.Now()
		for len(waits) < 6 {
			time.Sleep(100 * time.Millisecond)
			_ = check(t.Context()) // it hangs still
			if n := f.count(); n > asked {
				waits = append(waits, time.Since(last).Round(time.Second))
				asked, last = n, time.Now()
			}
		}
		if got := fmt.Sprint(waits); got != "[2s 3s 5s 9s 17s 17s]" { // with its own half second
			t.Error(got)
		}
		f.set(false, nil)
		time.Sleep(maxPause)
		for range 3 {
			if err := check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s := g.Status(); s.Away || s.Error != "" || s.Kind != "fake" {
			t.Fatalf("%+v", s)
		}
	})
}

// One finds out; the others do not wait for it.
func TestAccessOneProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, check := bounded(t)
		f.set(true, nil)
		if err := check(t.Context()); !errors.Is(err, ErrAway) {
			t.Fatal(err)
		}
		time.Sleep(firstPause)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _ = check(t.Context()) })
		}
		wg.Wait()
		if n := f.count(); n != 2 {
			t.Fatal(n)
		}
	})
}

// An answer, even an error, is no reason to leave the store alone.
func TestAccessAnswers(t *testing.T) {
	f, g, check := bounded(t)
	wrong := errors.New("wrong type")
	f.set(false, wrong)
	for range 5 {
		if err := check(t.Context()); !errors.Is(err, wrong) || errors.Is(err, ErrAway) {
			t.Fatal(err)
		}
	}
	if s := g.Status(); s.Away || f.count() != 5 || s.Failed != 5 || s.Error != "wrong type" {
		t.Fatalf("%+v", s)
	}
}

// A session that ends says nothing about the store, and gives its turn back.
func TestAccessCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, g, check := bounded(t)
		f.set(true, nil)
		for _, away := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if err := check(ctx); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if s := g.Status(); s.Away != away {
				t.Fatalf("%+v", s)
			}
			if !away { // then as the one who finds out
				_ = check(t.Context()) // it hangs
				time.Sleep(firstPause)
			}
		}
		f.set(false, nil)
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAccessPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, check := bounded(t)
		f.set(true, nil)
		_ = check(t.Context()) // it hangs
		time.Sleep(firstPause)
		f.panics = true
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			_ = check(t.Context()) // it panics
		}()
		f.panics = false
		f.set(false, nil)
		time.Sleep(firstPause)
		if err := check(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
