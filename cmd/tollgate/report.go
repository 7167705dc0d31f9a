package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) report() *cobra.Command {
	var r daemon.ReportRequest
	var csv bool
	c := &cobra.Command{
		Use:   "report",
		Short: "add up the account",
		Long: `Report adds up what the store holds: deliveries, bytes and charged bytes by
client, recipient, domain of the recipient, day or gateway, or by several of
them. --from and --to are days of the accounting time zone, both included: a
date, "yesterday", a month such as 2026-11, "last month"; by default this month
up to today. A running daemon answers; where none runs the store is opened, and
what waits in the spool is not yet counted.`,
		Example: `  tollgate report
  tollgate report --by client,day --from 2026-11-01 --to 2026-11-30 --csv
  tollgate report --by recipient --client sales --top 10
  tollgate report --by gateway --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if csv && a.json {
				return usagef("--csv and --json are two forms: name one")
			}
			places, err := a.places()
			if err != nil {
				return err
			}
			// Days are those of the account, here as in the daemon.
			q, err := r.Query(places.Location, time.Now())
			if err != nil {
				return err
			}
			r.From, r.To = q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)
			rows, err := a.rows(c.Context(), places, r)
			if err != nil {
				return err
			}
			switch {
			case a.json:
				return away(report.WriteJSON(a.out, q.By, rows))
			case csv:
				return away(report.WriteCSV(a.out, q.By, rows))
			}
			if err := reportHead(a.out, q, len(rows)); err != nil {
				return err
			}
			if len(rows) == 0 {
				return nil
			}
			return away(report.WriteTable(a.out, q.By, rows))
		},
	}
	f := c.Flags()
	f.StringVar(&r.By, "by", "client", "`COLUMNS`: client, recipient, domain, day, gateway; several with commas")
	f.StringVar(&r.From, "from", "", "the first `DAY`, or a month")
	f.StringVar(&r.To, "to", "", "the last `DAY`")
	f.StringVar(&r.Client, "client", "", "only of this client `ID`")
	f.IntVar(&r.Top, "top", 0, "only the `N` rows with the most charged bytes, and one of all others")
	f.BoolVar(&csv, "csv", false, "print CSV (RFC 4180)")
	return c
}

// reportHead says what a table is of; an empty one says why it may be.
func reportHead(w io.Writer, q report.Query, rows int) error {
	head := fmt.Sprintf("%s to %s, %s", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), q.Location)
	if q.Client != "" {
		head += ", client " + q.Client
	}
	if rows == 0 {
		head += ": nothing was charged. Other days: --from, --to; what waits in the spool: tollgate status"
	}
	_, err := fmt.Fprintln(w, head)
	return err
}

// rows asks the daemon, or the store where no daemon runs.
func (a *app) rows(ctx context.Context, places config.Places, r daemon.ReportRequest) ([]report.Row, error) {
	var rows []report.Row
	err := a.ask(ctx, places.StateDir, daemon.CmdReport, r, &rows)
	if !errors.Is(err, control.ErrNoDaemon) {
		return rows, err
	}
	cfg, problems := config.Load(a.policy)
	if err := problems.Err(); err != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return nil, silent(exitPolicy)
	}
	fmt.Fprintln(a.err, "tollgate: no daemon runs: what waits in the spool is not counted yet")
	q, err := r.Query(cfg.Location, time.Now())
	if err != nil {
		return nil, err
	}
	store, _, err := assemble.OpenStore(ctx, cfg, nil, slog.New(slog.DiscardHandler), assemble.MustExist)
	if err != nil {
		return nil, away(err)
	}
	q.ByRecords = price.NewBook(cfg.Tariffs...).Other(q.Location.String())
	rows, err = report.Run(ctx, store, q)
	return rows, away(errors.Join(err, store.Close()))
}
