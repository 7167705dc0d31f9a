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

var traffic = flag.Int("traffic", 5000, "records of TestTraffic")

// Whatever comes, in whatever batches and however often, and whenever the machine
// goes down: sums are those of the model.
func TestTraffic(t *testing.T) {
	const seed = 20261128
	random := rand.New(rand.NewPCG(seed, 3))
	tr := storetest.NewTraffic(t, *traffic, seed)
	dir := t.TempDir()
	o := Options{Now: fixedNow, Book: tr.Book, segment: int64(*traffic) * 100}
	path := filepath.Join(dir, "account.db")
	s := mustOpen(t, path, o)
	crashes := 0
	tr.Drain(t, storetest.Faulty{
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
	}, 10+*traffic/4000)
	tr.Check(t, s)
}
