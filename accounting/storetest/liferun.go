package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Run lets it happen, while the store goes down so many times, and compares it with
// the model now and then.
func (l *Life) Run(t *testing.T, f Faulty, crashes int) {
	t.Helper()
	var session accounting.Session
	at := 0
	connect := func() {
		t.Helper()
		var err error
		if session, err = f.Store().(accounting.Checkpointer).Session(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = 0
		if text := session.Marks()[0].Text; text != "" {
			if at, err = strconv.Atoi(text); err != nil {
				t.Fatal(err)
			}
		}
		l.log = slices.DeleteFunc(l.log, func(h happened) bool { return h.batch >= at })
	}
	connect()
	size := min(150, max(4, l.records/400))
	for _, c := range l.clients { // each begins with one of its own
		l.batches = append(l.batches, []accounting.Record{l.mail(c, l.now)})
	}
	every := max(1, l.records/size/(crashes+1))
	for steps := 0; l.sent < l.records || at < len(l.batches); steps++ {
		l.now = l.now.Add(time.Minute)
		l.skew = 0
		if l.random.IntN(3) == 0 {
			l.skew = time.Duration(l.random.IntN(5)-2) * time.Hour
		}
		if at == len(l.batches) {
			n := 1 + l.random.IntN(2*size)
			l.now = l.now.Add(time.Duration(n) * lifeLasts / time.Duration(l.records)).Truncate(time.Millisecond)
			l.batches = append(l.batches, l.batch(n))
			if l.random.IntN(4) == 0 {
				if err := session.Move(t.Context(), strconv.Itoa(at)); err != nil {
					t.Fatal(err)
				}
				f.Keep()
				if f.Other != nil && l.random.IntN(2) == 0 {
					l.other(t, f.Other())
				} else {
					l.other(t, f.Store())
				}
				f.Keep()
			}
		}
		if err := session.Put(t.Context(), l.batches[at], strconv.Itoa(at+1)); err != nil {
			t.Fatal(err)
		}
		l.log = append(l.log, happened{at: l.Now(), batch: at})
		at++
		switch {
		case steps%every == every-1:
			f.Crash()
			connect()
		case l.random.IntN(8) == 0:
			if err := session.Move(t.Context(), strconv.Itoa(at)); err != nil {
				t.Fatal(err)
			}
			f.Keep()
		}
		if steps%(every*4) == every*2 {
			l.Check(t, f.Store())
		}
	}
	if err := errors.Join(session.Move(t.Context(), strconv.Itoa(at)), session.Close()); err != nil {
		t.Fatal(err)
	}
	l.Check(t, f.Store())
	had := l.model().had()
	t.Log(had)
	for _, what := range []string{
		"closes of month", "closes of week", "closes of day", "changes at once", "reversals", "entries of payment", "entries of adjust", "entries of fee", "changes of tariff",
		"late", "under another tariff than told", "voids of late ones, or in another period", "client's periods of day", "client's periods of week",
	} {
		if had[what] == 0 {
			t.Errorf("it had none of these: %s", what)
		}
	}
}

// other does something that is no mail.
func (l *Life) other(t *testing.T, s accounting.Store) {
	t.Helper()
	ledger := s.(accounting.Ledger)
	c := l.clients[l.random.IntN(len(l.clients))]
	family := l.random.IntN(len(l.families)+1) - 1
	switch l.random.IntN(8) {
	case 0: // from the next period on: records tell of it
		c.given = append(c.given, gift{l.Now(), family})
	case 1:
		l.atOnce(t, ledger, c, family)
	case 2, 3, 4:
		l.enter(t, ledger, c)
	default:
		l.seal(t, ledger)
	}
}

// atOnce puts a client under a tariff now.
func (l *Life) atOnce(t *testing.T, ledger accounting.Ledger, c *living, family int) {
	t.Helper()
	text, err := ledger.Plans(t.Context(), c.id)
	if err != nil {
		t.Fatal(err)
	}
	plans, err := price.ParsePlans(text)
	if err != nil || len(plans) == 0 {
		return
	}
	want := price.Plan{Period: accounting.ByMonth, Zone: l.Location.String()}
	if family >= 0 {
		want = l.families[family][0].Plan()
	}
	next, err := plans.Switch(want, l.Now())
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := ledger.SetPlans(t.Context(), c.id, text, next.String()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	c.given = append(c.given, gift{l.Now(), family})
	l.log = append(l.log, happened{at: l.Now(), batch: -1, switched: &living{c.id, []gift{{l.Now(), family}}}})
}

// enter books money: new, again, as another, taken back once or twice.
func (l *Life) enter(t *testing.T, ledger accounting.Ledger, c *living) {
	t.Helper()
	kinds := []string{accounting.Payment, accounting.Adjust, accounting.Fee}
	l.number++
	r := entry(fmt.Sprint("e", l.number), kinds[l.random.IntN(3)], c.id, strconv.FormatInt(1+l.random.Int64N(1e9), 10), "RUB")
	r.Time = l.Now().UTC()
	want, wrong := true, error(nil)
	if n := len(l.entries); n > 0 {
		was := l.entries[l.random.IntN(n)]
		taken := slices.ContainsFunc(l.entries, func(o accounting.Record) bool { return o.Reverses == was.ID })
		switch k := l.random.IntN(7); {
		case k == 0:
			r, want = was, false
			r.Time = l.Now().UTC()
		case k == 1:
			r, want, wrong = was, false, accounting.ErrConflict
			r.Amount += "1"
		case k < 5 && was.Kind != accounting.Fee && was.Reverses == "":
			r.Kind, r.Client, r.Amount, r.Reverses = was.Kind, was.Client, "-"+was.Amount, was.ID
			if taken {
				want, wrong = false, accounting.ErrReversed
			}
		}
	}
	if ok, err := ledger.Enter(t.Context(), r); ok != want || !errors.Is(err, wrong) {
		t.Fatalf("%+v: %v, %v; want %v, %v", r, ok, err, want, wrong)
	}
	if want {
		l.entries = append(l.entries, r)
		l.log = append(l.log, happened{at: l.Now(), batch: -1, entry: &r})
	}
}

// seal closes a period that ended days ago, of all clients.
func (l *Life) seal(t *testing.T, ledger accounting.Ledger) {
	t.Helper()
	ago := time.Duration(3+l.random.IntN(20)) * 24 * time.Hour
	period := accounting.PeriodOf([]string{accounting.ByMonth, accounting.ByWeek, accounting.ByDay}[l.random.IntN(3)], l.now.Add(-ago), time.UTC)
	_, end, err := accounting.Span(period, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if l.sealed[period] || l.now.Sub(end) < 2*24*time.Hour {
		return
	}
	clients, err := ledger.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clients {
		if err := ledger.ClosePeriod(t.Context(), c, period); err != nil {
			t.Fatal(err)
		}
	}
	l.sealed[period] = true
	one := accounting.Close{Number: len(l.sealed), Period: period, Hash: "x", Time: l.now.UTC().Format(time.RFC3339), By: "root"}
	if err := ledger.SetClose(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	l.log = append(l.log, happened{at: l.Now(), batch: -1, seal: period})
}
