package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// work is a record on its way into the store.
//
// The caller works out all that does not depend on what the account holds; the
// script does the rest, in one step with what it writes, so that gateways that
// share an included volume never wait for each other, nor try again. What it
// needs of the account besides and cannot know beforehand (the tariffs that a
// client is under, where a voided record stands, whether a period is closed)
// changes so seldom that the caller guesses: the script says when it was wrong.
type work struct {
	r       *accounting.Record // as it came
	stored  accounting.Record  // as it is to be stored
	posting price.Posting
	found   *accounting.Record // of a void: the record that it takes back
	moves   int                // closed periods that were met

	before, plans string // the client's plans: as known, and as they are to be
	asked         int64  // what the script said when it was not done
	standing      *accounting.Standing
	unreadable    error // why the record that a void is about could not be looked for
}

var (
	errLimit = errors.New("a counter would pass its limit")
	errAway  = errors.New("the record that it voids is in an archive")
)

// planned is what is known of a client's plans.
type planned struct {
	text string
	list price.Plans
}

// maxPlanned bounds the clients whose plans are remembered.
const maxPlanned = 200_000

func (s *Store) plansOf(client string) planned {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.planned[client]
}

func (s *Store) setPlans(client string, p planned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.planned) >= maxPlanned {
		clear(s.planned)
	}
	s.planned[client] = p
}

// prepare works out what the record does to its account as far as it is known.
func (se *session) prepare(ctx context.Context, w *work, now time.Time) error {
	s := se.s
	w.stored = *w.r
	known := s.plansOf(w.r.Client)
	w.before, w.plans = known.text, known.text
	about, list, currency := *w.r, known.list, ""
	about.Time = w.r.Origin()
	switch {
	case w.unreadable != nil:
		return fmt.Errorf("void record %q: %w: %w", w.r.ID, accounting.ErrUnreadable, w.unreadable)
	case w.r.Kind == accounting.Void && w.found != nil:
		// Another gateway may have priced it.
		if v := w.found.TariffVersion; v != "" && s.o.Book.Find(v) == nil {
			if err := se.learn(ctx, v); err != nil {
				return err
			}
		}
		w.posting = s.desk.Where(w.found, s.o.Book.Find(w.found.TariffVersion))
		take := &w.stored
		take.Size, take.Charged, take.Recipient = w.found.Size, w.found.Charged, w.found.Recipient
		take.Tariff, take.TariffVersion, take.Currency = w.found.Tariff, w.found.TariffVersion, w.found.Currency
		take.Priced, take.Included, take.IncludedDelivery, take.Amount = w.found.Priced, w.found.Included, w.found.IncludedDelivery, w.found.Amount
		if w.found.Effect == accounting.Adjustment {
			take.Effect = accounting.Adjustment
		}
		currency = w.found.Currency
	case w.r.Kind == accounting.Void && w.asked == notFound:
		return fmt.Errorf("void record %q: %w", w.r.ID, errAway)
	case w.r.Kind == accounting.Void:
		// Where it would stand if its record never came.
		p, _, err := s.desk.Post(&about, known.list, now)
		if err != nil {
			about.Tariff, about.TariffVersion = "", ""
			if p, _, err = s.desk.Post(&about, nil, now); err != nil {
				return err
			}
		}
		w.posting = p
	default:
		p, plans, err := s.desk.Post(w.r, known.list, now)
		if errors.Is(err, price.ErrTerms) {
			if err := se.learn(ctx, w.r.TariffVersion); err != nil {
				return err
			}
			p, plans, err = s.desk.Post(w.r, known.list, now)
		}
		if err != nil {
			return err
		}
		w.posting, list = p, plans
		if n := len(plans); n != len(known.list) || n > 0 && plans[n-1] != known.list[n-1] {
			w.plans = plans.String()
			s.setPlans(w.r.Client, planned{w.plans, plans})
		}
		if t := p.Tariff; t != nil {
			w.stored.Tariff, w.stored.TariffVersion, w.stored.Currency = t.Name, t.Version(), t.Currency
			currency = t.Currency
		} else {
			w.stored.Tariff, w.stored.TariffVersion = "", ""
		}
	}
	if err := list.Take(currency, now); err != nil {
		// Another gateway may have changed what is known here.
		if stale, failed := se.stale(ctx, w); failed != nil {
			return failed
		} else if stale {
			return se.prepare(ctx, w, now)
		}
		return fmt.Errorf("record %q: %w", w.r.ID, err)
	}
	return se.move(ctx, w, now)
}

// stale reads a client's plans, and tells whether a record was prepared by others.
func (se *session) stale(ctx context.Context, w *work) (bool, error) {
	key := se.s.accountKey(w.r.Client)
	p, err := se.owner(key)
	if err != nil {
		return false, err
	}
	v, err := p.ask(ctx, Call{"HGET", key, "plans"})
	if err != nil {
		return false, err
	}
	text, _ := v.(string)
	if text == w.before {
		return false, nil
	}
	list, err := price.ParsePlans(text)
	if err != nil {
		return false, fmt.Errorf("%w: %s: %w", accounting.ErrUnreadable, key, err)
	}
	se.s.setPlans(w.r.Client, planned{text, list})
	return true, nil
}

// arguments of the script.
func (s *Store) arguments(w *work, now time.Time) (keys []string, args []any) {
	r, p := &w.stored, &w.posting
	own, other := r.Marks()
	keys = []string{
		s.key(r.Client, "seen", accounting.Day(r.Origin(), time.UTC)), s.key(r.Client, "use", p.Period), s.key(r.Client, "use", p.Month),
		s.key(r.Client, "rcpt", p.Month), s.key(r.Client, "day", p.Day), s.key(r.Client, "rec", p.Period),
		s.accountKey(r.Client), s.periodsKey(r.Client), s.appliedKey(r.Client),
	}
	kind := r.Kind
	if kind == accounting.Void && w.found == nil {
		kind = "find"
	}
	name := r.Recipient
	if len(name) > accounting.MaxRecipient {
		name = accounting.Other
	}
	channel := ""
	if s.o.Standing != nil && (s.o.Limited == nil || s.o.Limited(r.Client)) {
		channel = s.standingChannel()
	}
	deliveries, size, charged := r.Delta()
	args = append(make([]any, 0, 110),
		member(own), member(other), kind,
		// Beyond what Fit asks for; counted by this clock, not the server's.
		seconds(r.Origin().AddDate(0, 0, s.o.SeenDays+2).Sub(now)), seconds(r.At().AddDate(0, 0, s.o.DayDays).Sub(now)),
		s.o.Recipients, name, deliveries, size, charged,
		w.before, w.plans, p.Period, channel, r.Client, p.Day)
	args = appendPrice(args, w)
	r.Period = "" // the stream's key says it
	return keys, r.AppendFields(args)
}

// appendPrice appends what the script prices by.
func appendPrice(args []any, w *work) []any {
	amount := func(a price.Amount) { args = append(args, a.Whole, a.Rest, a.String()) }
	p, none := &w.posting, price.Amount{}
	switch {
	case w.found != nil && w.found.Amount != "":
		// The record was read from the store, and checked.
		s, _ := price.SettledOf(w.found)
		args = append(args, "1", -s.Priced, -s.Included, -s.IncludedDeliveries, 0,
			-s.Amount.Whole, -s.Amount.Rest, "")
		amount(none)
		amount(none)
	case w.found == nil && p.Tariff != nil && w.r.Kind == accounting.Usage:
		args = append(args, "1", p.Priced, p.Tariff.Included, p.Tariff.IncludedDeliveries, p.PerByte)
		amount(p.Volume)
		amount(p.Delivery)
		amount(p.Volume.Add(p.Delivery))
	default:
		args = append(args, "", 0, 0, 0, 0)
		for range 3 {
			amount(none)
		}
	}
	return args
}

// answer reads what the script said; false when the record is to be asked
// about again.
func (s *Store) answer(w *work, v any) (done bool, err error) {
	if err, ok := v.(error); ok {
		return false, fmt.Errorf("usage record %q: %w: %w", w.r.ID, accounting.ErrUnreadable, err)
	}
	list, several := v.([]any)
	if several && len(list) > 0 {
		v = list[0]
	}
	answer, ok := v.(int64)
	w.asked = answer
	switch {
	case !ok:
	case answer == known, answer == remembered, answer == applied && !several:
		return true, nil
	case answer == applied && len(list) == 5:
		st := accounting.Standing{Client: w.r.Client, Period: w.posting.Period, Zone: w.posting.Zone(s.desk), Day: w.posting.Day}
		if err := readStanding(&st, list[1:]); err != nil {
			return false, fmt.Errorf("%w: to record %q: %w", ErrReply, w.r.ID, err)
		}
		w.standing = &st
		return true, nil
	case answer == beyondLimit:
		return false, fmt.Errorf("usage record %q: %w", w.r.ID, errLimit)
	case answer == otherMoney:
		return false, fmt.Errorf("usage record %q: %w: this is of %s, and %s has another: adjust the account by hand", w.r.ID, accounting.ErrCurrency, w.stored.Currency, w.posting.Period)
	case answer == otherPlans && len(list) == 2:
		text, _ := list[1].(string)
		plans, err := price.ParsePlans(text)
		if err != nil {
			return false, fmt.Errorf("usage record %q: %w: %s: %w", w.r.ID, accounting.ErrUnreadable, s.accountKey(w.r.Client), err)
		}
		s.setPlans(w.r.Client, planned{text, plans})
		return false, nil
	case answer == notFound && w.r.Kind == accounting.Void && w.found == nil:
		return false, nil
	case answer == periodClosed:
		w.moves++
		return false, nil
	}
	return false, fmt.Errorf("%w: to record %q: %v", ErrReply, w.r.ID, v)
}

// tell tells of clients' standing.
func (s *Store) tell(list []accounting.Standing) {
	if s.o.Standing != nil && len(list) > 0 {
		s.o.Standing(list)
	}
}

// learn reads the terms of a version that the book does not have. What somebody has
// made of them is no matter of other records: who needs them is parked.
func (se *session) learn(ctx context.Context, version string) error {
	p, err := se.owner(se.s.tariffsKey())
	if err != nil {
		return err
	}
	v, err := p.ask(ctx, Call{"HGET", se.s.tariffsKey(), version})
	text, ok := v.(string)
	if err != nil || !ok {
		return err
	}
	t, err := price.ParseTerms([]byte(text))
	if err == nil && t.Version() != version {
		err = fmt.Errorf("it has the terms of version %s", t.Version())
	}
	if err != nil {
		return fmt.Errorf("%w: %s: version %s: %w", price.ErrTerms, se.s.tariffsKey(), version, err)
	}
	se.s.o.Book.Learn(t)
	return nil
}
