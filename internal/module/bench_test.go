package module_test

import (
	"io"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
)

func BenchmarkStash(b *testing.B) {
	for _, size := range []int{10 << 10, 100 << 10, 1 << 20} {
		b.Run(bytesName(size), func(b *testing.B) {
			stasher := &module.Stasher{Dir: b.TempDir()}
			message, p := text(size), make([]byte, 32<<10)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				s := stasher.New()
				for rest := message; len(rest) > 0; {
					n := min(64<<10, len(rest))
					write(b, s, rest[:n])
					rest = rest[n:]
				}
				s.End()
				r := s.Open(b.Context())
				for {
					if _, err := r.Read(p); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
				closed(b, s)
			}
		})
	}
}

func bytesName(n int) string {
	switch {
	case n >= 1<<20:
		return "1MiB"
	case n >= 100<<10:
		return "100KiB"
	}
	return "10KiB"
}

func BenchmarkGuard(b *testing.B) {
	g := guard(&fake{inspect: whole}, module.Limits{Timeout: time.Minute, Parallel: 10, MaxSize: 1 << 20})
	m := message(b, 10<<10)
	b.ReportAllocs()
	for b.Loop() {
		if r := g.Begin(b.Context(), m).Wait(); r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}
