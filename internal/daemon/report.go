package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
)

// ReportRequest asks for a report.
type ReportRequest struct {
	By     string `json:"by"`
	From   string `json:"from"` // as report.ParseDays reads it; "": the first day of the current month
	To     string `json:"to"`   // likewise; "": today
	Client string `json:"client"`
	Top    int    `json:"top"`
	UTC    bool   `json:"utc"`    // days of UTC instead of the accounting time zone
	Blocks bool   `json:"blocks"` // count also what was refused, of this gateway's journals
}

// ReportAnswer is a report, and what is to be known about it.
type ReportAnswer struct {
	Rows  []report.Row `json:"rows"`
	Notes []string     `json:"notes"`
	// Unread is what the sums lack, for it cannot be read.
	Unread []string `json:"unread,omitempty"`
}

// Query reads a request. Days are those of loc.
func (r ReportRequest) Query(loc *time.Location, now time.Time) (report.Query, error) {
	if r.UTC {
		loc = time.UTC
	}
	q := report.Query{Location: loc, Client: r.Client, Top: r.Top}
	var err error
	if q.By, err = report.ParseBy(r.By); err != nil {
		return q, fmt.Errorf("--by: %w", err)
	}
	now = now.In(loc)
	q.From, q.To = now.AddDate(0, 0, 1-now.Day()), now
	if r.To != "" {
		if _, q.To, err = report.ParseDays(r.To, now); err != nil {
			return q, fmt.Errorf("--to: %w", err)
		}
		if r.From == "" {
			q.From = q.To.AddDate(0, 0, 1-q.To.Day())
		}
	}
	if r.From != "" {
		var last time.Time
		if q.From, last, err = report.ParseDays(r.From, now); err != nil {
			return q, fmt.Errorf("--from: %w", err)
		}
		// "--from 2026-10" alone means that month; "--from 2026-10-01" up to today.
		if r.To == "" && !last.Equal(q.From) {
			q.To = last
		}
	}
	if q.From.Format(time.DateOnly) > q.To.Format(time.DateOnly) {
		return q, fmt.Errorf("--from %s is after --to %s (days of the time zone %s)", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), loc)
	}
	if r.Top < 0 {
		return q, fmt.Errorf("--top %d: want how many", r.Top)
	}
	return q, nil
}

// Reporter is what reports are made from: the daemon's, or that of a command
// while none runs.
type Reporter struct {
	Store      accounting.Store
	Book       *price.Book
	Clients    *directory.Directory // nil: none is known
	Location   *time.Location       // of the account
	JournalDir string
	Waiting    int64           // records in the spool
	Failing    string          // why the store cannot be used now; "" where it can
	Unlisted   func() []string // clients with an account that are in no list of the store
	Doubt      string          // why the store may not be what it was; "" for nothing
	Temp       string          // a folder for sorting
	Now        func() time.Time
}

// NewReporter makes one for one question: what is in archives is read from them.
func NewReporter(ctx context.Context, store accounting.Store, cfg *config.Config, book *price.Book, clients *directory.Directory) (*Reporter, error) {
	p := &Reporter{
		Store: store, Book: book, Clients: clients, Location: cfg.Location, JournalDir: cfg.JournalDir, Temp: cfg.StateDir, Now: time.Now,
	}
	if u, ok := store.(audit.Unlister); ok {
		p.Unlisted = u.Unlisted
	}
	l, ok := store.(archive.Ledgered)
	if !ok {
		return p, nil
	}
	books, err := archive.Over(ctx, l)
	if err != nil {
		return nil, err
	}
	p.Store = books
	seals, err := l.Closes(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := closing.NewKeeper(cfg.StateDir).Seals()
	if err != nil {
		return nil, err
	}
	p.Doubt, err = lostSeals(closing.Lost(seals, kept))
	return p, err
}

// Report makes a report. Its errors are those of the store and the journals, and
// report.ErrQuery.
func (p *Reporter) Report(ctx context.Context, r ReportRequest) (ReportAnswer, error) {
	a := ReportAnswer{Notes: []string{}}
	q, err := r.Query(p.Location, p.Now())
	if err != nil {
		return a, err
	}
	q.ByRecords = p.Book.Other(q.Location.String()) || q.Location.String() != p.Location.String()
	if p.Clients != nil {
		q.Name = func(id string) string {
			if c := p.Clients.Client(id); c != nil {
				return c.Name
			}
			return ""
		}
	}
	refused := blocked{dir: p.JournalDir, clients: p.Clients}
	if r.Blocks || slices.Contains(q.By, report.Reason) {
		q.Blocks = &refused
	}
	a.Rows, err = report.Run(ctx, p.Store, q)
	switch {
	case errors.Is(err, accounting.ErrUnread):
		a.Unread = strings.Split(err.Error(), "\n")
	case err != nil:
		return a, err
	}
	if p.Doubt != "" {
		a.Notes = append(a.Notes, p.Doubt)
	}
	a.Notes = append(a.Notes, refused.notes()...)
	if p.Failing != "" {
		a.Notes = append(a.Notes, "the store cannot be used now, and what it took last may lack: "+p.Failing)
	}
	if p.Waiting > 0 {
		a.Notes = append(a.Notes, Plural(int(p.Waiting), "record")+" not yet in the store: see \"tollgate status\"")
	}
	if p.Unlisted != nil {
		if list := p.Unlisted(); len(list) > 0 {
			a.Notes = append(a.Notes, "counted although they are in the store's list of clients no more: "+strings.Join(list[:min(len(list), mostUnlisted)], ", "))
		}
	}
	if len(a.Rows) == 0 {
		a.Notes = append(a.Notes, p.why(ctx, &q)...)
	}
	return a, nil
}

// mostUnlisted bounds the clients that a note names.
const mostUnlisted = 10

// why tells why a report has nothing to say.
func (p *Reporter) why(ctx context.Context, q *report.Query) []string {
	var notes []string
	if q.Client != "" {
		known := p.Clients != nil && p.Clients.Client(q.Client) != nil
		if l, ok := p.Store.(accounting.Ledger); ok && !known {
			periods, err := l.Periods(ctx, q.Client)
			known = err != nil || len(periods) > 0
		}
		if !known {
			return append(notes, noClient(q.Client, p.Clients))
		}
	}
	if first := q.From.Format(time.DateOnly); first > p.Now().In(q.Location).Format(time.DateOnly) {
		return append(notes, first+" is yet to come")
	}
	if slices.Contains(q.By, report.Reason) {
		return append(notes, "nothing was refused in these days, as far as this gateway's journals go back")
	}
	if l, ok := p.Store.(accounting.Ledger); ok {
		if clients, err := l.Clients(ctx); err == nil && len(clients) == 0 {
			return append(notes, "nothing was ever charged: the store has no records")
		}
	}
	return append(notes, "nothing was charged in these days: --from and --to name others")
}

// Verify recomputes accounts.
func (p *Reporter) Verify(ctx context.Context, r ReportRequest) (*report.Verification, error) {
	q, err := r.Query(p.Location, p.Now())
	if err != nil {
		return nil, err
	}
	books, ok := p.Store.(report.Books)
	if !ok {
		return nil, errors.New("this store keeps no accounts")
	}
	from, to := q.Span()
	v, err := report.Verify(ctx, books, q.Client, from, to)
	if err != nil {
		return nil, err
	}
	if p.Doubt != "" {
		v.Problems = append(v.Problems, p.Doubt)
	}
	return v, p.verifySeals(ctx, books, v, from, to)
}

// verifySeals compares closed periods with their seals.
func (p *Reporter) verifySeals(ctx context.Context, l archive.Ledgered, v *report.Verification, from, to time.Time) error {
	list, err := l.Closes(ctx)
	if err != nil {
		return err
	}
	for _, seal := range list {
		if !accounting.Touches(seal.Period, from, to) {
			continue
		}
		switch err := closing.Check(ctx, l, seal, p.Temp); {
		case errors.Is(err, closing.ErrChanged):
			v.Problems = append(v.Problems, err.Error())
		case err != nil:
			return err
		}
		v.Seals++
	}
	return nil
}

// reporter is the daemon's.
func (d *Daemon) reporter(ctx context.Context) (*Reporter, error) {
	p, err := NewReporter(ctx, d.store, d.config(), d.accounts.Book, d.accounts.Live.Snapshot())
	if err == nil {
		s := d.spool.Status()
		p.Waiting, p.Failing = s.Waiting, s.LastError
	}
	return p, err
}

func (d *Daemon) answerReport(ctx context.Context, request json.RawMessage) (any, error) {
	var r ReportRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	if err := d.journals.Journal().Flush(); err != nil {
		d.log.Warn("the journals cannot be written before a report", "error", err)
	}
	p, err := d.reporter(ctx)
	if err != nil {
		return nil, storeAway(err)
	}
	a, err := p.Report(ctx, r)
	return a, refusal(err)
}

func (d *Daemon) answerVerify(ctx context.Context, request json.RawMessage) (any, error) {
	var r ReportRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	p, err := d.reporter(ctx)
	if err != nil {
		return nil, storeAway(err)
	}
	v, err := p.Verify(ctx, r)
	return v, refusal(err)
}

// refusal is an error of a report as the command is told of it.
func refusal(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, report.ErrQuery):
		return refuse(err)
	}
	return storeAway(err)
}
