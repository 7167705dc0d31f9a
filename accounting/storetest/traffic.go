package storetest

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Traffic is mail, and what it must add up to by a model that knows neither the
// stores nor their arithmetic: duplicates, voids, some of which come first, and
// tariffs whose prices change.
type Traffic struct {
	Book *price.Book
	Mail []accounting.Record

	random *rand.Rand
	want   map[[2]string]*model   // by client and period
	counts map[[2]string]int      // of the records that have an effect
	terms  map[string]price.Terms // by version
}

// Faulty is a store that goes down.
type Faulty struct {
	Store func() accounting.Store // as it is open now
	Keep  func()                  // what was put until now survives
	Crash func()                  // it goes down, and is open again with what survived
	// Other is the same store by another gateway; nil: there is none.
	Other func() accounting.Store
}

// versions are tariffs, each in those that follow each other.
func versions(t testing.TB) (list [][]*price.Tariff) {
	for _, terms := range []price.Terms{
		{Name: "office", PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 3 << 30, IncludedDeliveries: 500},
		{Name: "odd", PerMiB: 7_777_777, PerDelivery: 1, Increment: 7, Included: 1 << 20, Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 33}, {When: "Mo 08:00-12:00", Percent: 0}}},
		{Name: "dear", PerMiB: 100_000_000_001, Period: accounting.ByWeek, Included: 50_000},
	} {
		var one []*price.Tariff
		for range 4 {
			one = append(one, Tariff(t, terms))
			terms.PerMiB += 3
			terms.PerDelivery++
		}
		list = append(list, one)
	}
	return list
}

// NewTraffic makes so many records of 40 clients, and others twice and more.
func NewTraffic(t testing.TB, records int, seed uint64) *Traffic {
	tr := &Traffic{
		random: rand.New(rand.NewPCG(seed, 99)), want: map[[2]string]*model{}, counts: map[[2]string]int{}, terms: map[string]price.Terms{},
	}
	kinds := versions(t)
	var all []*price.Tariff
	for _, f := range kinds {
		all = append(all, f...)
	}
	for _, tariff := range all {
		tr.terms[tariff.Version()] = tariff.Terms
	}
	tr.Book = price.NewBook(all...)
	seen := map[string]bool{}
	took := map[string]took{}
	for n := 0; n < records; {
		client := tr.random.IntN(40)
		at := Now.Add(-time.Duration(tr.random.Int64N(int64(30 * 24 * time.Hour))))
		size := 1 + tr.random.Int64N(3<<20)
		r := Usage(n, fmt.Sprintf("client-%d", client), fmt.Sprintf("u%d@example.org", tr.random.IntN(30)), at, size, tr.random.Int64N(size+1))
		version := n * 4 / records
		if client%4 > 0 {
			r = under(r, kinds[client%4-1][version])
		}
		list := []accounting.Record{r}
		switch n := tr.random.IntN(20); {
		case n < 2:
			list = append(list, accounting.VoidOf(r, at.Add(time.Minute)))
		case n < 3:
			list = []accounting.Record{accounting.VoidOf(r, at.Add(time.Minute)), r}
		case n < 4 && len(tr.Mail) > 0: // an earlier one again, or its void
			r := tr.Mail[tr.random.IntN(len(tr.Mail))]
			list = append(list, r, accounting.VoidOf(r, at))
		}
		n += len(list)
		for i := range list {
			r := &list[i]
			tr.Mail = append(tr.Mail, *r)
			if !seen[r.ID] {
				seen[r.ID] = true
				tr.apply(r, seen, took)
			}
		}
	}
	return tr
}

// took is what a usage record did, to be taken back.
type took struct {
	key [2]string
	model
}

// apply adds a record that comes for the first time.
func (tr *Traffic) apply(r *accounting.Record, seen map[string]bool, done map[string]took) {
	if r.Kind == accounting.Void {
		was, ok := done[r.Voids]
		if !ok {
			return // it came first: neither counts
		}
		tr.want[was.key].take(was.model)
		tr.counts[was.key]++
		return
	}
	if seen[accounting.VoidOf(*r, r.Time).ID] {
		return
	}
	key := [2]string{r.Client, accounting.PeriodOf(tr.terms[r.TariffVersion].Period, r.Time, time.UTC)}
	if tr.want[key] == nil {
		tr.want[key] = &model{}
	}
	tr.counts[key]++
	done[r.ID] = took{key, tr.one(tr.want[key], r)}
}

// bandOf is what the hour of a place is priced at, of 100.
func bandOf(terms price.Terms, at time.Time) int64 {
	if len(terms.Bands) == 0 {
		return 100
	}
	switch day := at.Weekday(); {
	case day == time.Saturday, day == time.Sunday:
		return 33
	case day == time.Monday && at.Hour() >= 8 && at.Hour() < 12:
		return 0
	}
	return 100
}

// take takes back what a record added.
func (m *model) take(was model) {
	was.cost.Neg(was.cost)
	m.add(-was.deliveries, -was.charged, -was.priced, -was.included, -was.free, was.cost)
	was.cost.Neg(was.cost)
}

// Drain puts all mail into a store as a spool does, from the mark on that the store
// holds, while it goes down so many times.
func (tr *Traffic) Drain(t testing.TB, f Faulty, crashes int) {
	t.Helper()
	var session accounting.Session
	at := 0
	connect := func() {
		t.Helper()
		c, ok := f.Store().(accounting.Checkpointer)
		if !ok {
			t.Fatal("the store keeps no mark")
		}
		var err error
		if session, err = c.Session(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = 0
		if text := session.Marks()[0].Text; text != "" {
			if at, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	connect()
	next := func() int { return tr.random.IntN(2*len(tr.Mail)/(crashes+1) + 1) }
	for left, again := crashes, next(); at < len(tr.Mail); {
		end := min(at+1+tr.random.IntN(512), len(tr.Mail))
		if err := session.Put(t.Context(), tr.Mail[at:end], strconv.Itoa(end)); err != nil {
			t.Fatal(err)
		}
		again -= end - at
		at = end
		if tr.random.IntN(8) == 0 {
			if err := session.Move(t.Context(), strconv.Itoa(at)); err != nil {
				t.Fatal(err)
			}
			f.Keep()
		}
		if again <= 0 && left > 0 {
			left, again = left-1, next()
			f.Crash()
			connect()
		}
	}
	if err := session.Move(t.Context(), strconv.Itoa(at)); err != nil {
		t.Fatal(err)
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
}

// Check compares a store with the model: what was counted, and what it costs in
// the order in which the store says that it applied the records.
func (tr *Traffic) Check(t *testing.T, s accounting.Store) {
	t.Helper()
	l, ok := s.(accounting.Ledger)
	if !ok {
		t.Fatal("the store is no ledger")
	}
	owes := map[string]int64{}
	for key, m := range tr.want {
		c, err := l.CounterOf(t.Context(), key[0], key[1])
		if err != nil {
			t.Fatal(err)
		}
		listed := tr.listed(t, l, key)
		if listed.deliveries != m.deliveries || listed.charged != m.charged || listed.priced != m.priced {
			t.Fatalf("%v: its records are %+v, want %+v", key, listed, m)
		}
		listed.check(t, fmt.Sprint(key), c)
		whole, _ := listed.split()
		owes[key[0]] += whole
	}
	for client, owes := range owes {
		a, err := l.Account(t.Context(), client)
		if err != nil || a.Balance != -owes {
			t.Fatalf("%s: balance %d, %v; want %d", client, a.Balance, err, -owes)
		}
	}
	if n, err := s.ParkedCount(t.Context()); n != 0 || err != nil {
		t.Fatal(n, "parked", err)
	}
}

// listed is the model of the records that a store lists.
func (tr *Traffic) listed(t *testing.T, l accounting.Ledger, key [2]string) *model {
	t.Helper()
	m, seen, done := &model{}, map[string]bool{}, map[string]model{}
	n := 0
	if err := l.RecordsOf(t.Context(), key[0], key[1], func(r accounting.Record) error {
		if seen[r.ID] {
			t.Errorf("%s is listed twice", r.ID)
		}
		seen[r.ID] = true
		if r.Effect != "" {
			return nil
		}
		n++
		if r.Kind == accounting.Void {
			m.take(done[r.Voids])
			return nil
		}
		done[r.ID] = tr.one(m, &r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// Where a record must be asked for once more its void may overtake it: then
	// neither has an effect, which is two less.
	if less := tr.counts[key] - n; less < 0 || less%2 != 0 {
		t.Fatalf("%v: %d records, want %d", key, n, tr.counts[key])
	}
	return m
}

// one adds a usage record to a model, and returns what it did.
func (tr *Traffic) one(m *model, r *accounting.Record) model {
	is := model{deliveries: 1, charged: r.Charged, cost: new(big.Rat)}
	if r.TariffVersion == "" {
		m.add(1, r.Charged, 0, 0, 0, is.cost)
		return is
	}
	terms := tr.terms[r.TariffVersion]
	is.priced, is.included, is.free, is.cost = m.apply(r, terms, bandOf(terms, r.Time.UTC()))
	return is
}
