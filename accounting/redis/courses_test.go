package redis

import (
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func openCourse(t *testing.T) func(book *price.Book, now func() time.Time) accounting.Store {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	return func(book *price.Book, now func() time.Time) accounting.Store {
		o := srv.options()
		o.Book, o.Now, o.SeenDays = book, now, 4000
		return mustOpen(t, o)
	}
}

func readSheet(t *testing.T) storetest.ReadSheet {
	return func(l accounting.Ledger, book *price.Book, client, period string, now time.Time) (storetest.Sheet, error) {
		s, err := report.StatementOf(t.Context(), l, book, client, period, now)
		if err == nil {
			err = s.Sum()
		}
		if err != nil {
			return storetest.Sheet{}, err
		}
		return storetest.Sheet{Opening: s.Opening, Own: s.Paid + s.Adjusted - s.Fee - s.Cost, Between: s.Between, Closing: s.Closing}, nil
	}
}

// Statements stand in the order of what happened, whatever tariffs a client went through.
func TestCourses(t *testing.T) { storetest.Courses(t, openCourse(t), readSheet(t), 6, 2) }

// No money of one currency counts in another, whatever comes late or is taken back.
func TestExchange(t *testing.T) { storetest.Exchange(t, openCourse(t), readSheet(t), 15, 2) }
