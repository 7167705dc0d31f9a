package fees_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
	"github.com/tollgate-mail/tollgate/internal/fees"
)

// A clock that is a year ahead until it is put right books nothing: neither at a
// start nor in the middle of the work.
func TestYearAhead(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("sales", office))
	g := w.gateway("mx1")
	w.round(g)
	right := w.clock
	for _, c := range []func(){
		func() { w.round(g) },
		func() { w.round(w.gateway("mx1")) },
	} {
		w.clock = right.AddDate(1, 0, 0)
		c()
		w.clock = w.clock.Add(30 * time.Minute)
		c()
		w.clock = right.Add(time.Minute)
		w.round(g)
	}
	w.want("sales", "2026-11 5 office")
	w.at("2026-11-21")
	w.late(g)
	w.at("2026-12-01")
	w.late(g)
	w.want("sales", "2026-11 5 office", "2026-12 5 office")
}

// The tariff of a client without mail is changed: from the next period on its fee
// is owed, as it is by who has mail.
func TestChangedWithoutMail(t *testing.T) {
	office, free := tariff(t, "office", 5), tariff(t, "free", 0)
	w := newWorld(t, []*price.Tariff{office, free}, client("sales", free))
	g := w.gateway("mx1")
	r := storetest.Usage(1, "sales", "a@example.org", w.clock, 10, 10)
	r.Tariff, r.TariffVersion = free.Name, free.Version()
	if err := w.store.Put(t.Context(), []accounting.Record{r}); err != nil {
		t.Fatal(err)
	}
	w.round(g)
	w.have(client("sales", office))
	w.round(g)
	w.want("sales")
	for day := time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC); day.Before(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)); day = day.Add(12 * time.Hour) {
		w.clock = day
		w.round(g)
	}
	w.want("sales", "2026-12 5 office", "2027-01 5 office")
}

// A tariff of the same name gets other periods while nobody runs: what was missed
// is owed as it was.
func TestOtherPeriodsMeanwhile(t *testing.T) {
	office := tariff(t, "office", 5)
	weekly := storetest.Tariff(t, price.Terms{Name: "office", Fee: 2, Period: accounting.ByWeek})
	w := newWorld(t, []*price.Tariff{office}, client("sales", office))
	w.round(w.gateway("mx1"))
	w.at("2027-01-05")
	w.book.Add(weekly)
	w.have(client("sales", weekly))
	w.late(w.gateway("mx1"))
	w.want("sales", "2026-11 5 office", "2026-12 5 office", "2027-W01 2 office")
}

// Three clients whose fee cannot be booked do not keep the others from theirs.
func TestOtherCurrency(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("a", office), client("b", office), client("c", office), client("d", office))
	for _, id := range []string{"a", "b", "c"} {
		if _, err := w.store.Enter(t.Context(), accounting.Record{ID: "p", Kind: accounting.Payment, Time: w.clock, Gateway: "mx1", Client: id, Amount: "1", Currency: "USD"}); err != nil {
			t.Fatal(err)
		}
	}
	w.round(w.gateway("mx1"))
	w.want("a")
	w.want("d", "2026-11 5 office")
}

// Months of a zone whose clocks change at the edge of one.
func TestFeesAtTheEdge(t *testing.T) {
	for _, zone := range []string{"America/Havana", "Pacific/Kiritimati"} {
		office := storetest.Tariff(t, price.Terms{Name: "office", Fee: 5, Timezone: zone})
		daily := storetest.Tariff(t, price.Terms{Name: "daily", Fee: 1, Timezone: zone, Period: accounting.ByDay})
		w := newWorld(t, []*price.Tariff{office, daily}, client("sales", office), client("day", daily))
		g := w.gateway("mx1")
		from, to := time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
		for w.clock = from; w.clock.Before(to); w.clock = w.clock.Add(time.Hour) {
			w.round(g)
		}
		first, last := daily.PeriodOf(from), daily.PeriodOf(to.Add(-time.Second))
		w.want("sales", "2026-10 5 office", "2026-11 5 office")
		if got := w.booked("day"); got[0] != first+" 1 daily" || got[len(got)-1] != last+" 1 daily" || len(got) < 4 || len(got) > 5 {
			t.Errorf("%s: %v", zone, got)
		}
	}
}

// A client that had mail before it got a tariff owes its fee of the period, whether
// its mail, the round or a restart comes first.
func TestTariffAfterMail(t *testing.T) {
	office := tariff(t, "office", 5)
	for _, order := range []string{"mail, round", "round, mail", "round", "mail, round, mail, round"} {
		w := newWorld(t, []*price.Tariff{office}, client("sales", nil))
		g := w.gateway("mx1")
		w.round(g)
		n := 0
		mail := func(of *price.Tariff) {
			n++
			r := storetest.Usage(n, "sales", "a@example.org", w.clock, 10, 10)
			if of != nil {
				r.Tariff, r.TariffVersion = of.Name, of.Version()
			}
			if err := w.store.Put(t.Context(), []accounting.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		mail(nil)
		w.clock = w.clock.Add(time.Minute)
		w.round(g)
		w.have(client("sales", office))
		for step := range strings.SplitSeq(order, ", ") {
			w.clock = w.clock.Add(time.Minute)
			if step == "mail" {
				mail(office)
			} else {
				w.round(g)
			}
		}
		w.want("sales", "2026-11 5 office")
	}
}

// A tariff is taken away, or changed to one without a fee: without mail too it
// holds to the end of its period, whose fee is owed, and not a day longer; whether
// the gateway saw the change or was started after it.
func TestTariffTakenAway(t *testing.T) {
	daily := storetest.Tariff(t, price.Terms{Name: "daily", Fee: 3, Period: accounting.ByDay, Timezone: "UTC"})
	free := tariff(t, "free", 0)
	for name, next := range map[string]*price.Tariff{"none": nil, "without a fee": free} {
		for _, started := range []string{"before", "after"} {
			t.Run(name+", "+started, func(t *testing.T) {
				w := newWorld(t, []*price.Tariff{daily, free}, client("sales", daily))
				g := w.gateway("mx1")
				w.round(g)
				r := storetest.Usage(1, "sales", "a@example.org", w.clock, 10, 10)
				r.Tariff, r.TariffVersion = daily.Name, daily.Version()
				if err := w.store.Put(t.Context(), []accounting.Record{r}); err != nil {
					t.Fatal(err)
				}
				w.have(client("sales", next))
				if started == "after" {
					g = w.gateway("mx1")
				}
				w.round(g)
				if a, err := w.store.Account(t.Context(), "sales"); err != nil || a.Tariff != "daily" {
					t.Errorf("to the end of its period: %+v %v", a, err)
				}
				w.clock = w.clock.Add(20 * time.Hour)
				w.round(g)
				want := ""
				if next != nil {
					want = next.Name
				}
				if a, err := w.store.Account(t.Context(), "sales"); err != nil || a.Tariff != want {
					t.Errorf("afterwards: %+v %v, want tariff %q", a, err, want)
				}
				w.want("sales", "2026-11-20 3 daily")
			})
		}
	}
}

// An earlier release did not tell the store of tariffs that were taken away, or
// changed, while a client had no mail: it owes nothing for what it has not had for
// months. Who had it until now owes what has begun.
func TestTakenAwayMonthsAgo(t *testing.T) {
	office, free := tariff(t, "office", 5), tariff(t, "free", 0)
	for name, next := range map[string]*price.Tariff{"none": nil, "without a fee": free} {
		for _, booked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, booked %v", name, booked), func(t *testing.T) {
				w := newWorld(t, []*price.Tariff{office, free}, client("sales", next))
				was := time.Date(2026, 8, 3, 0, 0, 0, 0, time.UTC)
				plans := price.Plans(nil).With(office.Plan(), was, was)
				if done, err := w.store.SetPlans(t.Context(), "sales", "", plans.String()); err != nil || !done {
					t.Fatal(done, err)
				}
				var want []string
				if booked {
					if _, err := w.store.Enter(t.Context(), accounting.Record{
						ID: "fee/sales/2026-10", Kind: accounting.Fee, Time: w.clock, Gateway: "mx1", Client: "sales", Period: "2026-10",
						Amount: "5", Currency: "RUB", Tariff: office.Name, TariffVersion: office.Version(),
					}); err != nil {
						t.Fatal(err)
					}
					want = []string{"2026-10 5 office", "2026-11 5 office"}
				}
				if err := w.store.SetFeesThrough(t.Context(), w.clock.Add(-time.Minute)); err != nil {
					t.Fatal(err)
				}
				g := w.gateway("mx1")
				for range 80 {
					w.round(g)
					w.clock = w.clock.Add(12 * time.Hour)
				}
				w.want("sales", want...)
			})
		}
	}
}

// Nobody ran while the last period before began, and the tariff is changed at the start:
// its fee is owed like the one of the period under way.
func TestTakenAwayWhileNobodyRan(t *testing.T) {
	office, free := tariff(t, "office", 5), tariff(t, "free", 0)
	w := newWorld(t, []*price.Tariff{office, free}, client("sales", office))
	w.round(w.gateway("mx1"))
	r := storetest.Usage(1, "sales", "a@example.org", w.clock, 10, 10)
	r.Tariff, r.TariffVersion = office.Name, office.Version()
	if err := w.store.Put(t.Context(), []accounting.Record{r}); err != nil {
		t.Fatal(err)
	}
	w.at("2027-01-05")
	w.have(client("sales", free))
	w.late(w.gateway("mx1"))
	w.want("sales", "2026-11 5 office", "2026-12 5 office", "2027-01 5 office")
}

// A gateway that is started tells of what differs in any way from what the store
// says, and takes back what is to come no more.
func TestTellsAfterAStart(t *testing.T) {
	month := storetest.Tariff(t, price.Terms{Name: "office"})
	day := storetest.Tariff(t, price.Terms{Name: "office", Period: accounting.ByDay})
	tokyo := storetest.Tariff(t, price.Terms{Name: "office", Timezone: "Asia/Tokyo"})
	for _, chain := range [][]*price.Tariff{{month, day}, {month, tokyo}, {day, month}, {month, day, month}, {tokyo, month, tokyo}} {
		w := newWorld(t, []*price.Tariff{month, day, tokyo}, client("sales", chain[0]))
		r := storetest.Usage(1, "sales", "a@example.org", w.clock, 10, 10)
		r.Tariff, r.TariffVersion = chain[0].Name, chain[0].Version()
		if err := w.store.Put(t.Context(), []accounting.Record{r}); err != nil {
			t.Fatal(err)
		}
		w.round(w.gateway("mx1"))
		for _, next := range chain[1:] {
			w.clock = w.clock.Add(time.Minute)
			w.book.Add(next)
			w.have(client("sales", next))
			w.round(w.gateway("mx1")) // each has just started
		}
		w.at("2026-12-05")
		text, err := w.store.Plans(t.Context(), "sales")
		if err != nil {
			t.Fatal(err)
		}
		plans, err := price.ParsePlans(text)
		last := chain[len(chain)-1]
		if err != nil || !plans.At(w.clock).Is(last.Plan()) {
			t.Errorf("%q %v, want %+v", plans, err, last.Plan())
		}
	}
}

// spoilt is an account of which what it has of some clients cannot be read.
type spoilt struct {
	*embedded.Store
	clients map[string]bool
}

func (s spoilt) Accounts(ctx context.Context, ids []string) ([]accounting.Account, error) {
	list, err := s.Store.Accounts(ctx, ids)
	for i := range list {
		if s.clients[list[i].Client] {
			list[i].Err = fmt.Errorf("%w: x", accounting.ErrUnreadable)
		}
	}
	return list, err
}

func (s spoilt) Plans(ctx context.Context, client string) (string, error) {
	if s.clients[client] {
		return "", fmt.Errorf("%w: x", accounting.ErrUnreadable)
	}
	return s.Store.Plans(ctx, client)
}

// What cannot be read of some costs the others neither their fees nor what is booked
// until when; and it is said of whom, once.
func TestUnreadableCostsNobodyElse(t *testing.T) {
	office := tariff(t, "office", 5)
	w := newWorld(t, []*price.Tariff{office}, client("a", office), client("b", office), client("c", office), client("d", office))
	l := spoilt{w.store, map[string]bool{"a": true, "b": true, "c": true}}
	var log bytes.Buffer
	g := w.over("mx1", l)
	g.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.round(g)
	w.clock = w.clock.Add(time.Hour)
	w.round(g)
	w.want("d", "2026-11 5 office")
	if through, err := w.store.FeesThrough(t.Context()); err != nil || !through.Equal(w.clock) {
		t.Error(through, err)
	}
	if n := strings.Count(log.String(), "client=a"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
	clear(l.clients)
	w.clock = w.clock.Add(time.Hour)
	w.round(g)
	w.want("a", "2026-11 5 office")
	// What was repaired and breaks again is news.
	w.clock = w.clock.Add(31 * 24 * time.Hour)
	for range 3 {
		l.clients["a"] = true
		w.clock = w.clock.Add(time.Hour)
		w.round(g)
	}
	if n := strings.Count(log.String(), "client=a"); n != 2 {
		t.Errorf("said %d times after a repair:\n%s", n, &log)
	}
}

// A fee that somebody took back was owed all the same: the tariff goes on to its end.
func TestFeeTakenBack(t *testing.T) {
	office, free := tariff(t, "office", 5), tariff(t, "free", 0)
	w := newWorld(t, []*price.Tariff{office, free}, client("sales", office))
	w.round(w.gateway("mx1"))
	if _, err := w.store.Enter(t.Context(), accounting.Record{
		ID: "gift", Kind: accounting.Adjust, Time: w.clock, Gateway: "mx1", Client: "sales", Amount: "-5", Currency: "RUB", Reverses: "fee/sales/2026-11",
	}); err != nil {
		t.Fatal(err)
	}
	w.have(client("sales", free))
	w.clock = w.clock.Add(15 * 24 * time.Hour)
	plans := price.Plans(nil).With(office.Plan(), w.clock.Add(-90*24*time.Hour), w.clock.Add(-90*24*time.Hour))
	text, err := w.store.Plans(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	if done, err := w.store.SetPlans(t.Context(), "sales", text, plans.String()); err != nil || !done {
		t.Fatal(done, err)
	}
	if err := w.store.SetFeesThrough(t.Context(), w.clock.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.round(w.gateway("mx1"))
	w.want("sales", "2026-11 5 office", "2026-12 5 office")
}

// forgetful is a store that was set back.
type forgetful struct {
	*embedded.Store
	back time.Duration
}

func (f *forgetful) FeesThrough(ctx context.Context) (time.Time, error) {
	t, err := f.Store.FeesThrough(ctx)
	if f.back < 0 {
		return time.Time{}, err
	}
	return t.Add(-f.back), err
}

// A store that is set back, or empty, has lost payments that no spool has: it is told.
// Clocks of gateways that differ by seconds are no reason.
func TestForgottenMoney(t *testing.T) {
	for _, tt := range []struct {
		back time.Duration
		want string
	}{{0, ""}, {30 * time.Second, ""}, {20 * time.Minute, "set back"}, {-1, "nobody ever did"}} {
		office := tariff(t, "office", 5)
		w := newWorld(t, []*price.Tariff{office}, client("sales", office))
		f := &forgetful{Store: w.store}
		g := w.over("mx1", f)
		w.round(g)
		w.clock = w.clock.Add(time.Minute)
		w.round(g)
		f.back = tt.back
		w.clock = w.clock.Add(time.Minute)
		w.round(g)
		if got := problem(g); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", tt.back, got)
		}
	}
}

// It is told, too, where nobody ran when that happened; once, and where the file cannot
// be read, the log says so.
func TestForgottenMoneyAtStart(t *testing.T) {
	for _, tt := range []struct {
		back time.Duration
		file string
		want string
	}{
		{0, "", ""}, {30 * time.Second, "", ""}, {20 * time.Minute, "", "set back"}, {-1, "", "nobody ever did"}, {20 * time.Minute, "x", ""},
		{-1, "2026-11-01T00:00:00Z", "set back"}, // as an earlier release wrote it
		{-1, "2026-11-01T00:00:00Z embedded /old", "the store is another one (redis a:6379, it was embedded /old)"},
		{0, "2026-11-01T00:00:00Z embedded /old", ""},
	} {
		office := tariff(t, "office", 5)
		w := newWorld(t, []*price.Tariff{office}, client("sales", office))
		f := &forgetful{Store: w.store}
		path, log := filepath.Join(t.TempDir(), "fees"), &strings.Builder{}
		start := func() *fees.Charger {
			g := w.over("mx1", f)
			g.Store, g.Lost = "redis a:6379", &fees.Losses{}
			if err := g.Lost.Open(path + "-lost"); err != nil {
				t.Fatal(err)
			}
			g.Seen, g.Log = path, slog.New(slog.NewTextHandler(log, nil))
			return g
		}
		g := start()
		w.round(g)
		w.clock = w.clock.Add(time.Minute)
		w.round(g)
		if problem(g) != "" {
			t.Error(problem(g))
		}
		if tt.file != "" {
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f.back = tt.back
		w.clock = w.clock.Add(time.Hour)
		g = start()
		w.round(g)
		got := problem(g)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", tt.back, got)
		}
		if strings.Contains(log.String(), "cannot be told") != (tt.file == "x") {
			t.Errorf("the log says %s", log)
		}
		f.back = 0
		w.clock = w.clock.Add(time.Hour)
		w.round(g)
		// Until somebody says that it was booked again.
		if g = start(); problem(g) != got {
			t.Errorf("after a restart %q, it was %q", problem(g), got)
		}
		if was, err := g.Lost.Settle(); err != nil || strings.Join(was, "") != got {
			t.Errorf("%q %v", was, err)
		}
		if g = start(); problem(g) != "" {
			t.Error(problem(g))
		}
	}
}

func problem(c *fees.Charger) string {
	if c.Lost == nil {
		return ""
	}
	return strings.Join(c.Lost.All(), "")
}
