package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Row is one line of a report. Columns that were not asked for are empty. Sums
// of money are millionths of the unit of its currency.
type Row struct {
	Client     string `json:"client,omitempty"`
	Name       string `json:"name,omitempty"` // the client's, for people
	Recipient  string `json:"recipient,omitempty"`
	Domain     string `json:"domain,omitempty"`
	Day        string `json:"day,omitempty"`
	Gateway    string `json:"gateway,omitempty"`
	Tariff     string `json:"tariff,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Deliveries int64  `json:"deliveries"`
	Size       int64  `json:"size"`     // bytes
	Charged    int64  `json:"charged"`  // bytes
	Included   int64  `json:"included"` // priced bytes that cost nothing
	Cost       int64  `json:"cost"`     // rounded down; Frac is what it is more, in price.Parts
	Frac       int64  `json:"frac,omitempty"`
	Currency   string `json:"currency,omitempty"`
	Balance    *int64 `json:"balance,omitempty"` // now; of reports by client alone, as the fee is
	Fee        int64  `json:"fee,omitempty"`     // booked in this time; of whole months, that of the periods
	Blocks     int64  `json:"blocks,omitempty"`  // recipients refused, deferred, discarded or held
}

// text of a column.
func (r *Row) text(c Column) string {
	if p := r.column(c); p != nil {
		return *p
	}
	return ""
}

func (r *Row) column(c Column) *string {
	switch c {
	case Client:
		return &r.Client
	case Recipient:
		return &r.Recipient
	case Domain:
		return &r.Domain
	case Day:
		return &r.Day
	case Gateway:
		return &r.Gateway
	case Tariff:
		return &r.Tariff
	case Reason:
		return &r.Reason
	}
	return nil
}

// add adds what another row counts.
func (r *Row) add(o *Row) {
	r.Deliveries += o.Deliveries
	r.Size += o.Size
	r.Charged += o.Charged
	r.Included += o.Included
	r.Blocks += o.Blocks
	r.Fee += o.Fee
	cost := r.cost().Add(o.cost())
	r.Cost, r.Frac = cost.Whole, cost.Rest
}

func (r *Row) empty() bool {
	return r.Deliveries == 0 && r.Size == 0 && r.Charged == 0 && r.Included == 0 && r.Cost == 0 && r.Frac == 0 && r.Blocks == 0 && r.Fee == 0
}

// Totals are the sums of rows, one for each currency, and one of what was delivered
// without a price.
func Totals(rows []Row) []Row { return inCurrencies(rows, func(*Row) Row { return Row{} }) }

// inCurrencies adds up rows under keys, each currency by itself. What has no price has
// no currency: of a client it belongs to the only one that the client has; of others'
// deliveries together it is a row of its own, or their bytes would stand beside money
// that is not for them. What was refused alone belongs to the first.
func inCurrencies(rows []Row, key func(*Row) Row) []Row {
	by := map[Row][]Row{}
	var order []Row
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b Row) int {
		// Those without a currency come last, when the others are there.
		if (a.Currency == "") != (b.Currency == "") {
			return strings.Compare(b.Currency, a.Currency)
		}
		return strings.Compare(a.Currency, b.Currency)
	})
	for i := range sorted {
		r := &sorted[i]
		k := key(r)
		list, there := by[k]
		if !there {
			order = append(order, k)
		}
		at := slices.IndexFunc(list, func(o Row) bool { return o.Currency == r.Currency })
		apart := (k.Client == "" || k.Client == accounting.Other || len(list) > 1) && (r.Deliveries != 0 || r.Size != 0 || r.Charged != 0)
		if at < 0 && r.Currency == "" && len(list) > 0 && !apart {
			at = 0
		}
		if at < 0 {
			fresh := k
			fresh.Currency = r.Currency
			list, at = append(list, fresh), len(list)
		}
		list[at].add(r)
		by[k] = list
	}
	var out []Row
	for _, k := range order {
		out = append(out, by[k]...)
	}
	return out
}

// others are the rows of all that are not among the top: without them a total
// would be of what is shown, and look like one of all.
func others(by []Column, rest []Row) []Row {
	return inCurrencies(rest, func(*Row) Row {
		var row Row
		*row.column(by[0]) = accounting.Other
		return row
	})
}

// sorted are the rows in their order.
func (s *sums) sorted() []Row {
	all := make([]Row, 0, len(s.rows))
	for _, r := range s.rows {
		if !r.empty() { // what was voided lends its currency to nobody
			all = append(all, *r)
		}
	}
	merged := inCurrencies(all, func(r *Row) Row { return s.key(r) })
	rows := slices.DeleteFunc(merged, func(r Row) bool { return r.empty() })
	if rows == nil {
		rows = []Row{}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if s.q.Top > 0 {
			if n := cmp.Or(cmp.Compare(b.Charged, a.Charged), cmp.Compare(b.Size, a.Size), cmp.Compare(b.Deliveries, a.Deliveries),
				cmp.Compare(b.Blocks, a.Blocks)); n != 0 {
				return n
			}
		}
		for _, c := range s.q.By {
			if n := strings.Compare(a.text(c), b.text(c)); n != 0 {
				return n
			}
		}
		return strings.Compare(a.Currency, b.Currency)
	})
	if s.q.Top > 0 && len(rows) > s.q.Top {
		rest := others(s.q.By, rows[s.q.Top:])
		rows = append(rows[:s.q.Top:s.q.Top], rest...)
	}
	return rows
}
