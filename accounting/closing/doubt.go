package closing

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
)

// silence is how long a gateway may say nothing before it is not known what it
// has.
const silence = 2 * time.Minute

// behind is how far no zone is further behind UTC: then a period is over everywhere.
const behind = 12 * time.Hour

// doubts are why there may be more records of a period.
func doubts(ctx context.Context, l archive.Ledgered, period string, now time.Time) ([]string, error) {
	list, err := l.Gateways(ctx)
	if err != nil {
		return nil, err
	}
	var doubts []string
	if len(list) == 0 {
		doubts = append(doubts, "no gateway was ever heard of")
	}
	doubts = append(doubts, Waiting(list, now)...)
	from, to, err := accounting.Span(period, time.UTC)
	if err != nil {
		return nil, err
	}
	through, err := l.FeesThrough(ctx)
	if err != nil {
		return nil, err
	}
	// Zero: by a gateway that books none.
	if over := to.Add(behind); !through.IsZero() && through.Before(over) {
		doubts = append(doubts, fmt.Sprintf("the fees of clients were last looked after at %s, and are to be once after %s, when %s was over everywhere: a gateway does so every ten minutes",
			through.Format(time.RFC3339), over.Format(time.RFC3339), period))
	}
	order, err := outOfOrder(ctx, l, period)
	if err != nil {
		return nil, err
	}
	doubts = append(doubts, order...)
	parked := 0
	if err := l.Parked(ctx, func(r accounting.Record, _ string) error {
		if at := r.Origin(); !at.Before(from.Add(-accounting.FarthestZone)) && at.Before(to.Add(accounting.FarthestZone)) {
			parked++
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if parked > 0 {
		doubts = append(doubts, fmt.Sprintf("%d records of these days are parked (see \"tollgate parked list\")", parked))
	}
	return doubts, nil
}

// Waiting are the gateways that have records which the store has not, or may have some.
func Waiting(list []accounting.Gateway, now time.Time) (doubts []string) {
	for _, g := range list {
		switch {
		case g.Backlog > 0:
			doubts = append(doubts, fmt.Sprintf("gateway %s has %d records that wait", g.Name, g.Backlog))
		case now.Sub(g.Heartbeat) > silence:
			doubts = append(doubts, fmt.Sprintf("gateway %s was last heard of at %s", g.Name, g.Heartbeat.Format(time.RFC3339)))
		case g.Heartbeat.Sub(now) > silence:
			// It may have been silent ever since, and for how long nobody can tell.
			doubts = append(doubts, fmt.Sprintf("gateway %s was last heard of at %s, which is not yet: a clock is wrong", g.Name, g.Heartbeat.Format(time.RFC3339)))
		}
	}
	return doubts
}

// outOfOrder tells of a period that is hardly meant: before anything was charged, or
// before or behind another one of its kind that should come first.
func outOfOrder(ctx context.Context, l archive.Ledgered, period string) (doubts []string, err error) {
	seals, err := l.Closes(ctx)
	if err != nil {
		return nil, err
	}
	closed, kind := map[string]bool{}, accounting.KindOf(period)
	for _, c := range seals {
		closed[c.Period] = true
		// Periods of one kind are in the order of their names.
		if accounting.KindOf(c.Period) == kind && c.Period > period {
			doubts = append(doubts, fmt.Sprintf("%s, which is later, is closed already", c.Period))
			break
		}
	}
	clients, err := l.Clients(ctx)
	if err != nil {
		return nil, err
	}
	earlier, open := false, ""
	for _, client := range clients {
		periods, err := l.Periods(ctx, client)
		if err != nil {
			return nil, err
		}
		for _, p := range periods {
			if accounting.KindOf(p) != kind {
				continue // a month says nothing of its days
			}
			earlier = earlier || p <= period
			if p < period && !closed[p] && (open == "" || p < open) {
				open = p
			}
		}
	}
	switch {
	case !earlier:
		doubts = append(doubts, fmt.Sprintf("nothing was ever charged in %s or before: is it the one that is meant?", period))
	case open != "":
		doubts = append(doubts, fmt.Sprintf("%s, which is earlier, has records and is not closed", open))
	}
	return doubts, nil
}
