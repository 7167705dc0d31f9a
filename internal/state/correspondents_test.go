package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func correspondents(t *testing.T) (*fake, *Correspondents) {
	t.Helper()
	f := newFake()
	c, err := NewAccess(f, 0, time.Now).Correspondents(DefaultCorrespondentLife)
	if err != nil {
		t.Fatal(err)
	}
	return f, c
}

func TestWrote(t *testing.T) {
	_, c := correspondents(t)
	if err := c.Remember(t.Context(), "Ivan@Example.org", []string{"bob@bücher.example", "", "Carol7@example.net"}, noon); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		local, remote string
		after         time.Duration
		want          bool
	}{
		{"ivan@example.org", "bob@bücher.example", 0, true},
		{"IVAN@example.org", "Bob@XN--BCHER-KVA.example", 0, true},
		{"ivan@example.org", "prvs=2346ab12cd=bob@xn--bcher-kva.example", 0, true},
		{"ivan@example.org", "carol7@example.net", 0, true},
		{"ivan@example.org", "carol8@example.net", 0, false},
		{"ivan@example.org", "bob@bücher.example", DefaultCorrespondentLife - time.Millisecond, true},
		{"ivan@example.org", "bob@bücher.example", DefaultCorrespondentLife, false},
		{"olga@example.org", "bob@bücher.example", 0, false},
		{"bob@bücher.example", "ivan@example.org", 0, false}, // the other way round
		{"ivan@example.org", "", 0, false},                   // a bounce
		{"", "bob@bücher.example", 0, false},
	} {
		got, err := c.Wrote(t.Context(), test.local, test.remote, noon.Add(test.after))
		if err != nil || got != test.want {
			t.Errorf("%+v: %v %v", test, got, err)
		}
	}
}

func TestRememberMany(t *testing.T) {
	f, c := correspondents(t)
	var remote []string
	for i := range maxRemote + 7 {
		remote = append(remote, fmt.Sprintf("u%d@example.net", i))
	}
	if err := c.Remember(t.Context(), "ivan@example.org", remote, noon); err != nil {
		t.Fatal(err)
	}
	if len(f.pairs) != maxRemote || len(f.batches) != maxRemote/batch || slices.Max(f.batches) != batch {
		t.Error(len(f.pairs), f.batches)
	}
	asked := f.count()
	for _, err := range []error{
		c.Remember(t.Context(), "", remote, noon), c.Remember(t.Context(), "ivan@example.org", nil, noon),
		c.Remember(t.Context(), "ivan@example.org", make([]string, 5), noon),
	} {
		if err != nil || f.count() != asked {
			t.Error(err, f.count())
		}
	}
	if err := c.Remember(t.Context(), "ivan@example.org", remote, time.Time{}); !errors.Is(err, ErrClock) {
		t.Error(err)
	}
	if _, err := c.Wrote(t.Context(), "ivan@example.org", "u1@example.net", time.Time{}); !errors.Is(err, ErrClock) {
		t.Error(err)
	}
}

// A store that hangs ends it at the first batch.
func TestRememberAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, c := correspondents(t)
		f.set(true, nil)
		start := time.Now()
		if err := c.Remember(t.Context(), "ivan@example.org", slices.Repeat([]string{"u1@example.net"}, maxRemote), noon); !errors.Is(err, ErrAway) {
			t.Error(err)
		}
		if _, err := c.Wrote(context.Background(), "ivan@example.org", "u1@example.net", noon); !errors.Is(err, ErrAway) {
			t.Error(err)
		}
		if took := time.Since(start); took != DefaultTimeout || f.count() != 1 {
			t.Error(took, f.count())
		}
	})
}

func TestCorrespondentLife(t *testing.T) {
	for _, life := range []time.Duration{0, -1, time.Microsecond, maxLife + time.Millisecond} {
		if _, err := NewAccess(newFake(), 0, time.Now).Correspondents(life); err == nil {
			t.Error(life)
		}
	}
}
