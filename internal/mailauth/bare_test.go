package mailauth

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// What begins with a name and a semicolon is judged by that name alone: the long way
// finds the same.
func TestBareIDAsTheLongWay(t *testing.T) {
	bare := 0
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{"", " ", "\n\t", "\r\n "}).Draw(t, "white space") +
			rapid.StringMatching(`(mx1?|MX|xn--e1aybc|"|=\?utf-8\?q\?m\?=|\()?\.?(example|test|EXAMPLE)?\.?[ ()]?(org)?\.?[; ]`).Draw(t, "id") +
			rapid.SampledFrom([]string{"", " spf=pass", " (mx.example.org)", ` "`, " =?utf-8?q?=20?=", "\u00ad", "\x1b$B", "\xff"}).Draw(t, "rest")
		if _, ok := bareID(value); ok {
			bare++
		}
		const gateway = "mx.example.org"
		id, ok := serverID(value)
		us := address.FoldDomain(gateway)
		want := ok && address.FoldDomain(id) == us || lenient(value, us)
		if got := IsOf(value, gateway); got != want {
			t.Fatalf("%q is ours: %v, the long way %v", value, got, want)
		}
	})
	if bare == 0 {
		t.Error("no value went the short way")
	}
}

// BenchmarkIsOf reads what a host before ours wrote.
func BenchmarkIsOf(b *testing.B) {
	const value = " mx0.example.org; spf=pass smtp.mailfrom=bounce+e60d9a@mail0.example.net;\n\tdkim=none; dmarc=none header.from=example.net"
	b.ReportAllocs()
	for b.Loop() {
		if IsOf(value, "mx.example.net") {
			b.Fatal("it is not")
		}
	}
}
