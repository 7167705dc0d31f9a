// Package report adds up what a store holds, for people and for billing.
package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Column is what a report tells apart.
type Column string

// The columns.
const (
	Client    Column = "client"
	Recipient Column = "recipient"
	Domain    Column = "domain" // of the recipient
	Day       Column = "day"
	Gateway   Column = "gateway"
)

var columns = []Column{Client, Recipient, Domain, Day, Gateway}

// ErrQuery: what was asked for makes no sense. The error's text says why.
var ErrQuery = errors.New("report")

// ParseBy reads a list of columns, "client,day". An error names what there is.
func ParseBy(s string) ([]Column, error) {
	var by []Column
	for name := range strings.SplitSeq(s, ",") {
		by = append(by, Column(strings.TrimSpace(name)))
	}
	return by, checkBy(by)
}

func checkBy(by []Column) error {
	if len(by) == 0 {
		return fmt.Errorf("%w: by what? %s", ErrQuery, known())
	}
	for i, c := range by {
		if !slices.Contains(columns, c) {
			return fmt.Errorf("%w: by %q is not known: %s", ErrQuery, string(c), known())
		}
		if slices.Contains(by[:i], c) {
			return fmt.Errorf("%w: by %q twice", ErrQuery, string(c))
		}
	}
	return nil
}

func known() string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// Query says what to add up. It survives JSON but for Location, which is the
// daemon's to set.
type Query struct {
	By []Column `json:"by"` // at least one
	// From and To are the first and the last day, both included. Their date
	// alone counts, as it reads in whatever zone they are; it means that day
	// in Location.
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Location *time.Location `json:"-"`      // the accounting time zone; nil: UTC
	Client   string         `json:"client"` // "": all
	Top      int            `json:"top"`    // the rows with the most charged bytes, then one of all others; 0: all
	// ByRecords: the months of some tariff begin at other times than those of
	// Location, so that counters do not tell.
	ByRecords bool `json:"-"`
}

// Row is one line of a report. Columns that were not asked for are empty.
type Row struct {
	Client     string `json:"client,omitempty"`
	Recipient  string `json:"recipient,omitempty"`
	Domain     string `json:"domain,omitempty"`
	Day        string `json:"day,omitempty"`
	Gateway    string `json:"gateway,omitempty"`
	Deliveries int64  `json:"deliveries"`
	Size       int64  `json:"size"`    // bytes
	Charged    int64  `json:"charged"` // bytes
}

// text of a column.
func (r *Row) text(c Column) string {
	switch c {
	case Client:
		return r.Client
	case Recipient:
		return r.Recipient
	case Domain:
		return r.Domain
	case Day:
		return r.Day
	case Gateway:
		return r.Gateway
	}
	return ""
}

// Run adds up, sorted by the columns asked for; with Top, by charged bytes,
// most first. Voids take away what they void, on their own day; what adds up
// to nothing is left out. ErrQuery: the query is wrong.
func Run(ctx context.Context, store accounting.Store, q Query) ([]Row, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if q.Location == nil {
		q.Location = time.UTC
	}
	s := sums{q: q, rows: map[Row]*Row{}}
	if err := s.add(ctx, store); err != nil {
		return nil, err
	}
	return s.sorted(), nil
}

// maxYears bounds what one question asks of the store.
const maxYears = 100

func (q *Query) check() error {
	if err := checkBy(q.By); err != nil {
		return err
	}
	if q.From.IsZero() || q.To.IsZero() {
		return fmt.Errorf("%w: a first and a last day are needed", ErrQuery)
	}
	if q.From.Format(time.DateOnly) > q.To.Format(time.DateOnly) {
		return fmt.Errorf("%w: the first day, %s, is after the last, %s", ErrQuery, q.From.Format(time.DateOnly), q.To.Format(time.DateOnly))
	}
	if q.To.Year()-q.From.Year() > maxYears {
		return fmt.Errorf("%w: more than %d years", ErrQuery, maxYears)
	}
	if q.Top < 0 {
		return fmt.Errorf("%w: the top %d rows", ErrQuery, q.Top)
	}
	return nil
}

// span is the time that is asked for: [from, to).
func (q *Query) span() (from, to time.Time) {
	y, m, d := q.From.Date()
	from = accounting.Midnight(y, m, d, q.Location)
	y, m, d = q.To.Date()
	return from, accounting.Midnight(y, m, d+1, q.Location)
}

// byMonth reports whether the counters of whole months tell all.
func (q *Query) byMonth() bool {
	return q.From.Day() == 1 && q.To.AddDate(0, 0, 1).Day() == 1 && !slices.Contains(q.By, Day) && !slices.Contains(q.By, Gateway)
}

// sums are rows in the making, by their columns.
type sums struct {
	q    Query
	rows map[Row]*Row
}

func (s *sums) add(ctx context.Context, store accounting.Store) error {
	if !s.q.ByRecords && s.q.byMonth() {
		whole, err := s.addCounters(ctx, store)
		if err != nil || whole {
			return err
		}
		clear(s.rows)
	}
	return s.addRecords(ctx, store)
}

func (s *sums) addRecords(ctx context.Context, store accounting.Store) error {
	from, to := s.q.span()
	return store.Records(ctx, s.q.Client, from, to, func(r accounting.Record) error {
		deliveries, size, charged := r.Delta()
		s.sum(r.Client, r.Recipient, accounting.Day(r.Time, s.q.Location), r.Gateway, deliveries, size, charged)
		return nil
	})
}

// addCounters adds the store's counters. It reports false when they are too
// coarse: a client had more recipients than the store counts one by one.
func (s *sums) addCounters(ctx context.Context, store accounting.Store) (bool, error) {
	parts := slices.Contains(s.q.By, Recipient) || slices.Contains(s.q.By, Domain)
	from, to := s.q.span()
	for _, month := range accounting.Months(from, to, s.q.Location) {
		list, err := store.Counters(ctx, month)
		if err != nil {
			return false, err
		}
		for _, c := range list {
			if s.q.Client != "" && c.Client != s.q.Client {
				continue
			}
			if !parts {
				s.sum(c.Client, "", "", "", c.Deliveries, c.Size, c.Charged)
				continue
			}
			if _, coarse := c.Recipients[accounting.Other]; coarse {
				return false, nil
			}
			for name, p := range c.Recipients {
				s.sum(c.Client, name, "", "", p.Deliveries, p.Size, p.Charged)
			}
		}
	}
	return true, nil
}

func (s *sums) sum(client, recipient, day, gateway string, deliveries, size, charged int64) {
	var key Row
	for _, c := range s.q.By {
		switch c {
		case Client:
			key.Client = client
		case Recipient:
			key.Recipient = recipient
		case Domain:
			key.Domain = recipient[strings.LastIndexByte(recipient, '@')+1:]
		case Day:
			key.Day = day
		case Gateway:
			key.Gateway = gateway
		}
	}
	row := s.rows[key]
	if row == nil {
		row = new(key)
		s.rows[key] = row
	}
	row.Deliveries += deliveries
	row.Size += size
	row.Charged += charged
}

// others is the row of all that are not among the top: without it a total would
// be of what is shown, and look like one of all.
func (s *sums) others(rest []Row) Row {
	var row Row
	for i := range rest {
		row.Deliveries += rest[i].Deliveries
		row.Size += rest[i].Size
		row.Charged += rest[i].Charged
	}
	switch s.q.By[0] {
	case Client:
		row.Client = accounting.Other
	case Recipient:
		row.Recipient = accounting.Other
	case Domain:
		row.Domain = accounting.Other
	case Day:
		row.Day = accounting.Other
	case Gateway:
		row.Gateway = accounting.Other
	}
	return row
}

func (s *sums) sorted() []Row {
	rows := make([]Row, 0, len(s.rows))
	for _, r := range s.rows {
		if r.Deliveries != 0 || r.Size != 0 || r.Charged != 0 {
			rows = append(rows, *r)
		}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if s.q.Top > 0 {
			if n := cmp.Or(cmp.Compare(b.Charged, a.Charged), cmp.Compare(b.Size, a.Size), cmp.Compare(b.Deliveries, a.Deliveries)); n != 0 {
				return n
			}
		}
		for _, c := range s.q.By {
			if n := strings.Compare(a.text(c), b.text(c)); n != 0 {
				return n
			}
		}
		return 0
	})
	if s.q.Top > 0 && len(rows) > s.q.Top {
		rows = append(rows[:s.q.Top], s.others(rows[s.q.Top:]))
	}
	return rows
}
