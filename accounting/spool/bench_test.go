package spool

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// BenchmarkAppend: writers that each wait for their record of about 400 bytes
// to be durable.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			m := small()
			b.SetBytes(int64(len(m[0].AppendJSON(nil))))
			b.ReportAllocs()
			b.ResetTimer()
			took := make([][]time.Duration, writers)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for range b.N/writers + 1 {
						begin := time.Now()
						if err := s.Append(b.Context(), m); err != nil {
							b.Error(err)
							return
						}
						took[w] = append(took[w], time.Since(begin))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			reportLatency(b, slices.Concat(took...))
		})
	}
}

// BenchmarkAppendPaced: 500 messages a second, as a busy gateway has them.
func BenchmarkAppendPaced(b *testing.B) {
	s, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	m := small()
	took := make([]time.Duration, b.N)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range b.N {
		<-tick.C
		wg.Go(func() {
			begin := time.Now()
			if err := s.Append(b.Context(), m); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(begin)
		})
	}
	wg.Wait()
	b.StopTimer()
	reportLatency(b, took)
}

func reportLatency(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func small() []accounting.Record {
	m := message(1, 1)
	m[0].Rules = nil
	return m
}
