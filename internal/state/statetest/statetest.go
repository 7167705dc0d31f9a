// Package statetest is what every state.Store must do, as tests.
package statetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/state"
)

// Open opens the store, or opens it once more: again after it was closed or,
// where several may share it, beside the one that is open.
type Open func(t *testing.T) state.Store

// Run runs the suite; fresh gives each test a place of its own. Stores that
// have a clock of their own are opened with one that stands at Now.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"Triplets":      testTriplets,
		"AutoWhitelist": testAutoWhitelist,
		"Lapses":        testLapses,
		"WrongClocks":   testWrongClocks,
		"Pairs":         testPairs,
		"Many":          testMany,
		"Race":          testRace,
		"RaceNetwork":   testRaceNetwork,
		"Reopen":        testReopen,
		"Cancelled":     testCancelled,
		"AgainstModel":  testAgainstModel,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

// Now is the time in the suite.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Terms are the contract's.
func Terms() state.Terms { return state.DefaultGreylist().Terms }

// Network is one of many.
func Network(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 0}), 24)
}

// Try is a try of a network's triplet.
func Try(network, triplet int, at time.Time, terms state.Terms) state.Try {
	t := state.Try{Network: Network(network), Now: at, Terms: terms}
	copy(t.Triplet[:], fmt.Sprintf("%d/%d", network, triplet))
	return t
}

func open(t *testing.T, o Open) state.Store {
	t.Helper()
	s := o(t)
	t.Cleanup(func() { s.Close() })
	return s
}

func try(t testing.TB, s state.Store, try state.Try) state.Answer {
	t.Helper()
	a, err := s.Try(t.Context(), try)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const (
	ms  = time.Millisecond
	day = 24 * time.Hour
)

func testTriplets(t *testing.T, o Open) {
	s := open(t, o)
	terms := Terms()
	terms.AutoWhitelist = 0
	type step struct {
		after time.Duration // the step before
		want  state.Reason
		wait  time.Duration
	}
	for i, steps := range [][]step{
		{{0, state.New, 5 * time.Minute}, {5*time.Minute - ms, state.Early, ms}, {ms, state.Retried, 0}, {0, state.Known, 0}},
		// What comes early does not start the delay again.
		{{0, state.New, 5 * time.Minute}, {time.Minute, state.Early, 4 * time.Minute}, {time.Minute, state.Early, 3 * time.Minute},
			{time.Minute, state.Early, 2 * time.Minute}, {2 * time.Minute, state.Retried, 0}},
		{{0, state.New, 5 * time.Minute}, {2*day - ms, state.Retried, 0}},
		{{0, state.New, 5 * time.Minute}, {2 * day, state.New, 5 * time.Minute}, {5 * time.Minute, state.Retried, 0}},
		// The window counts from the first try, not from the last.
		{{0, state.New, 5 * time.Minute}, {time.Minute, state.Early, 4 * time.Minute}, {2*day - time.Minute, state.New, 5 * time.Minute}},
		// Each use prolongs its life.
		{{0, state.New, 5 * time.Minute}, {time.Hour, state.Retried, 0}, {36*day - ms, state.Known, 0}, {36*day - ms, state.Known, 0},
			{36 * day, state.New, 5 * time.Minute}, {0, state.Early, 5 * time.Minute}},
	} {
		at := Now
		for k, step := range steps {
			at = at.Add(step.after)
			got := try(t, s, Try(0, i, at, terms))
			if want := (state.Answer{Pass: step.wait == 0, Wait: step.wait, Reason: step.want}); got != want {
				t.Fatalf("sequence %d, step %d: %+v, want %+v", i, k, got, want)
			}
		}
	}
}

// pass has a triplet pass at the time.
func pass(t *testing.T, s state.Store, network, triplet int, at time.Time, terms state.Terms) {
	t.Helper()
	try(t, s, Try(network, triplet, at.Add(-terms.Delay), terms))
	if a := try(t, s, Try(network, triplet, at, terms)); a.Reason != state.Retried {
		t.Fatalf("triplet %d of network %d: %+v", triplet, network, a)
	}
}

func reason(t *testing.T, s state.Store, try state.Try, want state.Reason) {
	t.Helper()
	a, err := s.Try(t.Context(), try)
	if err != nil {
		t.Fatal(err)
	}
	if a.Reason != want {
		t.Fatalf("%+v, want %s", a, want)
	}
}

func testAutoWhitelist(t *testing.T, o Open) {
	s := open(t, o)
	terms := Terms()
	for i := range 4 {
		pass(t, s, 1, i, Now.Add(time.Duration(i)*time.Hour), terms)
	}
	// The same triplet counts once.
	for range 3 {
		reason(t, s, Try(1, 0, Now.Add(5*time.Hour), terms), state.Known)
	}
	reason(t, s, Try(1, 100, Now.Add(6*time.Hour), terms), state.New)
	pass(t, s, 1, 4, Now.Add(7*time.Hour), terms)
	reason(t, s, Try(1, 101, Now.Add(8*time.Hour), terms), state.AutoWhitelisted)
	reason(t, s, Try(1, 100, Now.Add(8*time.Hour), terms), state.AutoWhitelisted)
	reason(t, s, Try(1, 0, Now.Add(8*time.Hour), terms), state.AutoWhitelisted)
	reason(t, s, Try(2, 0, Now.Add(8*time.Hour), terms), state.New)
	// More are asked for now, or less, or it is off.
	terms.AutoWhitelist = 6
	reason(t, s, Try(1, 102, Now.Add(9*time.Hour), terms), state.New)
	terms.AutoWhitelist = 3
	reason(t, s, Try(1, 103, Now.Add(9*time.Hour), terms), state.AutoWhitelisted)
	terms.AutoWhitelist = 0
	reason(t, s, Try(1, 104, Now.Add(9*time.Hour), terms), state.New)
}

// A network is on the white list as long as something of it passes.
func testLapses(t *testing.T, o Open) {
	s := open(t, o)
	terms := Terms()
	terms.AutoWhitelist = 2
	pass(t, s, 1, 0, Now, terms)
	pass(t, s, 1, 1, Now.Add(day), terms)
	at := Now.Add(day + 36*day - ms)
	reason(t, s, Try(1, 2, at, terms), state.AutoWhitelisted)
	at = at.Add(36*day - ms)
	reason(t, s, Try(1, 3, at, terms), state.AutoWhitelisted)
	at = at.Add(36 * day)
	reason(t, s, Try(1, 4, at, terms), state.New)
	// What passed before the lapse does not count again.
	pass(t, s, 1, 5, at.Add(day), terms)
	reason(t, s, Try(1, 6, at.Add(2*day), terms), state.New)
	pass(t, s, 1, 7, at.Add(3*day), terms)
	reason(t, s, Try(1, 8, at.Add(3*day), terms), state.AutoWhitelisted)
}

// A gateway whose clock was a year ahead must not lock mail out, nor let it
// pass, for a year.
func testWrongClocks(t *testing.T, o Open) {
	s := open(t, o)
	terms := Terms()
	terms.AutoWhitelist = 1
	ahead := Now.Add(365 * day)
	try(t, s, Try(1, 0, ahead, terms))
	reason(t, s, Try(1, 0, Now, terms), state.Early)
	if a := try(t, s, Try(1, 0, Now.Add(time.Minute), terms)); a.Wait != 4*time.Minute {
		t.Fatalf("%+v", a)
	}
	reason(t, s, Try(1, 0, Now.Add(5*time.Minute), terms), state.Retried)

	pass(t, s, 2, 0, ahead, terms)
	reason(t, s, Try(2, 1, Now, terms), state.AutoWhitelisted)
	reason(t, s, Try(2, 1, Now.Add(36*day), terms), state.New)

	terms.AutoWhitelist = 0
	pass(t, s, 3, 0, ahead, terms)
	reason(t, s, Try(3, 0, Now, terms), state.Known)
	reason(t, s, Try(3, 0, Now.Add(36*day), terms), state.New)
}

func testPairs(t *testing.T, o Open) {
	s := open(t, o)
	const life = 90 * day
	a, b := state.ID{1}, state.ID{2}
	remember := func(at time.Time, ids ...state.ID) {
		t.Helper()
		if err := s.Remember(t.Context(), ids, at, life); err != nil {
			t.Fatal(err)
		}
	}
	remembered := func(id state.ID, at time.Time, want bool) {
		t.Helper()
		got, err := s.Remembered(t.Context(), id, at, life)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("%v at %v: %v", id, at, got)
		}
	}
	remembered(a, Now, false)
	remember(Now)
	remember(Now, a, a)
	remembered(a, Now, true)
	remembered(a, Now.Add(-time.Minute), true) // another gateway's clock
	remembered(b, Now, false)
	remembered(a, Now.Add(life-ms), true)
	remembered(a, Now.Add(life), false)
	remember(Now.Add(day), b, a)
	remembered(a, Now.Add(life), true)
	remembered(b, Now.Add(day+life), false)
	// A triplet of the same ID is something else.
	terms := Terms()
	terms.AutoWhitelist = 0
	reason(t, s, state.Try{Network: Network(1), Triplet: a, Now: Now, Terms: terms}, state.New)
	remembered(a, Now.Add(life), true)
}

func testMany(t *testing.T, o Open) {
	s := open(t, o)
	ids := make([]state.ID, 10_000)
	for i := range ids {
		copy(ids[i][:], fmt.Sprint(i))
	}
	if err := s.Remember(t.Context(), ids, Now, day); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(ids); i += 777 {
		if ok, err := s.Remembered(t.Context(), ids[i], Now, day); !ok || err != nil {
			t.Fatal(i, ok, err)
		}
	}
}

func testReopen(t *testing.T, o Open) {
	s := open(t, o)
	terms := Terms()
	terms.AutoWhitelist = 1
	pass(t, s, 1, 0, Now, terms)
	try(t, s, Try(2, 0, Now, terms))
	if err := s.Remember(t.Context(), []state.ID{{7}}, Now, day); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Try(t.Context(), Try(1, 0, Now, terms)); err == nil {
		t.Error("a closed store answers")
	}
	if err := s.Remember(t.Context(), []state.ID{{8}}, Now, day); err == nil {
		t.Error("a closed store takes")
	}
	s = open(t, o)
	reason(t, s, Try(1, 1, Now.Add(time.Hour), terms), state.AutoWhitelisted)
	reason(t, s, Try(2, 0, Now.Add(time.Minute), terms), state.Early)
	reason(t, s, Try(2, 0, Now.Add(time.Hour), terms), state.Retried)
	if ok, err := s.Remembered(t.Context(), state.ID{7}, Now, day); !ok || err != nil {
		t.Error(ok, err)
	}
}

func testCancelled(t *testing.T, o Open) {
	s := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Try(ctx, Try(1, 0, Now, Terms())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.Remember(ctx, []state.ID{{1}}, Now, day); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := s.Remembered(ctx, state.ID{1}, Now, day); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	reason(t, s, Try(1, 0, Now, Terms()), state.New)
}
