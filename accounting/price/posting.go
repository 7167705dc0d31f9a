package price

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// ErrTerms: no terms are known for the tariff that a record is to be priced
// under.
var ErrTerms = errors.New("its terms are not known")

// Posting is what a record does to its client's account, but for what depends
// on how much was used before: only the store knows that, when it applies the
// record, since gateways share what is included. Settle says the rest, and so
// does the Redis store's script.
type Posting struct {
	Period string // counted in: of the tariff's kind, or the month
	Month  string // likewise; the same as Period where that is a month
	Day    string // of the accounting time zone

	Tariff *Tariff // nil: nothing is priced
	// Priced bytes: charged, rounded up to the increment.
	Priced int64
	// PerByte is what one of them costs, in parts of a millionth.
	PerByte int64
	// Volume is what all of them cost, Delivery what the delivery costs.
	Volume, Delivery Amount
}

// Desk prepares records for a store.
type Desk struct {
	Book     *Book
	Location *time.Location // of days, and of clients without a tariff
}

// Post prepares a usage record. Plans are those that the store has for the
// client; the ones that come back take their place. An error wraps ErrTerms,
// ErrOverflow or what is wrong with the record; it cannot be applied.
func (d *Desk) Post(r *accounting.Record, plans Plans, now time.Time) (Posting, Plans, error) {
	var tariff *Tariff
	want := Plan{Period: accounting.ByMonth, Zone: d.Location.String()}
	if r.TariffVersion != "" {
		if tariff = d.Book.Find(r.TariffVersion); tariff == nil {
			return Posting{}, nil, fmt.Errorf("usage record %q: tariff %q, version %s: %w", r.ID, r.Tariff, r.TariffVersion, ErrTerms)
		}
		want = tariff.Plan()
	}
	plans = plans.With(want, r.Time, now)
	if len(plans) > 0 {
		if p := plans.At(r.Time); p.Tariff == "" {
			tariff = nil
		} else if tariff == nil || !p.Is(want) {
			if tariff = d.Book.Newest(p); tariff == nil {
				return Posting{}, nil, fmt.Errorf("usage record %q: tariff %q: %w", r.ID, p.Tariff, ErrTerms)
			}
		}
	}
	p, err := d.price(r, tariff)
	return p, plans, err
}

// Span where the account of a time stands: the periods it counts in.
func (d *Desk) periods(at time.Time, tariff *Tariff) Posting {
	loc, kind := d.Location, accounting.ByMonth
	if tariff != nil {
		loc, kind = tariff.zone, tariff.Period
	}
	p := Posting{Month: accounting.Month(at, loc), Day: accounting.Day(at, d.Location), Tariff: tariff}
	if p.Period = p.Month; kind == accounting.ByWeek || kind == accounting.ByDay {
		p.Period = accounting.PeriodOf(kind, at, loc)
	}
	return p
}

func (d *Desk) price(r *accounting.Record, t *Tariff) (Posting, error) {
	p := d.periods(r.Time, t)
	if t == nil {
		return p, nil
	}
	over := func(err error) (Posting, error) {
		return Posting{}, fmt.Errorf("usage record %q: its price under tariff %q: %w", r.ID, t.Name, err)
	}
	if r.Charged > MaxVolume-t.Increment {
		return over(ErrOverflow)
	}
	p.Priced = (r.Charged + t.Increment - 1) / t.Increment * t.Increment
	percent := t.percent(r.Time)
	p.PerByte = t.PerMiB * percent
	var err error
	if p.Volume, err = times(uint64(p.Priced), uint64(p.PerByte)); err != nil {
		return over(err)
	}
	if p.Delivery, err = times(uint64(t.PerDelivery*percent), 1<<20); err != nil {
		return over(err)
	}
	if sum := p.Volume.Add(p.Delivery); sum.Whole > accounting.CounterLimit {
		return over(ErrOverflow)
	}
	return p, nil
}

// Move makes the posting count in the period that a time belongs to: its own
// one is closed.
func (p *Posting) Move(d *Desk, at time.Time) {
	p.Period = d.periods(at, p.Tariff).Period
	p.Month = monthOf(p.Period)
}

// monthOf is the month that counts what came late to a period: the one that it begins
// in, of a week too, whenever in it that came. Its void has nothing but the period to
// tell from where it is to take.
func monthOf(period string) string {
	from, _, err := accounting.Span(period, time.UTC)
	if err != nil {
		return period
	}
	return accounting.Month(from, time.UTC)
}

// Settled is what a record did to its client's account.
type Settled struct {
	Priced, Included   int64 // bytes
	IncludedDeliveries int64 // 0 or 1
	Amount             Amount
}

// Settle prices a record where so much of what is included was used before.
func (p *Posting) Settle(includedBytes, includedDeliveries int64) Settled {
	s := Settled{Priced: p.Priced}
	if p.Tariff == nil {
		return s
	}
	s.Included = min(p.Priced, max(0, p.Tariff.Included-includedBytes))
	switch {
	case s.Included == 0:
		s.Amount = p.Volume
	case s.Included < p.Priced:
		hi, lo := bits.Mul64(uint64(p.Priced-s.Included), uint64(p.PerByte))
		whole, rest := bits.Div64(hi, lo, Parts) // less than Volume, which fits
		s.Amount = Amount{int64(whole), int64(rest)}
	}
	if includedDeliveries < p.Tariff.IncludedDeliveries {
		s.IncludedDeliveries = 1
	} else {
		s.Amount = s.Amount.Add(p.Delivery)
	}
	return s
}

// Neg is what takes it back.
func (s Settled) Neg() Settled {
	return Settled{-s.Priced, -s.Included, -s.IncludedDeliveries, s.Amount.Neg()}
}

// SettledOf reads from a stored record what the store did with it.
func SettledOf(r *accounting.Record) (Settled, error) {
	a, err := ParseAmount(r.Amount)
	if err != nil {
		return Settled{}, fmt.Errorf("record %q: %w", r.ID, err)
	}
	return Settled{r.Priced, r.Included, r.IncludedDelivery, a}, nil
}

// Into writes it into the record that is stored.
func (s Settled) Into(r *accounting.Record, t *Tariff) {
	r.Tariff, r.TariffVersion = "", ""
	if t != nil {
		r.Tariff, r.TariffVersion, r.Currency, r.Amount = t.Name, t.version, t.Currency, s.Amount.String()
	}
	r.Priced, r.Included, r.IncludedDelivery = s.Priced, s.Included, s.IncludedDeliveries
}

// At says where something that is about no message counts, for a client of these
// plans.
func (d *Desk) At(plans Plans, at time.Time) Posting {
	var t *Tariff
	if len(plans) > 0 {
		t = d.Book.Newest(plans.At(at))
	}
	return d.periods(at, t)
}

// Where says where a stored record counts.
func (d *Desk) Where(r *accounting.Record, t *Tariff) Posting {
	p := d.periods(r.At(), t)
	p.Period = r.Period
	// A week lies in two months, and what came in time counts in that of its message.
	if accounting.KindOf(r.Period) != accounting.ByWeek || r.Effect == accounting.Adjustment {
		p.Month = monthOf(r.Period)
	}
	return p
}

// Zone is the one that the posting's period is cut in.
func (p *Posting) Zone(d *Desk) string {
	if p.Tariff != nil {
		return p.Tariff.Timezone
	}
	return d.Location.String()
}

// Late tells whether a posting's period is another than that of now.
func (d *Desk) Late(p *Posting, now time.Time) bool {
	return d.periods(now, p.Tariff).Period != p.Period
}

// End of the period that a time belongs to.
func (p *Posting) End(d *Desk, at time.Time) time.Time {
	plan := Plan{Period: accounting.ByMonth, Zone: d.Location.String()}
	if p.Tariff != nil {
		plan = p.Tariff.Plan()
	}
	return plan.end(at)
}

// Carry adds an amount to an account that shows whole millionths and has so
// many parts of one besides: what its whole millionths change by, and the
// parts then.
func Carry(a Amount, parts int64) (whole, rest int64) {
	sum := a.Add(Amount{Rest: parts})
	return sum.Whole, sum.Rest
}
