package redis

import (
	"flag"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var (
	traffic = flag.Int("traffic", 5000, "records of TestTraffic and TestLife")
	seed    = flag.Uint64("traffic.seed", 20261128, "of both")
)

// Whatever comes, in whatever batches and however often, and whenever the server
// is lost and begins again with an old snapshot: sums are those of the model.
func TestTraffic(t *testing.T) {
	tr := storetest.NewTraffic(t, *traffic, *seed)
	f := faulty(t, Options{Book: tr.Book})
	tr.Drain(t, f, 10+*traffic/4000)
	tr.Check(t, f.Store())
}

// Whatever happens to clients in eleven weeks: sums, places and standings are those of
// the model.
func TestLife(t *testing.T) {
	l := storetest.NewLife(t, *traffic, *seed)
	l.Run(t, faulty(t, Options{Book: l.Book, Location: l.Location, Now: l.Now}), 10+*traffic/4000)
}

// faulty is a server that is lost, and begins again with its last snapshot.
func faulty(t *testing.T, with Options) storetest.Faulty {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	o := srv.options()
	o.Book, o.Location, o.Timeout = with.Book, with.Location, time.Minute // a snapshot takes its time
	if with.Now != nil {
		o.Now = with.Now
	}
	s := mustOpen(t, o)
	second := o
	second.Gateway = "mx2"
	other := mustOpen(t, second)
	return storetest.Faulty{
		Other: func() accounting.Store { return other },
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
	}
}
