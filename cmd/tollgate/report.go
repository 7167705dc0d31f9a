package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// reporting is the command line of report.
type reporting struct {
	daemon.ReportRequest
	csv           string
	total, verify bool
}

// Forms of CSV.
const (
	csvRFC   = "rfc4180"
	csvExcel = "excel"
)

func (a *app) report() *cobra.Command {
	var r reporting
	c := &cobra.Command{
		Use:   "report",
		Short: "add up the account",
		Long: `Report adds up what the store holds: deliveries, bytes, charged and included
bytes and what they cost, by client (with its fees, and its balance now),
recipient, domain of the recipient, day, gateway or tariff, or by several of
them. --from and --to are days of the accounting time zone, both included: a
date, "yesterday", a week such as 2026-W48, a month such as 2026-11, "last
month"; by default this month up to today.

With --blocks it counts also the recipients that were refused, deferred,
discarded or held, and --by reason tells why: both from the journals of this
gateway, as far as they go back.

With --verify nothing is printed but what differs: counters, recipients, shares
and balances are computed anew from the records. Exit code 1: something does.

A running daemon answers; where none runs the store is opened, and what waits
in the spool is not yet counted.`,
		Example: `  tollgate report
  tollgate report --by client,day --from 2026-11-01 --to 2026-11-30 --csv
  tollgate report --from "last month" --csv=excel --total > november.csv
  tollgate report --by recipient --client sales --top 10
  tollgate report --by reason --from yesterday
  tollgate report --verify --from 2026-10
  tollgate report --by gateway --json`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := r.check(a.json); err != nil {
				return err
			}
			places, err := a.lookingPlaces()
			if err != nil {
				return err
			}
			// Days are those of the account, here as in the daemon.
			q, err := r.Query(places.Location, time.Now())
			if err != nil {
				return err
			}
			r.From, r.To = q.From.Format(time.DateOnly), q.To.Format(time.DateOnly)
			if r.verify {
				return a.verify(c.Context(), places, r.ReportRequest)
			}
			answer, err := a.rows(c.Context(), places, r.ReportRequest)
			if err != nil {
				return err
			}
			if err := a.printReport(&r, &q, &answer); err != nil {
				return away(err)
			}
			return a.unreadRecords(answer.Unread)
		},
	}
	f := c.Flags()
	f.StringVar(&r.By, "by", "client", "`COLUMNS`: "+strings.Join(reportColumns(), ", ")+"; several with commas")
	f.StringVar(&r.From, "from", "", "the first `DAY`, or a week or month")
	f.StringVar(&r.To, "to", "", "the last `DAY`")
	f.StringVar(&r.Client, "client", "", "only of this client `ID`")
	f.IntVar(&r.Top, "top", 0, "only the `N` rows with the most charged bytes, and one of all others")
	f.BoolVar(&r.Blocks, "blocks", false, "count also what was refused")
	f.BoolVar(&r.UTC, "utc", false, "days of UTC instead of the accounting time zone")
	csvFlag(c, &r.csv)
	f.BoolVar(&r.total, "total", false, "end CSV with a row for the total")
	f.BoolVar(&r.verify, "verify", false, "compute the account anew from its records, and print what differs")
	// Neither can fail: the flags are there.
	_ = c.RegisterFlagCompletionFunc("by", func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return furtherColumns(word), cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

// reportColumns are what a report may be by.
func reportColumns() []string {
	return []string{"client", "recipient", "domain", "day", "gateway", "tariff", "reason"}
}

// furtherColumns completes the last of several columns, each of which may stand
// there once.
func furtherColumns(word string) []string {
	before := word[:strings.LastIndexByte(word, ',')+1]
	named := strings.Split(before, ",")
	var all []string
	for _, c := range reportColumns() {
		if !slices.Contains(named, c) {
			all = append(all, before+c)
		}
	}
	return all
}

func (r *reporting) check(json bool) error {
	if err := csvForm(r.csv, json); err != nil {
		return err
	}
	switch {
	case r.total && r.csv == "":
		return usagef("--total is for --csv: a table has it always, and programs add up themselves")
	case r.verify && (r.csv != "" || r.Blocks || r.Top > 0):
		return usagef("--verify prints what differs, and no report")
	}
	return nil
}

// printReport prints rows in the form that was asked for.
func (a *app) printReport(r *reporting, q *report.Query, answer *daemon.ReportAnswer) error {
	v := report.View{By: q.By, Blocks: r.Blocks}
	if a.json || r.csv != "" {
		for _, note := range answer.Notes {
			fmt.Fprintln(a.err, "tollgate:", visible(note))
		}
	}
	switch {
	case a.json:
		return report.WriteJSON(a.out, v, answer.Rows)
	case r.csv != "":
		dialect, totals := dialectOf(r.csv), []report.Row(nil)
		if r.total {
			totals = report.Totals(answer.Rows)
		}
		return report.WriteCSV(a.out, v, answer.Rows, dialect, totals)
	}
	if err := reportHead(a.out, q, answer); err != nil {
		return err
	}
	if len(answer.Rows) == 0 {
		return nil
	}
	if err := report.WriteTable(a.out, v, answer.Rows); err != nil {
		return err
	}
	return costAndBalance(a.out, answer.Rows)
}

// unreadRecords says what sums lack that were printed: who bills by them is not to take
// them for all.
func (a *app) unreadRecords(list []string) error {
	for _, one := range list {
		fmt.Fprintln(a.err, "tollgate: not in these sums:", visible(one))
	}
	if len(list) > 0 {
		return silent(exitAway)
	}
	return nil
}

// costAndBalance says what of a balance is in no column.
func costAndBalance(w io.Writer, rows []report.Row) error {
	balanced := slices.ContainsFunc(rows, func(r report.Row) bool { return r.Balance != nil && *r.Balance != 0 })
	if !balanced {
		return nil
	}
	_, err := fmt.Fprint(w, `cost is what these deliveries cost, fee what tariffs cost besides. balance is as of now: payments and adjustments are in it,
and in no column; "tollgate statement CLIENT PERIOD" has all of them, PERIOD being one of its tariff: "clients show" names that of now
`)
	return err
}

// reportHead says what a table is of; an empty one says why it is.
func reportHead(w io.Writer, q *report.Query, answer *daemon.ReportAnswer) error {
	head := fmt.Sprintf("%s to %s, %s", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly), q.Location)
	if q.Client != "" {
		head += ", client " + q.Client
		if len(answer.Rows) > 0 && answer.Rows[0].Name != "" {
			head += " (" + visible(answer.Rows[0].Name) + ")"
		}
	}
	if len(answer.Notes) > 0 {
		head += "; " + visible(strings.Join(answer.Notes, "; "))
	}
	_, err := fmt.Fprintln(w, head)
	return err
}

// rows asks the daemon, or the store where no daemon runs.
func (a *app) rows(ctx context.Context, places config.Places, r daemon.ReportRequest) (answer daemon.ReportAnswer, err error) {
	err = a.ask(ctx, places.StateDir, daemon.CmdReport, r, &answer)
	if !errors.Is(err, control.ErrNoDaemon) {
		return answer, err
	}
	err = a.withReporter(ctx, func(p *daemon.Reporter) error {
		answer, err = p.Report(ctx, r)
		return err
	})
	return answer, err
}

// verify prints what differs.
func (a *app) verify(ctx context.Context, places config.Places, r daemon.ReportRequest) error {
	v := new(report.Verification)
	err := a.ask(ctx, places.StateDir, daemon.CmdVerify, r, v)
	if errors.Is(err, control.ErrNoDaemon) {
		err = a.withReporter(ctx, func(p *daemon.Reporter) (err error) {
			v, err = p.Verify(ctx, r)
			return err
		})
	}
	if err != nil {
		return err
	}
	if a.json {
		err = printJSON(a.out, v)
	} else {
		for _, p := range v.Problems {
			fmt.Fprintln(a.out, visible(p))
		}
		_, err = fmt.Fprintf(a.out, "%s in %s of %s computed anew: %s\n", daemon.Plural(int(v.Records), "record"),
			daemon.Plural(v.Periods, "period"), daemon.Plural(v.Clients, "client"), verdict(len(v.Problems)))
	}
	if err == nil && len(v.Problems) > 0 {
		return silent(exitNegative)
	}
	return away(err)
}

func verdict(problems int) string {
	if problems == 0 {
		return "all agrees"
	}
	return daemon.Plural(problems, "difference")
}

// withReporter opens the store while no daemon runs.
func (a *app) withReporter(ctx context.Context, fn func(*daemon.Reporter) error) error {
	cfg, problems := config.Load(a.policy)
	if err := problems.Err(); err != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return silent(exitPolicy)
	}
	fmt.Fprintln(a.err, "tollgate: no daemon runs: what waits in the spool is not counted yet")
	log := slog.New(slog.DiscardHandler)
	accounts, err := assemble.NewAccounts(cfg.StateDir, log)
	if err != nil {
		return away(err)
	}
	accounts.Book.Add(cfg.Tariffs...)
	store, _, err := assemble.OpenStore(ctx, cfg, accounts, log, assemble.MustExist)
	if err != nil {
		return away(err)
	}
	p, err := daemon.NewReporter(ctx, store, cfg, accounts.Book, accounts.Known(cfg))
	if err == nil {
		err = fn(p)
	}
	return away(errors.Join(err, store.Close()))
}

// csvFlag has a command print CSV.
func csvFlag(c *cobra.Command, form *string) {
	c.Flags().StringVar(form, "csv", "", "print CSV: rfc4180 (the default `FORM`), or excel: semicolons, a byte order mark, decimal commas")
	c.Flags().Lookup("csv").NoOptDefVal = csvRFC
	_ = c.RegisterFlagCompletionFunc("csv", cobra.FixedCompletions([]string{csvRFC, csvExcel}, cobra.ShellCompDirectiveNoFileComp))
}

// csvForm tells what is wrong with the form that was asked for, beside another.
func csvForm(form string, other bool) error {
	switch {
	case !slices.Contains([]string{"", csvRFC, csvExcel}, form):
		return usagef("--csv=%s: it is one of %s, %s", form, csvRFC, csvExcel)
	case form != "" && other:
		return usagef("--csv is one form, --json and --exact are others: name one")
	}
	return nil
}

func dialectOf(form string) report.Dialect {
	if form == csvExcel {
		return report.Excel()
	}
	return report.RFC4180()
}
