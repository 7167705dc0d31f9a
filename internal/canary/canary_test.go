package canary_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/canary"
	"github.com/tollgate-mail/tollgate/internal/gate"
)

func peer(addr, host, resolve string) gate.Peer {
	return gate.Peer{Addr: netip.MustParseAddr(addr), Host: host, Resolve: resolve}
}

// A pool of senders is one site, whatever host of it comes.
func TestSite(t *testing.T) {
	for _, tt := range []struct {
		peer gate.Peer
		want string
	}{
		{peer("192.0.2.7", "mail7.out.example.co.uk", "ok"), "example.co.uk"},
		{peer("192.0.2.8", "MAIL8.example.co.uk.", "ok"), "example.co.uk"},
		{peer("192.0.2.7", "unknown", "fail"), "192.0.2.0/24"},
		{peer("192.0.2.200", "mail.example.com", "forged"), "192.0.2.0/24"},
		{peer("2001:db8::1", "unknown", ""), "2001:db8::/64"},
		{peer("::ffff:192.0.2.1", "unknown", ""), "192.0.2.0/24"},
		{peer("192.0.2.7", "localhost", "ok"), "localhost"},
	} {
		if got := canary.Site(tt.peer); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.peer, got, tt.want)
		}
	}
}

// The share is that of sites, the same after a restart, another with another key.
func TestShare(t *testing.T) {
	dir := t.TempDir()
	s := canary.State{Share: 100, Key: canary.NewKey(), Started: time.Unix(1, 0)}
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := canary.Load(dir)
	if err != nil || !again.Running() {
		t.Fatal(again, err)
	}
	other := s
	other.Key = canary.NewKey()
	n, differ := 0, 0
	for i := range 10_000 {
		p := peer("192.0.2.1", fmt.Sprintf("mx.site%d.example", i), "ok")
		if s.Chosen(p) {
			n++
		}
		if s.Chosen(p) != again.Chosen(p) {
			t.Fatal("chosen otherwise after a restart")
		}
		if s.Chosen(p) != other.Chosen(p) {
			differ++
		}
	}
	if n < 800 || n > 1200 || differ == 0 {
		t.Errorf("%d of 10,000, %d otherwise with another key", n, differ)
	}
	if s.Share = 1000; !s.Chosen(peer("192.0.2.1", "unknown", "")) {
		t.Error("100 % leave somebody out")
	}
	s.Share, s.Networks = 0, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	if !s.Chosen(peer("::ffff:192.0.2.9", "unknown", "")) || s.Chosen(peer("198.51.100.1", "unknown", "")) {
		t.Error("networks")
	}
}

func TestParseShare(t *testing.T) {
	for text, want := range map[string]int{"10%": 100, "0.5 %": 5, "100%": 1000} {
		if got, err := canary.ParseShare(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "10", "0%", "101%", "-1%", "NaN%"} {
		if got, err := canary.ParseShare(text); err == nil {
			t.Errorf("%s: %d", text, got)
		}
	}
}

func TestNames(t *testing.T) {
	s := canary.State{Recipients: []string{"Ivan@Example.org", "@sales.example.org"}}
	for r, want := range map[string]bool{"ivan@example.org": true, "<ivan@EXAMPLE.org>": true, "anna@example.org": false, "x@sales.example.org": true, "x@a.sales.example.org": false} {
		if s.Names(r) != want {
			t.Errorf("%s: %v", r, !want)
		}
	}
}

// A candidate that refuses what the old policy does not is found out within few
// messages, and one that does so as seldom as it may stays.
func TestBand(t *testing.T) {
	ends := func(band int, refuses func(i int) bool) int {
		s := canary.State{Band: band}
		for i := 1; i <= 5000; i++ {
			p := canary.Pair{Candidate: gate.Accepted, Old: gate.Accepted}
			if refuses(i) {
				p.Candidate = gate.Rejected
			}
			if s.Add(p) != "" {
				return i
			}
		}
		return 0
	}
	if n := ends(50, func(int) bool { return true }); n != 3 {
		t.Errorf("all refused: %d", n)
	}
	if n := ends(50, func(i int) bool { return i%4 == 0 }); n == 0 || n > 20 {
		t.Errorf("a quarter refused: %d", n)
	}
	if n := ends(50, func(i int) bool { return i%50 == 0 }); n != 0 {
		t.Errorf("2 %% refused of 5 %%: %d", n)
	}
	if n := ends(50, func(int) bool { return false }); n != 0 {
		t.Errorf("none refused: %d", n)
	}
	s := canary.State{Band: 50}
	for range 100 {
		if why := s.Add(canary.Pair{Candidate: gate.Rejected, Old: gate.Rejected}); why != "" {
			t.Fatal(why)
		}
		if why := s.Add(canary.Pair{Candidate: gate.Aborted, Old: gate.Accepted}); why != "" {
			t.Fatal(why)
		}
	}
	if s.Add(canary.Pair{Fault: true}) == "" {
		t.Error("a fault is nothing")
	}
	s = canary.State{Band: 50}
	for i := range 3 {
		if why := s.Add(canary.Pair{Slow: true}); (why == "") != (i < 2) {
			t.Error(i, why)
		}
	}
}
