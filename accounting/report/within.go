package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// underWay is the period that a client is in; "" where it was never under a tariff.
func underWay(ctx context.Context, l accounting.Ledger, client string, now time.Time) (string, error) {
	text, err := l.Plans(ctx, client)
	if err != nil {
		return "", err
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		return "", fmt.Errorf("%w: %w", accounting.ErrUnreadable, err)
	}
	return plans.PeriodAt(now), nil
}

// within are periods of an account to ask for in place of one that it has not, where it
// has some that have days in common with that: of another tariff's length. A statement of
// that would be empty, and its balance nobody's. The nearest that are as long are among
// them.
func within(periods []string, period string, from, to time.Time) (others []string) {
	if slices.Contains(periods, period) {
		return nil
	}
	var near []string
	for _, p := range periods {
		begin, end, err := accounting.Span(p, time.UTC)
		switch {
		case err != nil:
		case begin.Before(to) && from.Before(end):
			others = append(others, p)
		case accounting.KindOf(p) == accounting.KindOf(period):
			near = append(near, p)
		}
	}
	if len(others) == 0 {
		return nil
	}
	away := func(p string) time.Duration {
		begin, _, err := accounting.Span(p, time.UTC)
		if err != nil {
			return 0
		}
		return begin.Sub(from).Abs()
	}
	const most = 3
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(away(a), away(b)) })
	return accounting.SortPeriods(append(others, near[:min(most, len(near))]...))
}

// few names the first of a list.
func few(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
