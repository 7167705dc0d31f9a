package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// ParseDays reads days as people name them: "2026-11-23", "23.11.2026",
// "today", "yesterday", a week "2026-W48", a month "2026-11", "this month", "last
// month". First and last are the same for a single day. What is relative counts from now, in its
// zone. ErrQuery: it is none of these.
func ParseDays(s string, now time.Time) (first, last time.Time, err error) {
	y, m, d := now.Date()
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	month := func(y int, m time.Month) (time.Time, time.Time, error) { return day(y, m, 1), day(y, m+1, 0), nil }
	switch strings.ToLower(strings.Join(strings.Fields(s), " ")) {
	case "today":
		return day(y, m, d), day(y, m, d), nil
	case "yesterday":
		return day(y, m, d-1), day(y, m, d-1), nil
	case "this month":
		return month(y, m)
	case "last month":
		return month(y, m-1)
	}
	for _, form := range []string{time.DateOnly, "02.01.2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, t, nil
		}
	}
	if from, to, err := accounting.Span(s, time.UTC); err == nil && strings.Contains(s, "-W") {
		return from, to.AddDate(0, 0, -1), nil
	}
	if t, err := time.Parse("2006-01", s); err == nil {
		return month(t.Year(), t.Month())
	}
	return first, last, fmt.Errorf("%w: %q is no day like 2026-11-23 or yesterday, no week like 2026-W48, and no month like 2026-11 or last month", ErrQuery, s)
}
