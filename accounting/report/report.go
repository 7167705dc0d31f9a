// Package report adds up what a store holds, for people and for billing.
package report

import (
	"context"
	"io"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Column is what a report tells apart.
type Column string

// The columns, in the order in which a row shows them.
const (
	Client    Column = "client"
	Recipient Column = "recipient"
	Domain    Column = "domain" // of the recipient
	Day       Column = "day"
	Gateway   Column = "gateway"
)

// ParseBy reads a list of columns, "client,day". An error names what there is.
func ParseBy(s string) ([]Column, error) { return nil, nil }

// ParseDay reads a date, "2026-11-23".
func ParseDay(s string) (time.Time, error) { return time.Time{}, nil }

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
	Top      int            `json:"top"`    // the rows with the most charged bytes only; 0: all
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

// Run adds up, sorted by the columns asked for; with Top, by charged bytes,
// most first. Voids take away what they void.
func Run(ctx context.Context, store accounting.Store, q Query) ([]Row, error) { return nil, nil }

// WriteTable writes rows for people, with a line of totals.
func WriteTable(w io.Writer, by []Column, rows []Row) error { return nil }

// WriteCSV writes rows by RFC 4180, with a header line.
func WriteCSV(w io.Writer, by []Column, rows []Row) error { return nil }

// WriteJSON writes rows as one JSON array.
func WriteJSON(w io.Writer, by []Column, rows []Row) error { return nil }
