package price

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Run is a time through which a client's account stood in one period. A period has
// several where the client left it for periods of another tariff, and came back before
// it was over.
type Run struct {
	Period string
	From   int64 // Unix milliseconds: when it began for this client
	// Before tells that the client had no tariff yet: nobody has kept that, and what
	// counts in this run may be nothing.
	Before bool
}

// Runs are those of an account, in the order of time, which is not that of the periods'
// first days: a week that a client comes under on a Sunday begins behind the days before
// it. Others are the periods that no plan has: of plans too old to be kept, or of terms
// that were not known.
func (p Plans) Runs(periods []string, now time.Time) (runs []Run, others []string) {
	named := map[string]bool{}
	for i, one := range p {
		from, to := one.From, now.UnixMilli()+1
		if i+1 < len(p) {
			to = min(to, p[i+1].From)
		}
		if from >= to {
			break
		}
		if i == 0 && one.Period != accounting.ByMonth {
			// It holds from ever, for what comes late. What was booked before anybody told of
			// it stands in months.
			first := min(one.Noticed, to)
			runs = append(runs, Plan{Period: accounting.ByMonth}.runs(periods, math.MinInt64, first, accounting.FarthestZone)...)
			for k := range runs {
				runs[k].Before = true
			}
		}
		mine := one.runs(periods, from, to, 0)
		for k := range mine {
			named[mine[k].Period] = true
			if i == 0 {
				mine[k].From = max(mine[k].From, min(one.Noticed, to))
			}
		}
		runs = append(runs, mine...)
	}
	for _, r := range runs {
		named[r.Period] = true
	}
	for _, period := range periods {
		if !named[period] {
			others = append(others, period)
		}
	}
	return Joined(runs), others
}

// runs are those of one plan that holds in [from, to), the first first. Where its zone is
// not known a period may reach so much further.
func (p Plan) runs(periods []string, from, to int64, further time.Duration) (list []Run) {
	loc := p.location()
	for _, period := range periods {
		begin, end, err := accounting.Span(period, loc)
		if err != nil || accounting.KindOf(period) != p.Period {
			continue
		}
		if begin.Add(-further).UnixMilli() < to && end.Add(further).UnixMilli() > from {
			list = append(list, Run{Period: period, From: begin.UnixMilli()})
		}
	}
	slices.SortFunc(list, func(a, b Run) int { return cmp.Compare(a.From, b.From) })
	for i := range list {
		list[i].From = max(list[i].From, from)
	}
	return list
}

// Joined are runs of which no two of the same period follow each other: where nothing of
// its periods changes with a tariff, or only their zone, a period goes on.
func Joined(runs []Run) []Run {
	var list []Run
	for _, r := range runs {
		if n := len(list); n > 0 && list[n-1].Period == r.Period {
			list[n-1].Before = list[n-1].Before && r.Before
			continue
		}
		list = append(list, r)
	}
	return list
}
