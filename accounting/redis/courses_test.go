package redis

import (
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// Statements stand in the order of what happened, whatever tariffs a client went through.
func TestCourses(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	storetest.Courses(t, func(book *price.Book, now func() time.Time) accounting.Store {
		o := srv.options()
		o.Book, o.Now, o.SeenDays = book, now, 4000
		return mustOpen(t, o)
	}, func(l accounting.Ledger, book *price.Book, client, period string, now time.Time) (storetest.Sheet, error) {
		s, err := report.StatementOf(t.Context(), l, book, client, period, now)
		if err == nil {
			err = s.Sum()
		}
		if err != nil {
			return storetest.Sheet{}, err
		}
		return storetest.Sheet{Opening: s.Opening, Own: s.Paid + s.Adjusted - s.Fee - s.Cost, Between: s.Between, Closing: s.Closing}, nil
	}, 6, 2)
}
