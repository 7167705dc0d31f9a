package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
)

func TestClaim(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	ctx := t.Context()
	first := accounting.Claim{Gateway: "mx1", Instance: "A", Place: "host-a:/var/lib/tollgate"}
	second := accounting.Claim{Gateway: "mx1", Instance: "B", Place: "host-b:/var/lib/tollgate"}
	claim := func(c accounting.Claim, want error) {
		t.Helper()
		if err := s.Claim(ctx, c); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", c, err, want)
		} else if want != nil && !strings.Contains(err.Error(), `gateway "mx1": another gateway of this name uses the same store: it runs at host-a`) {
			t.Error(err)
		}
	}
	claim(first, nil)
	claim(first, nil) // renewed, or started anew
	claim(second, accounting.ErrClaimed)
	claim(accounting.Claim{Gateway: "mx2", Instance: "B"}, nil)
	if err := s.Unclaim(ctx, second); err != nil {
		t.Error(err)
	}
	claim(second, accounting.ErrClaimed)
	if err := s.Unclaim(ctx, first); err != nil {
		t.Error(err)
	}
	claim(second, nil)
	// One that is not heard of any more.
	if err := s.db.PExpire(ctx, "tg:{c:_gw:mx1}:claim", 0).Err(); err != nil {
		t.Fatal(err)
	}
	claim(first, nil)
	claim(second, accounting.ErrClaimed)
	if ttl := s.db.PTTL(ctx, "tg:{c:_gw:mx1}:claim").Val(); ttl <= 0 || ttl > accounting.ClaimLife {
		t.Error(ttl)
	}
	if err := s.db.HSet(ctx, "tg:{c:_gw:mx4}:claim", "x", "y").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Claim(ctx, accounting.Claim{Gateway: "mx4", Instance: "C"}); err == nil || !strings.Contains(err.Error(), "tg:{c:_gw:mx4}:claim: redis store: a key of another type") {
		t.Error(err)
	}
}
