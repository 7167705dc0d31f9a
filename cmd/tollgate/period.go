package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

var errPeriod = errors.New(`want a month ("2026-11", "november", "last month"), a week ("2026-W48", "last week") or a day ("2026-11-23", "yesterday")`)

// parsePeriod reads a period of the account as people say it, in the zone of now, and
// writes it as the account does. A month by its name is the last that has begun.
func parsePeriod(s string, now time.Time) (string, error) {
	words := strings.ToLower(strings.Join(strings.Fields(s), " "))
	y, m, d := now.Date()
	week := func(t time.Time) string {
		year, n := t.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, n)
	}
	switch words {
	case "today":
		return now.Format(time.DateOnly), nil
	case "yesterday":
		return time.Date(y, m, d-1, 12, 0, 0, 0, time.UTC).Format(time.DateOnly), nil
	case "this month":
		return now.Format("2006-01"), nil
	case "last month":
		return time.Date(y, m-1, 1, 12, 0, 0, 0, time.UTC).Format("2006-01"), nil
	case "this week":
		return week(now), nil
	case "last week":
		return week(time.Date(y, m, d-7, 12, 0, 0, 0, time.UTC)), nil
	}
	for month := time.January; month <= time.December; month++ {
		name := strings.ToLower(month.String())
		if words == name || words == name[:3] {
			if month > m {
				y--
			}
			return fmt.Sprintf("%04d-%02d", y, month), nil
		}
		for _, layout := range []string{name + " 2006", name[:3] + " 2006"} {
			if year, ok := strings.CutPrefix(words, strings.TrimSuffix(layout, "2006")); ok && len(year) == 4 {
				words = fmt.Sprintf("%s-%02d", year, month)
			}
		}
	}
	period := strings.ToUpper(words)
	if _, _, err := accounting.Span(period, time.UTC); err != nil {
		return "", usagef("period %q: %w", s, errPeriod)
	}
	return period, nil
}
