package embedded

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// BenchmarkDrain: batches as the spool drains them, of a backlog and of mail as it
// comes, with and without prices. The mark moves every 100 batches, which is each
// five seconds where batches come every 50 ms. Of what each record costs, CPU is
// what the machine is kept busy with; time has the waits for the disk besides.
func BenchmarkDrain(b *testing.B) {
	tariff := storetest.Tariff(b, price.Terms{PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 1 << 20})
	for _, c := range []struct {
		name           string
		clients, batch int
		priced         bool
	}{
		{"backlog/100", 100, 512, false},
		{"backlog/1000", 1000, 512, false},
		{"backlog/1000/priced", 1000, 512, true},
		{"live/1000", 1000, 50, false},
		{"live/1000/priced", 1000, 50, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := mustOpen(b, filepath.Join(b.TempDir(), "account.db"), Options{Now: fixedNow, Book: price.NewBook(tariff)})
			session, err := s.Session(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer session.Close()
			k, cpu := 0, time.Duration(0)
			batch := make([]accounting.Record, c.batch)
			drain := func(i int) {
				for j := range batch {
					// Clients come in no order, each with 20 recipients.
					n := k * 7919 % (c.clients * 20)
					batch[j] = storetest.Usage(k, fmt.Sprintf("client-%d", n%c.clients), fmt.Sprintf("user%d@example.org", n/c.clients),
						storetest.Now.Add(time.Duration(k)*time.Millisecond), 8000, 8000)
					if c.priced {
						batch[j].Tariff, batch[j].TariffVersion = tariff.Name, tariff.Version()
					}
					k++
				}
				before := processCPU(b)
				b.StartTimer()
				if err := session.Put(b.Context(), batch, fmt.Sprint("mark ", k)); err != nil {
					b.Fatal(err)
				}
				if i%100 == 99 {
					if err := session.Move(b.Context(), fmt.Sprint("mark ", k, " moved")); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				cpu += processCPU(b) - before
			}
			b.StopTimer()
			for i := range 200 { // all clients and recipients are known
				drain(i)
			}
			b.ResetTimer()
			cpu = 0
			for i := range b.N {
				drain(i)
			}
			n := float64(c.batch * b.N)
			b.ReportMetric(float64(cpu.Microseconds())/n, "cpu-µs/record")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/n, "µs/record")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// processCPU is what this process has used so far.
func processCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
