package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
)

const manyClients = 100_000

// many is a store with many clients of three addresses each.
type many struct{ accounting.Definer }

func (many) ClientsVersion(context.Context) (string, error) { return "1", nil }

func (many) Definitions(context.Context) ([]accounting.Definition, error) {
	list := make([]accounting.Definition, manyClients)
	for i := range list {
		list[i] = accounting.Definition{ID: fmt.Sprintf("c%06d", i), Text: fmt.Sprintf(
			`{"name":"Client %[1]d","addresses":["first.last%06[1]d@d%03[2]d.example.org","info%06[1]d@d%03[2]d.example.org","@own%06[1]d.example.org"],"tariff":"office"}`, i, i%1000)}
	}
	return list, nil
}

// clients has a gateway follow many clients in a store, and asks whose addresses are.
func (o options) clients(ctx context.Context, dir string) error {
	file := filepath.Join(dir, "clients.toml")
	text := fmt.Sprintf("[gateway]\nname = \"mx1\"\nstate_dir = %q\n[redis]\naddrs = [\"127.0.0.1:1\"]\n[clients]\nredis = true\n[[tariff]]\nname = \"office\"\ncurrency = \"RUB\"\n", dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	cfg, problems := config.Load(file)
	if err := problems.Err(); err != nil {
		return err
	}
	a, err := assemble.NewAccounts("", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	a.Env.Store = many{}
	running := assemble.New(a)
	change, err := assemble.Prepare(ctx, cfg, running)
	if err != nil {
		return err
	}
	change.Commit()
	before := heap()
	took, err := measured(1, func() error { _, err := a.Refresh(ctx); return err })
	if err != nil {
		return err
	}
	held := heap() - before
	d := a.Live.Snapshot()
	addresses := make([]string, 4096) // warm: they fit the caches as those of live mail do
	for i := range addresses {
		n := i * 2400 % manyClients
		addresses[i] = fmt.Sprintf("first.last%06d@d%03d.example.org", n, n%1000)
		if i%2 == 1 {
			addresses[i] = fmt.Sprintf("x@own%06d.example.org", n)
		}
	}
	const rounds = 500
	looked, err := measured(rounds*len(addresses), func() error {
		for range rounds {
			for _, address := range addresses {
				if d.Lookup(address).Standing != directory.Ours {
					return fmt.Errorf("%s is nobody's", address)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d clients with %d addresses in a store: %.0f MiB of memory, their definitions included (goal 150); read in %.1f s of CPU; a lookup %.2f µs warm (goal 1)\n",
		manyClients, 3*manyClients, float64(held)/(1<<20), took.used.Seconds(), each([]cost{looked}, byCPU))
	return running.Close()
}

// heap is what is in use when all else was freed.
func heap() uint64 {
	var m runtime.MemStats
	for range 2 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
