package dnscheck

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestCacheBounds(t *testing.T) {
	now := time.Unix(1e9, 0)
	c := newCache(100)
	name := func(i int) question { return question{fmt.Sprintf("n%d.example.", i), dns.TypeA} }
	small := &answer{expires: now.Add(time.Hour)}
	for i := range 150 {
		c.put(name(i), small)
		c.get(name(0), now) // stays in use
	}
	if c.get(name(0), now) == nil || c.get(name(149), now) == nil || c.get(name(20), now) != nil {
		t.Error("not the ones used last")
	}
	if n := len(c.entries); n != 100 || c.order.Len() != n {
		t.Errorf("%d entries", n)
	}
	large := &answer{texts: []string{strings.Repeat("x", 60000)}, octets: 60000, expires: now.Add(time.Hour)}
	c.put(name(200), large)
	if c.octets > c.maxOctets || c.order.Len() != 0 && c.get(name(149), now) == nil {
		t.Errorf("%d octets of %d", c.octets, c.maxOctets)
	}
	for i := range 300 {
		c.put(name(i), small)
		c.put(name(i), small)
	}
	for el := c.order.Front(); el != nil; el = c.order.Front() {
		c.remove(el)
	}
	if c.octets != 0 || len(c.entries) != 0 {
		t.Errorf("%d octets in %d entries", c.octets, len(c.entries))
	}
}
