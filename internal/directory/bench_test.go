package directory

import (
	"fmt"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
)

// A provider: 100,000 clients with ten addresses each, in 1,000 domains, and
// a regex for every hundredth client.
func provider() []*accounting.Client {
	clients := make([]*accounting.Client, 100_000)
	for i := range clients {
		c := &accounting.Client{ID: fmt.Sprintf("c%06d", i)}
		for j := range 10 {
			c.Addresses = append(c.Addresses, fmt.Sprintf("user%06d-%d@d%03d.example.org", i, j, i%1000))
		}
		if i%100 == 0 {
			c.Addresses = append(c.Addresses, fmt.Sprintf(`/^team%06d-.*@d%03d\.example\.org$/`, i, i%1000))
		}
		clients[i] = c
	}
	return clients
}

func BenchmarkNew(b *testing.B) {
	clients := provider()
	b.ReportAllocs()
	for b.Loop() {
		if _, clashes := New(Config{Delimiter: "+"}, clients); clashes != nil {
			b.Fatal(clashes)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	d, clashes := New(Config{AnyInDomains: true, Domains: []string{"listed.example"}, Delimiter: "+"}, provider())
	if clashes != nil {
		b.Fatal(clashes)
	}
	for name, pattern := range map[string]string{
		"exact":   "user%06d-3@d%03d.example.org",
		"tagged":  "user%06d-3+tag@d%03d.example.org",
		"case":    "User%06d-3@d%03d.Example.org",
		"unknown": "nobody%06d@d%03d.example.org",
		"foreign": "user%06d-3@d%03d.example.com",
		"regex":   "team%06d-x@d%03d.example.org",
	} {
		b.Run(name, func(b *testing.B) {
			addresses := make([]string, 4096)
			for i := range addresses {
				n := i * 2400 // spread over the clients, those with a regex among them
				n %= 100_000
				addresses[i] = fmt.Sprintf(pattern, n, n%1000)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				d.Lookup(addresses[i&4095])
				i++
			}
		})
	}
}

func TestLookupOfFoldedAllocatesNothing(t *testing.T) {
	// Without a regex: those keep their machines in a pool.
	d, clashes := New(Config{AnyInDomains: true, Domains: []string{".sub.example"}, Delimiter: "+"}, []*accounting.Client{
		{ID: "a", Addresses: []string{"sales@example.org", "@sales.example.org", `"a b"@owned.example`}},
	})
	if clashes != nil {
		t.Fatal(clashes)
	}
	for _, addr := range []string{
		"sales@example.org", "any@sales.example.org", "nobody@example.org", "any+x@example.org", "any@foreign.example", "any@x.sub.example",
		"postmaster@example.org", "postmaster", "bare",
	} {
		if n := testing.AllocsPerRun(100, func() { d.Lookup(addr) }); n != 0 {
			t.Errorf("%q: %v allocations", addr, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { d.Lookup("sales+tag@example.org") }); n > 1 {
		t.Errorf("without its tag: %v allocations", n)
	}
}
