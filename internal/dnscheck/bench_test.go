package dnscheck

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/results"
)

// What a message asks: its client at a list, the MX of its sender, SPF. Warm:
// all of it is in the cache; cold: nothing is, and a real server is asked.
func BenchmarkMessage(b *testing.B) {
	message := func(b *testing.B, r *Resolver, ip netip.Addr, sender string) {
		if got, err := r.Listed(b.Context(), "bl.example", ip); err != nil || got != nil {
			b.Fatal(got, err)
		}
		if got, err := r.SenderMX(b.Context(), sender); err != nil || got != results.MXOK {
			b.Fatal(got, err)
		}
		if got, err := r.SPF(b.Context(), ip, "mail.example", sender); err != nil || got.Result != "pass" {
			b.Fatal(got, err)
		}
	}
	b.Run("warm", func(b *testing.B) {
		r := resolver(b, Config{Servers: []string{nsd.Addr}, Try: 2 * time.Second})
		ip := netip.MustParseAddr("192.1.2.1")
		message(b, r, ip, "u@w.bench.example")
		b.ReportAllocs()
		for b.Loop() {
			message(b, r, ip, "u@w.bench.example")
		}
	})
	b.Run("cold", func(b *testing.B) {
		r := resolver(b, Config{Servers: []string{nsd.Addr}, Try: 2 * time.Second})
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i++
			message(b, r, netip.AddrFrom4([4]byte{192, 1 + byte(i>>16), byte(i >> 8), byte(i)}), fmt.Sprintf("u@c%d.bench.example", i))
		}
	})
}
