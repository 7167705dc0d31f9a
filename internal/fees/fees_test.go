package fees_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/fees"
)

// world is an account, and gateways that come and go.
type world struct {
	t     *testing.T
	clock time.Time
	book  *price.Book
	live  *directory.Live
	store *embedded.Store
}

func newWorld(t *testing.T, tariffs []*price.Tariff, clients ...*accounting.Client) *world {
	w := &world{t: t, book: price.NewBook(tariffs...), live: directory.NewLive()}
	w.at("2026-11-20")
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: w.book, Now: func() time.Time { return w.clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w.store = s
	w.have(clients...)
	return w
}

func (w *world) have(clients ...*accounting.Client) {
	d, clashes := directory.New(directory.Config{}, clients)
	if len(clashes) > 0 {
		w.t.Fatal(clashes)
	}
	w.live.Replace(d)
}

func (w *world) at(day string) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock = t.Add(10 * time.Hour)
}

// gateway is one that has just started.
func (w *world) gateway(name string) *fees.Charger { return w.over(name, w.store) }

func (w *world) over(name string, l accounting.Ledger) *fees.Charger {
	return &fees.Charger{
		Ledger: l, Clients: w.live, Book: w.book, Gateway: func() string { return name },
		Now: func() time.Time { return w.clock }, Log: slog.New(slog.DiscardHandler),
	}
}

func (w *world) round(c *fees.Charger) {
	w.t.Helper()
	if err := c.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// late is a round of a gateway that finds out that nobody ran, and waits until that
// is certain.
func (w *world) late(c *fees.Charger) {
	w.t.Helper()
	w.round(c)
	w.clock = w.clock.Add(time.Hour)
	w.round(c)
}

// booked are all fees: period and sum.
func (w *world) booked(client string) (list []string) {
	w.t.Helper()
	periods, err := w.store.Periods(w.t.Context(), client)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range periods {
		err := w.store.RecordsOf(w.t.Context(), client, p, func(r accounting.Record) error {
			if r.Kind == accounting.Fee {
				list = append(list, strings.TrimPrefix(r.ID, "fee/"+client+"/")+" "+r.Amount+" "+r.Tariff)
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	slices.Sort(list)
	return list
}

func (w *world) want(client string, want ...string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.booked(client)); d != "" {
		w.t.Errorf("%s (-want +got):\n%s", client, d)
	}
}

func client(id string, t *price.Tariff) *accounting.Client {
	c := &accounting.Client{ID: id, Addresses: []string{id + "@example.org"}}
	if t != nil {
		c.Tariff, c.TariffVersion, c.Period, c.Zone = t.Name, t.Version(), t.Period, t.Zone()
	}
	return c
}

func tariff(t *testing.T, name string, fee int64) *price.Tariff {
	return storetest.Tariff(t, price.Terms{Name: name, Fee: fee})
}

// Nobody ran for two turns of the month: each fee is booked once, whoever comes
// back first, and however often.
func TestMissedPeriods(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office))
	w.round(w.gateway("mx1"))
	w.want("sales", "2026-11 5 office")
	w.at("2027-02-03")
	one, two := w.gateway("mx1"), w.gateway("mx2")
	w.round(two)
	w.late(one)
	w.round(two)
	w.round(one)
	w.want("sales", "2026-11 5 office", "2026-12 5 office", "2027-01 5 office", "2027-02 5 office")
	a, err := w.store.Account(t.Context(), "sales")
	if err != nil || a.Balance != -20 {
		t.Errorf("balance %d, %v", a.Balance, err)
	}
}

// Whoever was not there before the gap owes nothing of it; who is gone neither;
// dates bound it.
func TestWhoOwesTheMissed(t *testing.T) {
	office := tariff(t, "office", 5)
	ends := client("ends", office)
	ends.Expires = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	later := client("later", office)
	later.ValidFrom = time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office), client("gone", office), ends, later)
	w.round(w.gateway("mx1"))
	w.want("later")
	w.at("2027-02-03")
	w.have(client("sales", office), client("new", office), ends, later)
	w.late(w.gateway("mx1"))
	w.want("sales", "2026-11 5 office", "2026-12 5 office", "2027-01 5 office", "2027-02 5 office")
	w.want("new", "2027-02 5 office")
	w.want("gone", "2026-11 5 office")
	w.want("ends", "2026-11 5 office", "2026-12 5 office")
	w.want("later", "2027-02 5 office")
}

// What was missed costs what it did when somebody last ran; what is under way
// what it costs now, or nothing any more.
func TestPriceOfTheMissed(t *testing.T) {
	office, dearer, free := tariff(t, "office", 5), tariff(t, "office", 7), tariff(t, "free", 0)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office), client("shop", office), client("bare", office))
	w.round(w.gateway("mx1"))
	w.at("2027-01-03")
	w.book.Add(dearer, free)
	w.have(client("sales", dearer), client("shop", free), client("bare", nil))
	w.late(w.gateway("mx1"))
	w.want("sales", "2026-11 5 office", "2026-12 5 office", "2027-01 7 office")
	w.want("shop", "2026-11 5 office", "2026-12 5 office")
	w.want("bare", "2026-11 5 office", "2026-12 5 office")
}

// While somebody runs, a client that is free for some time owes nothing for it.
func TestFreeMeanwhile(t *testing.T) {
	office, free := tariff(t, "office", 5), tariff(t, "free", 0)
	w := newWorld(t, []*price.Tariff{office, free}, client("sales", office))
	g := w.gateway("mx1")
	w.round(g)
	w.have(client("sales", free))
	for w.clock.Before(time.Date(2027, 2, 28, 12, 0, 0, 0, time.UTC)) {
		w.clock = w.clock.Add(12 * time.Hour)
		w.round(g)
	}
	w.have(client("sales", office))
	w.at("2027-03-01")
	w.round(g)
	w.round(w.gateway("mx2"))
	w.want("sales", "2026-11 5 office", "2027-03 5 office")
}

// Days and weeks turn, too; more than is made up for is left to people.
func TestManyMissed(t *testing.T) {
	daily := storetest.Tariff(t, price.Terms{Name: "daily", Fee: 1, Period: accounting.ByDay})
	weekly := storetest.Tariff(t, price.Terms{Name: "weekly", Fee: 2, Period: accounting.ByWeek})
	w := newWorld(t, []*price.Tariff{daily, weekly}, client("a", daily), client("b", weekly))
	w.round(w.gateway("mx1"))
	w.at("2026-12-20")
	w.late(w.gateway("mx1"))
	if n := len(w.booked("a")); n != 31 {
		t.Errorf("%d days", n)
	}
	if n := len(w.booked("b")); n != 5 {
		t.Errorf("%d weeks", n)
	}
	w.at("2029-01-01")
	w.late(w.gateway("mx1"))
	if n := len(w.booked("a")); n != 32 {
		t.Errorf("%d days after years", n)
	}
}

// A clock that jumps books nothing twice, and nothing of what is over.
func TestClockJumps(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office))
	g := w.gateway("mx1")
	w.round(g)
	w.at("2027-01-05")
	w.late(g)
	for _, day := range []string{"2026-03-01", "2026-11-21", "2027-01-05", "2026-12-01", "1970-01-01"} {
		w.at(day)
		w.round(g)
		w.round(w.gateway("mx2"))
	}
	w.at("2027-01-06")
	w.round(g)
	w.want("sales", "2026-11 5 office", "2026-12 5 office", "2027-01 5 office")
}

// A clock that stays behind is right in the end: another was ahead.
func TestClockWasAhead(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office))
	w.round(w.gateway("mx1"))
	if err := w.store.SetFeesThrough(t.Context(), w.clock.AddDate(10, 0, 0)); err != nil {
		t.Fatal(err)
	}
	w.at("2026-12-01")
	g := w.gateway("mx1")
	w.round(g)
	w.want("sales", "2026-11 5 office")
	w.clock = w.clock.Add(2 * time.Hour)
	w.round(g)
	w.want("sales", "2026-11 5 office", "2026-12 5 office")
}

// A store that was set back has lost what was booked.
func TestStoreInDoubt(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office))
	asked := &counting{Ledger: w.store}
	g := w.over("mx1", asked)
	w.round(g)
	w.round(g)
	if asked.entered != 1 {
		t.Fatalf("asked %d times", asked.entered)
	}
	w.live.Doubt()
	w.round(g)
	if asked.entered != 2 {
		t.Errorf("asked %d times after a doubt", asked.entered)
	}
	w.want("sales", "2026-11 5 office")
}

// A store that goes away half way: what was missed is booked later.
func TestStoreAway(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("a", office), client("b", office))
	w.round(w.gateway("mx1"))
	w.at("2027-01-05")
	l := &counting{Ledger: w.store, fails: 2}
	g := w.over("mx1", l)
	w.round(g) // waits
	w.clock = w.clock.Add(time.Hour)
	if err := g.Round(t.Context()); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	w.round(g)
	for _, c := range []string{"a", "b"} {
		w.want(c, "2026-11 5 office", "2026-12 5 office", "2027-01 5 office")
	}
}

var errAway = errors.New("away")

type counting struct {
	accounting.Ledger
	entered, fails int
}

func (c *counting) Enter(ctx context.Context, r accounting.Record) (bool, error) {
	c.entered++
	if c.entered > 1 && c.fails > 0 {
		c.fails--
		return false, errAway
	}
	return c.Ledger.Enter(ctx, r)
}
