// Command account measures what the account costs, as ratios of one run: rounds with
// and without prices take turns, so that what else the machine does meets both.
//
//	go run ./test/account -rounds 9
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

type options struct {
	rounds   int
	messages int // a round
	batches  int // a round
	backlog  int // records
	dir      string
}

func main() {
	var o options
	serve := flag.String("serve", "", "be the daemon with this policy")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds of each of two that are compared")
	flag.IntVar(&o.messages, "n", 3000, "messages of a round")
	flag.IntVar(&o.batches, "batches", 40, "batches of 512 records of a round")
	flag.IntVar(&o.backlog, "backlog", 1_000_000, "records that wait; 10000000 take 5 GB of disk")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "folder for spools and stores")
	only := flag.String("only", "", "measure this alone: message, redis, embedded, clients or backlog")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := o.run(ctx, *serve, *only); err != nil {
		fmt.Fprintln(os.Stderr, "account:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context, serve, only string) error {
	if serve != "" {
		return child(ctx, serve)
	}
	dir, err := os.MkdirTemp(o.dir, "tollgate-account-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, part := range []struct {
		name string
		run  func(context.Context, string) error
	}{
		{"message", o.message}, {"redis", o.redis}, {"embedded", o.embedded}, {"clients", o.clients}, {"backlog", o.waiting},
	} {
		if only != "" && only != part.name {
			continue
		}
		if err := part.run(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// cost is what a round of something took.
type cost struct {
	took, used time.Duration // by the clock, and of this process's CPU
	served     time.Duration // of a server's CPU
	n          int
}

// measured runs something n times over.
func measured(n int, f func() error) (cost, error) {
	before, began := cpu(), time.Now()
	err := f()
	return cost{took: time.Since(began), used: cpu() - before, n: n}, err
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// each are microseconds of one of them, the median of rounds.
func each(rounds []cost, of func(cost) time.Duration) float64 {
	list := make([]float64, len(rounds))
	for i, c := range rounds {
		list[i] = float64(of(c).Nanoseconds()) / 1000 / float64(c.n)
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func byClock(c cost) time.Duration { return c.took }
func byCPU(c cost) time.Duration   { return c.used }

func byServer(c cost) time.Duration { return c.served }

// tariff is one with everything in it.
func tariff() (*price.Tariff, error) {
	return price.New(price.Terms{
		Name: "office", Currency: "RUB", Period: accounting.ByMonth, Timezone: "UTC",
		PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 1 << 20,
	})
}

// records are those of n messages, of 1,000 clients with 20 recipients each in no
// order, from the k-th on; nil: without prices.
func records(k, n int, t *price.Tariff) []accounting.Record {
	list := make([]accounting.Record, n)
	for i := range list {
		who := (k + i) * 7919 % 20_000
		at := today().Add(time.Duration(k+i) * time.Millisecond)
		queue := fmt.Sprintf("4C%06X", k+i)
		recipient := fmt.Sprintf("user%d@example.org", who/1000)
		list[i] = accounting.Record{
			ID: fmt.Sprintf("mx1/%s/%d/%s", queue, at.UnixMilli(), recipient), Kind: accounting.Usage, Time: at, Gateway: "mx1",
			QueueID: queue, MessageID: "<a@b>", Ref: "ref", Client: fmt.Sprintf("client-%d", who%1000), Recipient: recipient,
			Sender: "s@example.com", ClientIP: "192.0.2.7", Direction: "inbound", Size: 8000, Charged: 8000,
			Share: accounting.ShareFull, ShareIndex: 1, ShareCount: 1, Verdict: "accept", Weight: "0",
		}
		if t != nil {
			list[i].Tariff, list[i].TariffVersion = t.Name, t.Version()
		}
	}
	return list
}

func today() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }
