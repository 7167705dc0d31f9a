package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
)

// reportRequest asks the daemon for a report.
type reportRequest struct {
	By     string `json:"by"`
	From   string `json:"from"` // first day, "2026-11-23"; "": of the current month
	To     string `json:"to"`   // last day; "": today
	Client string `json:"client"`
	Top    int    `json:"top"`
}

func (a *app) report() *cobra.Command {
	var r reportRequest
	var csv bool
	c := &cobra.Command{
		Use:   "report",
		Short: "add up the account",
		Long: `Report adds up what the store holds: deliveries, bytes and charged bytes by
client, recipient, domain of the recipient, day or gateway, or by several of
them. --from and --to are days of the accounting time zone, both included; by
default this month up to today. A running daemon answers; where none runs the
store is opened, and what waits in the spool is not yet counted.`,
		Example: `  tollgate report
  tollgate report --by client,day --from 2026-11-01 --to 2026-11-30 --csv
  tollgate report --by recipient --client sales --top 10
  tollgate report --by gateway --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if csv && a.json {
				return usagef("--csv and --json are two forms: name one")
			}
			q, err := r.query(time.UTC, time.Now())
			if err != nil {
				return err
			}
			rows, err := a.rows(c.Context(), r)
			if err != nil {
				return err
			}
			switch {
			case a.json:
				return away(report.WriteJSON(a.out, q.By, rows))
			case csv:
				return away(report.WriteCSV(a.out, q.By, rows))
			}
			return away(report.WriteTable(a.out, q.By, rows))
		},
	}
	f := c.Flags()
	f.StringVar(&r.By, "by", "client", "`COLUMNS`: client, recipient, domain, day, gateway; several with commas")
	f.StringVar(&r.From, "from", "", "the first `DAY`")
	f.StringVar(&r.To, "to", "", "the last `DAY`")
	f.StringVar(&r.Client, "client", "", "only of this client `ID`")
	f.IntVar(&r.Top, "top", 0, "only the `N` rows with the most charged bytes")
	f.BoolVar(&csv, "csv", false, "print CSV (RFC 4180)")
	return c
}

// query reads a request. Days are those of loc.
func (r reportRequest) query(loc *time.Location, now time.Time) (report.Query, error) {
	q := report.Query{Location: loc, Client: r.Client, Top: r.Top}
	if slices.Contains(strings.Split(r.By, ","), "tariff") {
		return q, usagef("--by tariff: tariffs are not part of this version")
	}
	var err error
	if q.By, err = report.ParseBy(r.By); err != nil {
		return q, usagef("--by: %w", err)
	}
	now = now.In(loc)
	q.From, q.To = now.AddDate(0, 0, 1-now.Day()), now
	if r.To != "" {
		if q.To, err = report.ParseDay(r.To); err != nil {
			return q, usagef("--to: %w", err)
		}
		if r.From == "" {
			q.From = q.To.AddDate(0, 0, 1-q.To.Day())
		}
	}
	if r.From != "" {
		if q.From, err = report.ParseDay(r.From); err != nil {
			return q, usagef("--from: %w", err)
		}
	}
	if q.From.Format(time.DateOnly) > q.To.Format(time.DateOnly) {
		return q, usagef("--from %s is after --to %s", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly))
	}
	if r.Top < 0 {
		return q, usagef("--top %d: want how many", r.Top)
	}
	return q, nil
}

// rows asks the daemon, or the store where no daemon runs.
func (a *app) rows(ctx context.Context, r reportRequest) ([]report.Row, error) {
	places, err := a.places()
	if err != nil {
		return nil, err
	}
	var rows []report.Row
	err = a.ask(ctx, places.StateDir, cmdReport, r, &rows)
	if !errors.Is(err, control.ErrNoDaemon) {
		return rows, err
	}
	cfg, problems := config.Load(a.policy)
	if err := problems.Err(); err != nil {
		printProblems(a.err, problemRows(problems))
		return nil, silent(exitPolicy)
	}
	fmt.Fprintln(a.err, "tollgate: no daemon runs: what waits in the spool is not counted yet")
	q, err := r.query(cfg.Location, time.Now())
	if err != nil {
		return nil, err
	}
	store, _, err := openStore(ctx, cfg, quiet(), mustExist)
	if err != nil {
		return nil, away(err)
	}
	rows, err = report.Run(ctx, store, q)
	return rows, away(errors.Join(err, store.Close()))
}
