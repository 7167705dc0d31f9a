package report

import (
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// ParseDays reads days, weeks and months as people name them ([accounting.NamePeriod]).
// First and last are the same for a single day. What is relative counts from now, in
// its zone. ErrQuery: it is none of these.
func ParseDays(s string, now time.Time) (first, last time.Time, err error) {
	period, err := accounting.NamePeriod(s, now)
	if err != nil {
		return first, last, fmt.Errorf("%w: %q: %w", ErrQuery, s, err)
	}
	first, end, err := accounting.Span(period, time.UTC)
	if err != nil {
		return first, last, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	return first, end.AddDate(0, 0, -1), nil
}
