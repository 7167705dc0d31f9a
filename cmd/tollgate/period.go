package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// parsePeriod reads a period of the account as people say it, in the zone of now. Of a
// month that is named without its year, and that is not this year's, it says which one
// is meant.
func (a *app) parsePeriod(s string, now time.Time) (string, error) {
	period, err := accounting.NamePeriod(s, now)
	if err != nil {
		return "", usagef("period %q: %w", s, err)
	}
	if len(period) == len("2006-01") && !strings.ContainsAny(s, "0123456789 ") && !strings.HasPrefix(period, now.Format("2006")) {
		fmt.Fprintf(a.err, "tollgate: %s is taken for that of last year, %s\n", s, period)
	}
	return period, nil
}
