// Package report adds up what a store holds, for people and for billing.
package report

import (
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
	Tariff    Column = "tariff" // "": nothing was priced
	Reason    Column = "reason" // of blocks: what was refused is counted, not what was charged
)

var columns = []Column{Client, Recipient, Domain, Day, Gateway, Tariff, Reason}

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
	// ByRecords: the periods of some tariff are no months of Location, so that
	// counters do not tell.
	ByRecords bool `json:"-"`
	// Blocks tells of what was refused; nil: it is not counted.
	Blocks BlockSource `json:"-"`
	// Name is a client's name for people; nil: none has one.
	Name func(client string) string `json:"-"`
}

// Run adds up, sorted by the columns asked for; with Top, by charged bytes,
// most first. Voids take away what they void, on the day of their record; what
// adds up to nothing is left out. A row is of one currency. A store that is an
// accounting.Ledger tells the balance of each client now, where the report is by
// client alone. ErrQuery: the query is wrong. accounting.ErrUnread comes with the rows
// of all that could be read.
func Run(ctx context.Context, store accounting.Store, q Query) ([]Row, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if q.Location == nil {
		q.Location = time.UTC
	}
	s := newSums(q)
	var lost accounting.Unread
	if !slices.Contains(q.By, Reason) {
		if err := lost.Note(s.add(ctx, store)); err != nil {
			return nil, err
		}
	}
	if q.Blocks != nil {
		from, to := q.Span()
		if err := q.Blocks.Blocks(ctx, from, to, s.block); err != nil {
			return nil, err
		}
	}
	rows := s.sorted()
	if q.alone() {
		if l, ok := store.(accounting.Ledger); ok {
			var err error
			if rows, err = balances(ctx, l, rows); err != nil {
				return nil, err
			}
		}
	}
	for i := range rows {
		if q.Name != nil && rows[i].Client != "" {
			rows[i].Name = q.Name(rows[i].Client)
		}
	}
	return rows, lost.Err()
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
	if slices.Contains(q.By, Reason) && q.Blocks == nil {
		return fmt.Errorf("%w: by %q: nothing tells what was refused", ErrQuery, string(Reason))
	}
	if q.Top < 0 {
		return fmt.Errorf("%w: the top %d rows", ErrQuery, q.Top)
	}
	return nil
}

// Span is the time that is asked for: [from, to).
func (q *Query) Span() (from, to time.Time) {
	loc := q.Location
	if loc == nil {
		loc = time.UTC
	}
	y, m, d := q.From.Date()
	from = accounting.Midnight(y, m, d, loc)
	y, m, d = q.To.Date()
	return from, accounting.Midnight(y, m, d+1, loc)
}

// alone: by client and nothing else, which is what accounts are by.
func (q *Query) alone() bool { return len(q.By) == 1 && q.By[0] == Client }

// byMonth reports whether the counters of whole months tell all.
func (q *Query) byMonth() bool {
	return q.From.Day() == 1 && q.To.AddDate(0, 0, 1).Day() == 1 && !slices.ContainsFunc(q.By, func(c Column) bool { return c == Day || c == Gateway || c == Tariff })
}
