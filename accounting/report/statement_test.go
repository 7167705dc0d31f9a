package report_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// months is storetest.Months in the embedded store.
func months(t *testing.T) (*embedded.Store, *price.Book, *time.Time) {
	t.Helper()
	return storetest.Months(t, func(book *price.Book, now func() time.Time) *embedded.Store {
		s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	})
}

func TestStatement(t *testing.T) {
	s, book, _ := months(t)
	closing := int64(0)
	for _, period := range []string{"2026-09", "2026-10", "2026-11", "2026-12"} {
		st, err := report.StatementOf(t.Context(), s, book, "c1", period, day("2027-01-01"))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Sum(); err != nil {
			t.Error(err)
		}
		if st.Opening != closing {
			t.Errorf("%s opens with %d, the period before closed with %d", period, st.Opening, closing)
		}
		closing = st.Closing
		if period == "2026-11" && len(st.Usage) < 3 {
			t.Errorf("%+v", st.Usage)
		}
	}
	if a, err := s.Account(t.Context(), "c1"); err != nil || a.Balance != closing {
		t.Errorf("closes with %d, balance %+v, %v", closing, a, err)
	}
	if _, err := report.StatementOf(t.Context(), s, book, "c1", "november", day("2027-01-01")); !errors.Is(err, report.ErrQuery) {
		t.Error(err)
	}
	// Its periods are months: of a day or a week there is no statement.
	for _, other := range []string{"2026-11-23", "2026-W48"} {
		if _, err := report.StatementOf(t.Context(), s, book, "c1", other, day("2027-01-01")); !errors.Is(err, report.ErrQuery) || !strings.Contains(err.Error(), "2026-11") {
			t.Errorf("%s: %v", other, err)
		}
	}
	v, err := report.Verify(t.Context(), s, "", day("2026-01-01"), day("2027-01-01"))
	if err != nil || len(v.Problems) > 0 || v.Clients != 3 || v.Records < 600 {
		t.Error(v, err)
	}
}

// A month of a tariff that begins at another time than the report's does not
// move records from one month to another.
func TestMonthsOfAnotherZone(t *testing.T) {
	tariff := storetest.Tariff(t, price.Terms{PerMiB: 1, Timezone: "Europe/Moscow"})
	book := price.NewBook(tariff)
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: func() time.Time { return storetest.Now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := storetest.Usage(1, "sales", "a@example.org", time.Date(2026, 10, 31, 22, 0, 0, 0, time.UTC), 10, 10)
	r.Tariff, r.TariffVersion = tariff.Name, tariff.Version()
	if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.CounterOf(t.Context(), "sales", "2026-11"); err != nil || c.Charged != 10 {
		t.Errorf("the tariff's month: %+v, %v", c, err)
	}
	rows, err := report.Run(t.Context(), s, report.Query{
		By: []report.Column{report.Client}, From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC),
		ByRecords: book.Other("UTC"),
	})
	if err != nil || len(rows) != 1 || rows[0].Charged != 10 {
		t.Errorf("October of UTC: %+v, %v", rows, err)
	}
}

// Who asks for a period that the account has not is told of those in common with it, and
// of the nearest that are as long.
func TestWithin(t *testing.T) {
	periods := []string{"2026-11", "2026-11-28", "2026-11-29", "2026-W20"}
	for period, want := range map[string]string{"2026-11-27": "has no 2026-11-27, it has 2026-11, 2026-11-28, 2026-11-29:", "2026-W48": "it has 2026-W20, 2026-11, 2026-11-28, 2026-11-29:"} {
		s := having{periods: periods}
		if _, err := report.StatementOf(t.Context(), s, price.NewBook(), "c", period, day("2027-01-01")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", period, err, want)
		}
	}
}

// having is an account that has periods, and nothing else.
type having struct {
	accounting.Ledger
	periods []string
}

func (h having) Plans(context.Context, string) (string, error) { return "", nil }

func (h having) Periods(context.Context, string) ([]string, error) { return h.periods, nil }
