package embedded

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var (
	traffic = flag.Int("traffic", 5000, "records of TestTraffic and TestLife")
	seed    = flag.Uint64("traffic.seed", 20261128, "of both")
)

// Whatever comes, in whatever batches and however often, and whenever the machine
// goes down: sums are those of the model.
func TestTraffic(t *testing.T) {
	tr := storetest.NewTraffic(t, *traffic, *seed)
	f, store := faulty(t, *seed, Options{Now: fixedNow, Book: tr.Book, segment: int64(*traffic) * 100})
	tr.Drain(t, f, 10+*traffic/4000)
	tr.Check(t, store())
}

// Whatever happens to clients in eleven weeks: sums, places and standings are those of
// the model.
func TestLife(t *testing.T) {
	l := storetest.NewLife(t, *traffic, *seed)
	f, _ := faulty(t, *seed, Options{Now: l.Now, Location: l.Location, Book: l.Book, segment: int64(*traffic) * 100})
	l.Run(t, f, 10+*traffic/4000)
}

// faulty is a store on a machine that goes down, with torn files.
func faulty(t *testing.T, seed uint64, o Options) (storetest.Faulty, func() *Store) {
	random := rand.New(rand.NewPCG(seed, 3))
	dir := t.TempDir()
	path := filepath.Join(dir, "account.db")
	s := mustOpen(t, path, o)
	crashes := 0
	return storetest.Faulty{
		Store: func() accounting.Store { return s },
		Keep:  func() {},
		Crash: func() {
			crashes++
			s.mu.Lock()
			err, durable := s.file.Flush(), s.end
			s.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			after := filepath.Join(dir, fmt.Sprint(crashes%2), "account.db")
			copyFiles(t, path, after)
			tear(t, after, random, durable)
			s.Close()
			path = after
			s = mustOpen(t, path, o)
		},
	}, func() *Store { return s }
}
