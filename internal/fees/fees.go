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
	// steady is how long the clock must be behind what the store was told before
	// that is not believed any more.
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

// Charger books fees. It is for one goroutine.
type Charger struct {
	Ledger  accounting.Ledger
	Clients Clients
	Book    *price.Book
	Gateway func() string
	Now     func() time.Time
	Log     *slog.Logger

	done   map[string]string // client: the period whose fee was looked after
	doubts uint64            // when done began
	last   time.Time         // when the store was told
	behind time.Time         // since when the clock is behind what it was told
}

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
	}
	now := c.Now()
	through, err := c.Ledger.FeesThrough(ctx)
	if err != nil {
		return err
	}
	through = c.believed(through, now)
	booked, failed, row := 0, error(nil), 0
	for _, client := range clients.Clients() {
		n, err := c.charge(ctx, client, through, now)
		if booked += n; err == nil {
			row = 0
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

// charge books what one client owes, and tells how much that was.
func (c *Charger) charge(ctx context.Context, client *accounting.Client, through, now time.Time) (booked int, err error) {
	t := c.Book.Find(client.TariffVersion)
	if t != nil && c.done[client.ID] == t.PeriodOf(now) {
		return 0, nil
	}
	if t == nil && c.done[client.ID] == accounting.Month(now, time.UTC) {
		return 0, nil
	}
	if (t == nil || t.Fee == 0) && now.Sub(through) < shortest {
		return 0, nil
	}
	text, err := c.Ledger.Plans(ctx, client.ID)
	if err != nil {
		return 0, err
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		return 0, err
	}
	due, err := c.missed(ctx, client, t, plans, through, now)
	if err != nil {
		return 0, err
	}
	mark := accounting.Month(now, time.UTC)
	if t != nil {
		mark = t.PeriodOf(now)
		// A tariff that was changed holds from the next period on.
		holds := c.under(plans, now, t)
		if through.After(now) && holds != nil && holds.PeriodOf(now) != holds.PeriodOf(through) {
			return 0, nil // the clock is behind
		}
		if r, ok := c.of(client, holds, now); ok {
			due = append(due, r)
		}
	}
	for _, r := range due {
		is, err := c.Ledger.Enter(ctx, r)
		// A fee that was booked at another price stays as it was.
		if err != nil && !errors.Is(err, accounting.ErrConflict) {
			return booked, err
		}
		if is {
			booked++
		}
	}
	c.done[client.ID] = mark
	return booked, nil
}

// under is the tariff that a client is under at a time; nil for none that is
// known.
func (c *Charger) under(plans price.Plans, at time.Time, now *price.Tariff) *price.Tariff {
	if len(plans) == 0 {
		return now
	}
	p := plans.At(at)
	if now != nil && p.Tariff == now.Name || p.Tariff == "" {
		return now
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

func id(client, period string) string { return "fee/" + client + "/" + period }
