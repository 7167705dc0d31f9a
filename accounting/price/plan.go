package price

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Plan is under which tariff a client is from a time on: its name, and what
// cuts its periods. Versions of the tariff that differ in prices alone are the
// same plan.
type Plan struct {
	From    int64 // Unix milliseconds; 0: from ever
	Noticed int64 // the time of the record that told of it
	Tariff  string
	Period  string
	Zone    string
	// Currency; "" for a client without a tariff, whose Tariff is "" too.
	Currency string
}

// Plans are the plans that a client had, has and will have, the oldest first.
type Plans []Plan

// maxPlans bounds what is kept of a client's history; what is older than the
// records that may still come is of no use.
const maxPlans = 40

// String is how a store keeps them: a line for each.
func (p Plans) String() string {
	lines := make([]string, len(p))
	for i, one := range p {
		tariff, currency := one.Tariff, one.Currency
		if tariff == "" {
			tariff, currency = "-", "-"
		}
		lines[i] = fmt.Sprintf("%d %d %s %s %s %s", one.From, one.Noticed, tariff, one.Period, one.Zone, currency)
	}
	return strings.Join(lines, "\n")
}

// ParsePlans reads what String wrote.
func ParsePlans(s string) (Plans, error) {
	if s == "" {
		return nil, nil
	}
	var list Plans
	for line := range strings.SplitSeq(s, "\n") {
		var p Plan
		words := strings.Split(line, " ")
		if len(words) != 6 {
			return nil, fmt.Errorf("plan %q: want six words", line)
		}
		var err, err2 error
		p.From, err = strconv.ParseInt(words[0], 10, 64)
		p.Noticed, err2 = strconv.ParseInt(words[1], 10, 64)
		if err != nil || err2 != nil {
			return nil, fmt.Errorf("plan %q: its times are no numbers", line)
		}
		p.Tariff, p.Period, p.Zone, p.Currency = words[2], words[3], words[4], words[5]
		if p.Tariff == "-" {
			p.Tariff, p.Currency = "", ""
		}
		if _, err := time.LoadLocation(p.Zone); err != nil {
			return nil, fmt.Errorf("plan %q: %w", line, err)
		}
		list = append(list, p)
	}
	return list, nil
}

// Is tells whether two say the same of a client, whenever that begins.
func (p Plan) Is(q Plan) bool {
	return p.Tariff == q.Tariff && p.Period == q.Period && p.Zone == q.Zone && p.Currency == q.Currency
}

// Same tells whether both say the same. Plans that did not change are the same list.
func (p Plans) Same(q Plans) bool {
	return len(p) == len(q) && (len(p) == 0 || &p[0] == &q[0] || slices.Equal(p, q))
}

// location of a plan; ParsePlans and New have checked it.
func (p Plan) location() *time.Location {
	loc, err := time.LoadLocation(p.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// At is the plan that holds at a time.
func (p Plans) At(t time.Time) Plan {
	ms := t.UnixMilli()
	for i := len(p) - 1; i > 0; i-- {
		if p[i].From <= ms {
			return p[i]
		}
	}
	return p[0]
}

// PeriodAt is the period that a time belongs to, of the plan that holds then; ""
// for a client without plans.
func (p Plans) PeriodAt(t time.Time) string {
	if len(p) == 0 {
		return ""
	}
	at := p.At(t)
	return accounting.PeriodOf(at.Period, t, at.location())
}

// ZoneAt is the zone that the plan which holds at a time cuts periods in; "" for a
// client without plans.
func (p Plans) ZoneAt(t time.Time) string {
	if len(p) == 0 {
		return ""
	}
	return p.At(t).Zone
}

// Into writes into an account under what it stands at a time.
func (p Plans) Into(a *accounting.Account, t time.Time) {
	if len(p) == 0 {
		return
	}
	at := p.At(t)
	a.Tariff, a.Currency, a.Period, a.Zone = at.Tariff, at.Currency, at.Period, at.Zone
	a.Pending = len(p) > 1 && p[len(p)-1].From > t.UnixMilli()
}

// With are the plans after a record of the time told that the client is under
// want: from the next period on, when it is another. Older news do not undo
// newer ones. The plans themselves do not change.
func (p Plans) With(want Plan, told, now time.Time) Plans {
	if len(p) == 0 {
		if want.Tariff == "" {
			return nil
		}
		want.From, want.Noticed = 0, told.UnixMilli()
		return Plans{want}
	}
	last := p[len(p)-1]
	wrong := last.Noticed > now.Add(accounting.FutureLimit).UnixMilli() // a clock that was far ahead told of it
	if last.Is(want) && wrong && last.From > last.end(last.end(now)).UnixMilli() {
		// By a right clock it would be in force with the next period.
		list := append(Plans(nil), p...)
		list[len(list)-1].From, list[len(list)-1].Noticed = list[max(0, len(list)-2)].end(now).UnixMilli(), told.UnixMilli()
		return list
	}
	if last.Is(want) || told.UnixMilli() < last.Noticed && !wrong {
		return p
	}
	list := append(Plans(nil), p...)
	if last.From > now.UnixMilli() && len(list) > 1 {
		// What was to come is not any more.
		list = list[:len(list)-1]
		if last = list[len(list)-1]; last.Is(want) {
			list[len(list)-1].Noticed = told.UnixMilli()
			return list
		}
	}
	return list.append(want, told, list.turn(want, now))
}

// turn is when want begins that is to follow the last plan: with the next period, but
// not within one in which there is money of another currency. Of months, weeks and days
// one is over after 40 turns.
func (p Plans) turn(want Plan, now time.Time) time.Time {
	last := p[len(p)-1]
	first := last.end(now)
	for at, n := first, 0; n < 40; at, n = last.end(at), n+1 {
		if !p.mixed(want, at) {
			return at
		}
	}
	return first // what cannot be told apart is refused by the store, record by record
}

// mixed tells whether the period that want would be in at a time was, until then, one of
// a plan with another currency.
func (p Plans) mixed(want Plan, at time.Time) bool {
	period := (Plans{want}).PeriodAt(at)
	for i, one := range p {
		until := at.UnixMilli()
		if i+1 < len(p) {
			until = min(until, p[i+1].From)
		}
		from, to, err := accounting.Span(period, one.location())
		if err == nil && one.Currency != "" && want.Currency != "" && one.Currency != want.Currency && one.Period == want.Period &&
			from.UnixMilli() < until && to.UnixMilli() > one.From {
			return true
		}
	}
	return false
}

// ErrCurrency: of one period all money is of one currency.
var ErrCurrency = errors.New("its currency changes, and its periods stay: that is possible from the next period on only")

// Switch is Now where that makes sense: not when want is in force, nor when one
// period would have two currencies.
func (p Plans) Switch(want Plan, now time.Time) (Plans, error) {
	if len(p) == 0 {
		return p.With(want, now, now), nil
	}
	last := p[len(p)-1]
	at := p.At(now)
	switch {
	case at.Is(want) && last.From <= now.UnixMilli():
		return p, nil
	case at.Currency != "" && want.Currency != "" && at.Currency != want.Currency && p.PeriodAt(now) == (Plans{want}).PeriodAt(now):
		return nil, fmt.Errorf("from %s to %s: %w", at.Currency, want.Currency, ErrCurrency)
	}
	return p.Now(want, now), nil
}

// newsLag is how long after a change gateways may still tell of what was before.
const newsLag = 10 * time.Second

// Now are the plans with want in force at once: what the command with --now
// asks for.
func (p Plans) Now(want Plan, now time.Time) Plans {
	list := append(Plans(nil), p...)
	for len(list) > 0 && list[len(list)-1].From > now.UnixMilli() {
		list = list[:len(list)-1]
	}
	if len(list) == 0 {
		want.From, want.Noticed = 0, now.UnixMilli()
		return Plans{want}
	}
	if last := &list[len(list)-1]; last.Is(want) {
		last.Noticed = now.Add(newsLag).UnixMilli()
		return list
	}
	return list.append(want, now.Add(newsLag), now)
}

func (p Plans) append(want Plan, told, from time.Time) Plans {
	want.From, want.Noticed = from.UnixMilli(), told.UnixMilli()
	p = append(p, want)
	return p[max(0, len(p)-maxPlans):]
}

// end of the period that a time belongs to.
func (p Plan) end(at time.Time) time.Time {
	loc := p.location()
	_, to, err := accounting.Span(accounting.PeriodOf(p.Period, at, loc), loc)
	if err != nil {
		return at
	}
	return to
}
