package budget

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"testing/iotest"
)

func TestCharge(t *testing.T) {
	for name, charge := range map[string]func(*Budget, int) error{"steps": (*Budget).Charge, "octets": (*Budget).Octets} {
		b := New(context.Background(), 10, 10)
		if err := charge(b, 10); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := charge(b, 1); !errors.Is(err, ErrSpent) {
			t.Errorf("%s: %v", name, err)
		}
		if err := charge(b, 0); !errors.Is(err, ErrSpent) {
			t.Errorf("%s: an error is not forgotten, %v", name, err)
		}
		if !errors.Is(b.Err(), ErrSpent) {
			t.Errorf("%s: %v", name, b.Err())
		}
	}
}

// A number of steps that an input names may be any.
func TestChargeWithoutOverflow(t *testing.T) {
	for _, n := range []int{math.MaxInt, math.MinInt, -1} {
		b := New(context.Background(), 10, math.MaxInt64)
		_ = b.Charge(1)
		if err := b.Charge(n); !errors.Is(err, ErrSpent) {
			t.Errorf("%d: %v", n, err)
		}
	}
	if Allowance(math.MaxInt64) < 0 || Allowance(-1) != Allowance(0) || Allowance(1) != 64+64<<10 {
		t.Error(Allowance(math.MaxInt64), Allowance(-1), Allowance(1))
	}
}

// Whatever is charged, a context that has ended is noticed within 64 Ki.
func TestCancelled(t *testing.T) {
	for _, one := range []int{1, 7, 1000, 64 << 10} {
		ctx, cancel := context.WithCancel(context.Background())
		b := New(ctx, math.MaxInt64, math.MaxInt64)
		if err := b.Charge(1); err != nil {
			t.Fatal(err)
		}
		cancel()
		charged := 0
		for b.Charge(one) == nil && b.Octets(one) == nil {
			charged += 2 * one
		}
		if charged > 64<<10 || !errors.Is(b.Err(), context.Canceled) {
			t.Errorf("by %d: %d, %v", one, charged, b.Err())
		}
	}
}

func TestProportional(t *testing.T) {
	b := Proportional(context.Background(), 1000)
	if err := b.Octets(100); err != nil {
		t.Fatal(err)
	}
	if err := b.Charge(100*64 + 64<<10); err != nil {
		t.Error(err)
	}
	if err := b.Charge(1); !errors.Is(err, ErrSpent) {
		t.Error(err)
	}
	b = Proportional(context.Background(), 1000)
	if err := b.Octets(1001); !errors.Is(err, ErrSpent) {
		t.Error(err)
	}
}

func TestReader(t *testing.T) {
	b := New(context.Background(), 0, 100_000)
	n, err := io.Copy(io.Discard, b.Reader(zeros{}))
	if n != 100_000 || !errors.Is(err, ErrSpent) {
		t.Errorf("%d, %v", n, err)
	}
	if _, octets := b.Spent(); octets != 100_000 {
		t.Errorf("%d octets", octets)
	}
	b = New(context.Background(), 0, 100_000)
	if n, err := io.Copy(io.Discard, b.Reader(io.LimitReader(zeros{}, 100_000))); n != 100_000 || err != nil {
		t.Errorf("what fits exactly: %d, %v", n, err)
	}
	b = New(context.Background(), 0, 10)
	broken := errors.New("broken")
	if _, err := b.Reader(iotest.ErrReader(broken)).Read(make([]byte, 1)); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(ctx, 1, 1).Reader(zeros{}).Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAllocations(t *testing.T) {
	b := New(context.Background(), math.MaxInt64, math.MaxInt64)
	if n := testing.AllocsPerRun(100, func() { _ = b.Charge(1); _ = b.Octets(1 << 20) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A piece has its own bound; what it takes is taken of the whole, whose end is the
// end of the piece, and not the other way about.
func TestWithin(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	whole := New(ctx, 10, 10)
	first := whole.Within(4)
	if err := errors.Join(first.Charge(4), first.Octets(3)); err != nil {
		t.Fatal(err)
	}
	if err := first.Charge(1); !errors.Is(err, ErrSpent) || whole.Err() != nil {
		t.Errorf("%v, %v", err, whole.Err())
	}
	if steps, octets := whole.Spent(); steps != 4 || octets != 3 {
		t.Errorf("%d steps, %d octets", steps, octets)
	}
	second := whole.Within(100)
	if err := second.Charge(7); !errors.Is(err, ErrSpent) || !errors.Is(whole.Err(), ErrSpent) {
		t.Errorf("%v, %v", err, whole.Err())
	}
	third := New(ctx, 10, 10).Within(10)
	cancel()
	if err := third.Err(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if nothing := (*Budget)(nil).Within(1); nothing.Charge(2) != nil {
		t.Error("a nil budget bounds nothing")
	}
}
