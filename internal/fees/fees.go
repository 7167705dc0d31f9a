// Package fees books what tariffs cost by period: once for each period that a
// client is under a tariff with a fee, also for clients without mail, and also
// where nobody ran when the period turned.
package fees

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/directory"
)

const (
	// MostMissed is for how long nobody may have run for the fees of meanwhile to be
	// made up for: what is longer is a wrong clock, or a matter for people.
	MostMissed = 400 * 24 * time.Hour

	// shortest is what no period is shorter than.
	shortest = 23 * time.Hour
	// told is how often the store is told how far fees are booked while nothing
	// is due.
	told = 10 * time.Minute
	// steady is how long the clock must be far from what the store was told, behind
	// it or ahead, before it is believed.
	steady = time.Hour
	// mostFailed is after how many failures in a row the rest waits for the next
	// round.
	mostFailed = 3
)

// Clients are those of now, and how often what the store has came into doubt.
type Clients interface {
	Snapshot() *directory.Directory
	Doubts() uint64
}

// Charger books fees. Its Round is for one goroutine, Again for all.
type Charger struct {
	Ledger  accounting.Ledger
	Clients Clients
	Book    *price.Book
	// Location has the months of clients without a tariff; nil: UTC.
	Location *time.Location
	Gateway  func() string
	Now      func() time.Time
	Log      *slog.Logger
	// Seen is a file of this gateway's for what the store said last; "" for none.
	Seen string
	// Store names the store, so that another one is told apart from one that was set back.
	Store string
	// Lost has what the store has forgotten; nil: of this Charger alone.
	Lost *Losses

	done     map[string]string // client: the period whose fee was looked after
	told     map[string]string // client: the version of its tariff when it was seen last
	news     map[string]bool   // clients of whose tariff the store is to be told
	said     map[part]string   // of what cannot be read: why
	again    sync.Map          // clients to be looked at anew
	doubts   uint64            // when done began
	last     time.Time         // when the store was told
	behind   time.Time         // since when the clock is behind what it was told
	gap      time.Time         // since when it says that nobody ran for long
	seen     time.Time         // until when fees were looked after, by the store
	seenIn   string            // by which one
	recalled bool              // seen was read from its file
}

// Again has a client looked at with the next round, whatever was booked: its tariff is
// another from now on.
func (c *Charger) Again(client string) { c.again.Store(client, true) }

// Round books what is due. After an error the next round begins where this one
// did.
func (c *Charger) Round(ctx context.Context) error {
	clients := c.Clients.Snapshot()
	if clients == nil {
		return nil
	}
	// A store that was set back has lost what was booked in it.
	if d := c.Clients.Doubts(); c.done == nil || d != c.doubts {
		c.done, c.doubts, c.last = map[string]string{}, d, time.Time{}
		c.told, c.news = map[string]string{}, map[string]bool{}
	}
	c.again.Range(func(client, _ any) bool {
		c.again.Delete(client)
		delete(c.done, client.(string))
		return true
	})
	now := c.Now()
	through, err := c.Ledger.FeesThrough(ctx)
	if err != nil {
		return err
	}
	c.compare(through, now)
	through = c.believed(through, now)
	if c.waits(through, now) {
		return nil
	}
	if err := c.notice(ctx, clients.Clients()); err != nil {
		return err
	}
	booked, failed, row := 0, error(nil), 0
	for _, client := range clients.Clients() {
		n, err := c.charge(ctx, client, through, now)
		if booked += n; err == nil {
			row = 0
			continue
		}
		if errors.Is(err, accounting.ErrUnreadable) {
			c.unreadable(client.ID, ofPlans, err) // which is no matter of the others
			continue
		}
		failed = fmt.Errorf("client %s: %w", client.ID, err)
		if row++; row == mostFailed || ctx.Err() != nil {
			return failed
		}
	}
	if failed != nil {
		return failed
	}
	if now.After(through) && (booked > 0 || now.Sub(c.last) >= told || now.Before(c.last)) {
		if err := c.Ledger.SetFeesThrough(ctx, now); err != nil {
			return err
		}
		c.last = now
	}
	return nil
}

// believed is until when fees are booked, as far as that can be: zero when nobody
// ever said so.
func (c *Charger) believed(through, now time.Time) time.Time {
	if !through.After(now) {
		c.behind = time.Time{}
		return through
	}
	// This clock is behind, or another was ahead.
	if c.behind.IsZero() || now.Before(c.behind) {
		c.behind = now
	}
	if now.Sub(c.behind) < steady {
		return through
	}
	c.Log.Warn("fees are booked until a time that is yet to come: a clock was wrong", "until", through)
	return time.Time{}
}

// waits tells whether what the clock says is to hold for some time before anything
// is booked by it: either nobody ran for long, or it was set forward. Where the
// clock of the machine begins wrong and is put right by NTP, nobody pays the fees
// of a year for that.
func (c *Charger) waits(through, now time.Time) bool {
	if through.IsZero() || now.Sub(through) < shortest {
		c.gap = time.Time{}
		return false
	}
	if c.gap.IsZero() || now.Before(c.gap) {
		c.gap = now
		c.Log.Warn("nobody looked after fees for long: they are booked when this clock has held for some time", "since", through, "wait", steady)
	}
	return now.Sub(c.gap) < steady
}

// charge books what one client owes, and tells how much that was.
func (c *Charger) charge(ctx context.Context, client *accounting.Client, through, now time.Time) (booked int, err error) {
	t := c.Book.Find(client.TariffVersion)
	mark := accounting.Month(now, time.UTC)
	if t != nil {
		mark = t.PeriodOf(now) + " " + client.TariffVersion
	}
	news := c.news[client.ID]
	if c.done[client.ID] == mark && !news {
		return 0, nil
	}
	if (t == nil || t.Fee == 0) && now.Sub(through) < shortest && !news {
		return 0, nil
	}
	text, err := c.Ledger.Plans(ctx, client.ID)
	if err != nil {
		return 0, err
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", accounting.ErrUnreadable, err)
	}
	if len(plans) > 0 {
		// Where there is no mail, no record tells the store of another tariff, or of
		// none.
		next := plans.With(c.wanted(t), now, now)
		if told := next.String(); told != text {
			if done, err := c.Ledger.SetPlans(ctx, client.ID, text, told); err != nil || !done {
				return 0, err // changed meanwhile: the next round sees to it
			}
			plans = next
		}
		if err := c.warn(ctx, client.ID, plans, t, now); err != nil {
			return 0, err
		}
	}
	delete(c.news, client.ID)
	due, err := c.missed(ctx, client, t, plans, through, now)
	if err != nil {
		return 0, err
	}
	// A tariff that was changed, or taken away, holds until the next period.
	holds := c.under(plans, now, t)
	if through.After(now) && holds != nil && holds.PeriodOf(now) != holds.PeriodOf(through) {
		return 0, nil // the clock is behind
	}
	if r, ok := c.of(client, holds, now); ok {
		owed, err := c.goesOn(ctx, client, due, plans, holds, t, now)
		if err != nil {
			return 0, err
		}
		if owed {
			due = append(due, r)
		}
	}
	for _, r := range due {
		is, err := c.Ledger.Enter(ctx, r)
		switch {
		case errors.Is(err, accounting.ErrConflict):
			// A fee that was booked at another price stays as it was.
		case errors.Is(err, accounting.ErrCurrency):
			c.Log.Error("a fee is not booked: book it as an adjustment", "client", client.ID, "period", r.Period, "amount", r.Amount, "currency", r.Currency, "error", err)
		case err != nil:
			return booked, err
		}
		if is {
			booked++
		}
	}
	c.done[client.ID] = mark
	delete(c.said, part{client.ID, ofPlans})
	return booked, nil
}

// under is the tariff that a client is under at a time, in the version of now where
// its plan is the same; nil for none.
func (c *Charger) under(plans price.Plans, at time.Time, now *price.Tariff) *price.Tariff {
	if len(plans) == 0 {
		return now
	}
	p := plans.At(at)
	if p.Tariff == "" {
		return nil
	}
	if now != nil && now.Plan().Is(p) {
		return now
	}
	if t := c.Book.Newest(p); t != nil {
		return t
	}
	return c.Book.Named(p.Tariff)
}

// of is the fee of the period that a time belongs to.
func (c *Charger) of(client *accounting.Client, t *price.Tariff, at time.Time) (accounting.Record, bool) {
	if t == nil || t.Fee == 0 {
		return accounting.Record{}, false
	}
	period := t.PeriodOf(at)
	from, to, err := t.Span(period)
	if err != nil || !client.ValidIn(from, to) {
		return accounting.Record{}, false
	}
	return accounting.Record{
		ID: id(client.ID, period), Kind: accounting.Fee, Time: c.Now().UTC().Truncate(time.Millisecond), Gateway: c.Gateway(),
		Client: client.ID, Tariff: t.Name, TariffVersion: t.Version(), Currency: t.Currency,
		Amount: strconv.FormatInt(t.Fee, 10), Period: period,
	}, true
}

func id(client, period string) string { return accounting.FeePrefix + client + "/" + period }
