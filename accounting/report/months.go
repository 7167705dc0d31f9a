package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// elsewhere is what a month's counters have of records that stand in days and
// weeks: the month is counted always, whatever the tariff's periods are, and a
// client that changed its tariff has both. Deliveries, size, charged.
type elsewhere struct {
	// Of a week in two months no record says in which of them it was counted when
	// that was at their border; all between is possible.
	low, high [3]int64
}

// readElsewhere reads the records of the client's periods that count in a month
// and are none.
func readElsewhere(ctx context.Context, l accounting.Ledger, client, month string, periods []string) (elsewhere, error) {
	var e elsewhere
	for _, p := range periods {
		switch kind := accounting.KindOf(p); {
		case kind == accounting.ByMonth, kind == accounting.ByDay && !strings.HasPrefix(p, month+"-"):
			continue
		case kind == accounting.ByWeek && !slices.Contains(accounting.MonthsOf(p), month):
			continue
		}
		if err := l.RecordsOf(ctx, client, p, func(r accounting.Record) error {
			if r.Effect != accounting.NoEffect && (r.Kind == accounting.Usage || r.Kind == accounting.Void) {
				e.add(&r, p, month)
			}
			return nil
		}); err != nil {
			return e, err
		}
	}
	return e, nil
}

// add adds a record of a period.
func (e *elsewhere) add(r *accounting.Record, period, month string) {
	is, may := true, true // a day lies in one month
	if accounting.KindOf(period) == accounting.ByWeek {
		at := r.Origin()
		first, last := accounting.Month(at.Add(-accounting.FarthestZone), time.UTC), accounting.Month(at.Add(accounting.FarthestZone), time.UTC)
		// What came late counts at the begin of an open period, or when it came.
		may = first == month || last == month || r.Effect == accounting.Adjustment
		is = first == month && last == month && r.Effect != accounting.Adjustment
	}
	deliveries, size, charged := r.Delta()
	for i, n := range []int64{deliveries, size, charged} {
		if is || may && n < 0 {
			e.low[i] += n
		}
		if is || may && n > 0 {
			e.high[i] += n
		}
	}
}
