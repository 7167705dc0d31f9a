package rspamd

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
)

func BenchmarkInspect(b *testing.B) {
	i := inspector(b, Settings{URL: daemon.URL})
	for name, size := range map[string]int{"8KiB": 8 << 10, "20MiB": 20 << 20} {
		text := subject("x") + strings.Repeat(strings.Repeat("word ", 15)+"\r\n", size/77)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := i.inspect(b.Context(), &module.Envelope{}, message(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
