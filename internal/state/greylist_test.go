package state

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123_456_789, time.UTC)

// same tells whether a second try is one of the same triplet.
func same(t *testing.T, c GreylistConfig, first, second [3]string) bool {
	t.Helper()
	g, err := NewAccess(newFake(), 0, time.Now).Greylist(c)
	if err != nil {
		t.Fatal(err)
	}
	check := func(who [3]string, at time.Time) Answer {
		a, err := g.Check(t.Context(), addr(who[0]), who[1], who[2], at)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := check(first, noon); a.Pass || a.Reason != New || a.Wait != c.Delay {
		t.Fatalf("%+v", a)
	}
	return check(second, noon.Add(c.Delay)).Reason == Retried
}

func TestCheck(t *testing.T) {
	const a, b = "alice@example.com", "bob@example.org"
	for name, test := range map[string]struct {
		first, second [3]string
		same          bool
	}{
		"itself":                {[3]string{"192.0.2.1", a, b}, [3]string{"192.0.2.1", a, b}, true},
		"last of the /24":       {[3]string{"192.0.2.0", a, b}, [3]string{"192.0.2.255", a, b}, true},
		"first of the next /24": {[3]string{"192.0.2.255", a, b}, [3]string{"192.0.3.0", a, b}, false},
		"mapped":                {[3]string{"192.0.2.1", a, b}, [3]string{"::ffff:192.0.2.9", a, b}, true},
		"last of the /64":       {[3]string{"2001:db8::", a, b}, [3]string{"2001:db8::ffff:ffff:ffff:ffff", a, b}, true},
		"next /64":              {[3]string{"2001:db8::", a, b}, [3]string{"2001:db8:0:1::", a, b}, false},
		"zone":                  {[3]string{"fe80::1%eth0", a, b}, [3]string{"fe80::1%eth1", a, b}, true},
		"v4 and v6":             {[3]string{"192.0.2.1", a, b}, [3]string{"::192.0.2.1", a, b}, false},
		"case":                  {[3]string{"192.0.2.1", a, b}, [3]string{"192.0.2.1", "Alice@EXAMPLE.com", "BOB@Example.Org."}, true},
		"IDN":                   {[3]string{"192.0.2.1", "a@bücher.example", b}, [3]string{"192.0.2.1", "a@xn--bcher-kva.example", b}, true},
		"another sender":        {[3]string{"192.0.2.1", a, b}, [3]string{"192.0.2.1", "eve@example.com", b}, false},
		"another recipient":     {[3]string{"192.0.2.1", a, b}, [3]string{"192.0.2.1", a, "bob2@example.org"}, false},
		"numbered recipients":   {[3]string{"192.0.2.1", a, "bob1@example.org"}, [3]string{"192.0.2.1", a, "bob2@example.org"}, false},
		"null sender":           {[3]string{"192.0.2.1", "", b}, [3]string{"192.0.2.1", "", b}, true},
		"null sender, other":    {[3]string{"192.0.2.1", "", b}, [3]string{"192.0.2.1", a, b}, false},
		"cut elsewhere":         {[3]string{"192.0.2.1", "a@b", "c@d"}, [3]string{"192.0.2.1", "a@bc", "@d"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := same(t, DefaultGreylist(), test.first, test.second); got != test.same {
				t.Error(got)
			}
		})
	}
}

func TestMasks(t *testing.T) {
	const a, b = "alice@example.com", "bob@example.org"
	for _, test := range []struct {
		v4, v6        int
		first, second string
		same          bool
	}{
		{32, 128, "192.0.2.0", "192.0.2.1", false},
		{31, 127, "192.0.2.0", "192.0.2.1", true},
		{31, 127, "192.0.2.1", "192.0.2.2", false},
		{0, 64, "192.0.2.1", "203.0.113.1", true},
		{24, 0, "2001:db8::", "fd00::", true},
		{24, 48, "2001:db8:1:ffff::", "2001:db8:1::", true},
		{24, 48, "2001:db8:1:ffff::", "2001:db8:2::", false},
		{24, 127, "2001:db8::2", "2001:db8::1", false},
	} {
		c := DefaultGreylist()
		c.IPv4Mask, c.IPv6Mask, c.AutoWhitelist = test.v4, test.v6, 0
		if got := same(t, c, [3]string{test.first, a, b}, [3]string{test.second, a, b}); got != test.same {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestCheckCannot(t *testing.T) {
	f := newFake()
	g, err := NewAccess(f, 0, time.Now).Greylist(DefaultGreylist())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Check(t.Context(), netip.Addr{}, "a@b", "c@d", noon); !errors.Is(err, ErrClient) {
		t.Error(err)
	}
	if _, err := g.Check(t.Context(), addr("192.0.2.1"), "a@b", "c@d", time.Time{}); !errors.Is(err, ErrClock) {
		t.Error(err)
	}
	if f.count() != 0 {
		t.Error("the store was asked")
	}
}

func TestValidate(t *testing.T) {
	if err := DefaultGreylist().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*GreylistConfig){
		"delay is":       func(c *GreylistConfig) { c.Delay = time.Millisecond },
		"window is":      func(c *GreylistConfig) { c.Window = c.Delay },
		"life is":        func(c *GreylistConfig) { c.Life = 0 },
		"at most":        func(c *GreylistConfig) { c.Life = maxLife + 1 },
		"ipv4_mask is":   func(c *GreylistConfig) { c.IPv4Mask = 33 },
		"ipv6_mask is":   func(c *GreylistConfig) { c.IPv6Mask = -1 },
		"auto_whitelist": func(c *GreylistConfig) { c.AutoWhitelist = -1 },
		"everybody":      func(c *GreylistConfig) { c.IPv4Mask = 0 },
	} {
		c := DefaultGreylist()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := NewAccess(newFake(), 0, time.Now).Greylist(c); err == nil {
			t.Errorf("%s: it is taken", want)
		}
	}
	if err := (GreylistConfig{}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all at once: %v", err)
	}
}
