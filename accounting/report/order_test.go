package report_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// Statements stand in the order of what happened, whatever tariffs a client went through.
func TestCourses(t *testing.T) { storetest.Courses(t, openCourse(t), sheet(t), 8, 1) }

// No money of one currency counts in another, whatever comes late or is taken back.
func TestExchange(t *testing.T) { storetest.Exchange(t, openCourse(t), sheet(t), 15, 2) }

func openCourse(t *testing.T) func(book *price.Book, now func() time.Time) accounting.Store {
	return func(book *price.Book, now func() time.Time) accounting.Store {
		s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: now, SeenDays: 4000})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
}

func sheet(t *testing.T) storetest.ReadSheet {
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
