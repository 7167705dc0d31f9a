package storetest

import (
	"fmt"
	"maps"
	"math/big"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
)

// had is what a life had of what may go wrong.
func (m *lifeModel) had() map[string]int {
	n := map[string]int{}
	for _, h := range m.l.log {
		n["batches"]++
		switch {
		case h.seal != "":
			n["closes of "+accounting.KindOf(h.seal)]++
		case h.switched != nil:
			n["changes at once"]++
		case h.entry != nil && h.entry.Reverses != "":
			n["reversals"]++
		case h.entry != nil:
			n["entries of "+h.entry.Kind]++
		}
	}
	for _, c := range m.clients {
		for _, p := range c.plans {
			if !p.from.IsZero() && p.from.Before(m.l.Now()) {
				n["changes of tariff"]++
			}
		}
		for _, p := range c.placed {
			if p.effect != "" {
				n["late"]++
			}
			if p.tariff != nil && p.r.Tariff != p.tariff.Name {
				n["under another tariff than told"]++
			}
		}
		for period, all := range c.billed {
			for id, effect := range all {
				if c.placed[id] == nil && effect != "." {
					n["voids of late ones, or in another period"]++
				}
				if c.placed[id] == nil {
					n["voids"]++
				}
			}
			n["client's periods of "+accounting.KindOf(period)]++
		}
	}
	return n
}

// Check compares a store with the model.
func (l *Life) Check(t *testing.T, s accounting.Store) {
	t.Helper()
	m, ledger := l.model(), s.(accounting.Ledger)
	var standings []accounting.Standing
	for _, who := range l.clients {
		c := m.clients[who.id]
		balance := int64(0)
		keys := map[string]bool{}
		for key := range c.sums {
			keys[key] = true
		}
		for key := range c.money {
			keys[key] = true
		}
		for key := range keys {
			c.priced(t, ledger, who.id, key)
			got, err := ledger.CounterOf(t.Context(), who.id, key)
			if err != nil {
				t.Fatal(err)
			}
			priced := c.models[key]
			whole, parts := priced.split()
			money := c.money[key]
			want := accounting.Counter{
				Client: who.id, Period: key, Deliveries: c.sums[key][0], Size: c.sums[key][1], Charged: c.sums[key][2], Priced: priced.priced,
				Included: priced.included, IncludedDeliveries: priced.free, Cost: whole, Frac: parts,
				Paid: money[accounting.Payment], Adjusted: money[accounting.Adjust], Fee: money[accounting.Fee], Closed: m.sealed[key],
			}
			got.Currency, got.Recipients = "", nil
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Fatalf("at %s, %s %s: got  %+v\nwant %+v\nplans %+v", l.Now(), who.id, key, got, want, c.plans)
			}
			balance += want.Paid + want.Adjusted - want.Fee - whole
		}
		a, err := ledger.Account(t.Context(), who.id)
		if err != nil || a.Balance != balance {
			t.Fatalf("%s: balance %d, %v; want %d", who.id, a.Balance, err, balance)
		}
		standings = append(standings, accounting.Standing{Client: who.id, Period: accounting.Month(l.Now(), l.Location), Day: accounting.Day(l.Now(), l.Location), Balance: balance})
	}
	got, err := ledger.Standings(t.Context(), standings)
	if err != nil {
		t.Fatal(err)
	}
	for i, is := range got {
		c := m.clients[is.Client]
		period := l.period(c.at(l.Now()), l.Now())
		if is.Err != nil || is.Period != period || is.Used != c.sums[period][2] || is.UsedDay != c.days[is.Day] || is.Balance != standings[i].Balance {
			t.Fatalf("at %s: %+v; want %d in %s, %d on the day", l.Now(), is, c.sums[period][2], period, c.days[is.Day])
		}
	}
	if n, err := s.ParkedCount(t.Context()); n != 0 || err != nil {
		_ = s.Parked(t.Context(), func(r accounting.Record, why string) error { t.Log(r.ID, why); return nil })
		t.Fatal(n, "parked", err)
	}
}

// priced works out what a client's period costs, by its records in their order, and
// that they are those that belong there.
func (c *lived) priced(t *testing.T, ledger accounting.Ledger, client, period string) {
	t.Helper()
	if c.models[period] != nil {
		return
	}
	m := &model{}
	c.models[period] = m
	m.add(0, 0, 0, 0, 0, new(big.Rat))
	var list []accounting.Record
	if err := ledger.RecordsOf(t.Context(), client, period, func(r accounting.Record) error {
		if r.Kind == accounting.Usage || r.Kind == accounting.Void {
			list = append(list, r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	effects := map[string]string{}
	for i := range list {
		r := &list[i]
		if r.Effect == accounting.NoEffect {
			continue
		}
		if effects[r.ID] != "" {
			t.Fatalf("%s is listed twice", r.ID)
		}
		effects[r.ID] = r.Effect + "."
		if r.Kind == accounting.Void {
			was, ok := c.pound[r.Voids]
			if !ok && c.placed[r.Voids] != nil {
				c.priced(t, ledger, client, c.placed[r.Voids].period)
				was, ok = c.pound[r.Voids]
			}
			if !ok {
				t.Fatalf("%s voids what nobody knows", r.ID)
			}
			m.take(was)
			continue
		}
		p := c.placed[r.ID]
		if p == nil {
			t.Fatalf("%s, %s: nobody knows %s", client, period, r.ID)
		}
		c.pound[r.ID] = m.oneOf(p)
	}
	if !maps.Equal(effects, c.billed[period]) {
		for id, e := range effects {
			if c.billed[period][id] != e {
				t.Errorf("%s, %s has %s as %q, want %q", client, period, id, e, c.billed[period][id])
			}
		}
		for id, e := range c.billed[period] {
			if effects[id] == "" {
				t.Errorf("%s, %s lacks %s, %q", client, period, id, e)
			}
		}
		t.FailNow()
	}
}

// oneOf adds a usage record, and returns what it did.
func (m *model) oneOf(p *placed) model {
	is := model{deliveries: 1, charged: p.r.Charged, cost: new(big.Rat)}
	if p.tariff == nil {
		m.add(1, p.r.Charged, 0, 0, 0, is.cost)
		return is
	}
	is.priced, is.included, is.free, is.cost = m.apply(&p.r, p.tariff.Terms, bandOf(p.tariff.Terms, p.r.Time.In(p.tariff.Zone())))
	return is
}
