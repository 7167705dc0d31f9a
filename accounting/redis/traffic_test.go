package redis

import (
	"flag"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var traffic = flag.Int("traffic", 5000, "records of TestTraffic")

// Whatever comes, in whatever batches and however often, and whenever the server
// is lost and begins again with an old snapshot: sums are those of the model.
func TestTraffic(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	tr := storetest.NewTraffic(t, *traffic, 20261128)
	o := srv.options()
	o.Book = tr.Book
	s := mustOpen(t, o)
	tr.Drain(t, storetest.Faulty{
		Store: func() accounting.Store { return s },
		Keep: func() {
			if err := s.db.Save(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		},
		Crash: func() {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			srv.kill()
			srv.start()
			s = mustOpen(t, o)
		},
	}, 10+*traffic/4000)
	tr.Check(t, s)
}
