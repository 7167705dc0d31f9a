package storetest

import (
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// lifeModel works out what a life comes to: where each record counts, from what
// happened in its order; and what it costs, in the order in which the store says that it
// applied the records of a period.
type lifeModel struct {
	l       *Life
	sealed  map[string]bool
	clients map[string]*lived
}

// lived is a client's account.
type lived struct {
	plans  []lifePlan
	placed map[string]*placed           // by record
	seen   map[string]bool              // marks
	sums   map[string][3]int64          // deliveries, size, charged by period or month
	days   map[string]int64             // charged
	billed map[string]map[string]string // by period, the effects of its records
	money  map[string]map[string]int64  // by period and kind
	models map[string]*model            // by period, once priced
	pound  map[string]model             // what a record did
}

// lifePlan is under which tariff a client is from a time on.
type lifePlan struct {
	from, noticed time.Time
	family        int
}

// placed is where a record counts.
type placed struct {
	r             accounting.Record
	tariff        *price.Tariff
	period, month string
	effect        string
}

// model works it out up to now.
func (l *Life) model() *lifeModel {
	m := &lifeModel{l: l, sealed: map[string]bool{}, clients: map[string]*lived{}}
	for _, c := range l.clients {
		m.clients[c.id] = &lived{
			placed: map[string]*placed{}, seen: map[string]bool{}, sums: map[string][3]int64{}, days: map[string]int64{},
			billed: map[string]map[string]string{}, money: map[string]map[string]int64{}, models: map[string]*model{}, pound: map[string]model{},
		}
	}
	for _, h := range l.log {
		switch {
		case h.seal != "":
			m.sealed[h.seal] = true
		case h.entry != nil:
			m.entry(h.entry, h.at)
		case h.switched != nil:
			c := m.clients[h.switched.id]
			c.atOnce(h.switched.given[0].family, h.at)
		default:
			for i := range l.batches[h.batch] {
				m.record(&l.batches[h.batch][i], h.at)
			}
		}
	}
	return m
}

// cut is how a family's periods are named.
func (l *Life) cut(family int) (kind string, zone *time.Location) {
	if family < 0 {
		return accounting.ByMonth, l.Location
	}
	return l.families[family][0].Period, l.families[family][0].Zone()
}

func (l *Life) period(family int, at time.Time) string {
	kind, zone := l.cut(family)
	local := at.In(zone)
	switch kind {
	case accounting.ByDay:
		return local.Format("2006-01-02")
	case accounting.ByWeek:
		year, week := local.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	}
	return local.Format("2006-01")
}

// turn is when the period ends that a time is in.
func (l *Life) turn(family int, at time.Time) time.Time {
	is := l.period(family, at)
	for at = at.UTC().Truncate(15 * time.Minute); l.period(family, at) == is; {
		at = at.Add(15 * time.Minute)
	}
	return at
}

// tell changes plans as a record of a time says: from the next period on.
func (c *lived) tell(l *Life, family int, told, now time.Time) {
	if len(c.plans) == 0 {
		if family >= 0 {
			c.plans = []lifePlan{{time.Time{}, told, family}}
		}
		return
	}
	last := &c.plans[len(c.plans)-1]
	if last.family == family || told.Before(last.noticed) {
		return
	}
	if last.from.After(now) && len(c.plans) > 1 { // what was to come is not any more
		c.plans = c.plans[:len(c.plans)-1]
		if last = &c.plans[len(c.plans)-1]; last.family == family {
			last.noticed = told
			return
		}
	}
	c.plans = append(c.plans, lifePlan{l.turn(last.family, now), told, family})
}

// atOnce is for somebody's command. Gateways may tell of what was before for some
// seconds.
func (c *lived) atOnce(family int, now time.Time) {
	last := c.plans[len(c.plans)-1]
	if c.at(now) == family && !last.from.After(now) {
		return
	}
	for len(c.plans) > 0 && c.plans[len(c.plans)-1].from.After(now) {
		c.plans = c.plans[:len(c.plans)-1]
	}
	if n := len(c.plans); n > 0 && c.plans[n-1].family == family {
		c.plans[n-1].noticed = now.Add(10 * time.Second)
		return
	}
	c.plans = append(c.plans, lifePlan{now, now.Add(10 * time.Second), family})
}

// at is the family that holds at a time.
func (c *lived) at(t time.Time) int {
	if len(c.plans) == 0 {
		return -1
	}
	is := c.plans[0].family
	for _, p := range c.plans[1:] {
		if !p.from.After(t) {
			is = p.family
		}
	}
	return is
}

// record places one.
func (m *lifeModel) record(r *accounting.Record, now time.Time) {
	c := m.clients[r.Client]
	own, other := r.ID, "void of "+r.ID
	if r.Kind == accounting.Void {
		own, other = "void of "+r.Voids, r.Voids
	}
	if c.seen[own] {
		return
	}
	c.seen[own] = true
	if c.seen[other] != (r.Kind == accounting.Void) {
		return // of no effect
	}
	if r.Kind == accounting.Void {
		was := c.placed[r.Voids]
		is := *was
		if m.sealed[is.period] {
			is.move(m.l, now)
		}
		c.add(m.l, r.ID, &is, -1)
		return
	}
	family := -1
	for i, versions := range m.l.families {
		if versions[0].Name == r.Tariff {
			family = i
		}
	}
	c.tell(m.l, family, r.Time, now)
	is := &placed{r: *r}
	holds := c.at(r.Time)
	switch {
	case holds < 0:
	case holds == family:
		is.tariff = m.l.Book.Find(r.TariffVersion)
	default:
		is.tariff = m.l.families[holds][2] // the newest
	}
	_, zone := m.l.cut(holds)
	is.period, is.month = m.l.period(holds, r.Time), r.Time.In(zone).Format("2006-01")
	if m.sealed[is.period] {
		is.move(m.l, now)
	}
	c.placed[r.ID] = is
	c.add(m.l, r.ID, is, 1)
}

// move has it count in the period under way.
func (p *placed) move(l *Life, now time.Time) {
	family := -1
	for i, versions := range l.families {
		if p.tariff != nil && versions[0].Name == p.tariff.Name {
			family = i
		}
	}
	p.period, p.effect = l.period(family, now), accounting.Adjustment
	p.month = p.period
	if kind, zone := l.cut(family); kind != accounting.ByMonth {
		at := now.In(zone)
		if kind == accounting.ByWeek { // the month of its Monday
			at = at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
		}
		p.month = at.Format("2006-01")
	}
}

// add counts it, or takes it back.
func (c *lived) add(l *Life, id string, p *placed, sign int64) {
	for _, key := range []string{p.period, p.month} {
		if key == p.month && p.month == p.period && c.billed[key][id] != "" {
			continue
		}
		s := c.sums[key]
		c.sums[key] = [3]int64{s[0] + sign, s[1] + sign*p.r.Size, s[2] + sign*p.r.Charged}
		if key == p.period {
			if c.billed[key] == nil {
				c.billed[key] = map[string]string{}
			}
			c.billed[key][id] = p.effect + "."
		}
	}
	c.days[p.r.Time.In(l.Location).Format("2006-01-02")] += sign * p.r.Charged
}

// entry books money.
func (m *lifeModel) entry(r *accounting.Record, now time.Time) {
	c := m.clients[r.Client]
	period := m.l.period(c.at(now), now)
	if c.money[period] == nil {
		c.money[period] = map[string]int64{}
	}
	var amount int64
	fmt.Sscan(r.Amount, &amount)
	c.money[period][r.Kind] += amount
}
