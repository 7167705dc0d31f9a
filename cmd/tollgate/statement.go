package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) statement() *cobra.Command {
	var utc, exact bool
	var form string
	c := &cobra.Command{
		Use:   "statement CLIENT PERIOD",
		Short: "print a client's account in a period",
		Long: `Statement prints a client's account in a period of its tariff (2026-11, 2026-W48,
2026-11-23): opening balance, payments, fee, usage by version and band of the
tariff, adjustments with who and why, closing balance. It adds up to the last
unit, or is not printed: lines are rounded to the decimals of the currency so
that they, too, add up; --exact and --json have what was computed, to the last
part of a millionth, and the ids of entries. --csv has a row for each line: the
amounts of all but the last, the closing balance, sum to it.

PERIOD may be said: "last month", "november", "last week", "yesterday".`,
		Example: `  tollgate statement sales 2026-11
  tollgate statement sales "last month" --exact
  tollgate statement sales november --csv > november.csv
  tollgate statement sales 2026-W48 --json`,
		Args: counted(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := csvForm(form, a.json || exact); err != nil {
				return err
			}
			places, err := a.lookingPlaces()
			if err != nil {
				return err
			}
			var s report.Statement
			period, err := a.parsePeriod(args[1], time.Now().In(places.Location))
			if err != nil {
				return err
			}
			request := daemon.StatementRequest{Client: args[0], Period: period}
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdStatement, request, &s); err != nil {
				return err
			}
			if a.json {
				j, err := statementOf(&s)
				if err != nil {
					return away(err)
				}
				return printJSON(a.out, j)
			}
			loc := places.Location
			if utc {
				loc = time.UTC
			}
			if form != "" {
				return away(s.WriteCSV(a.out, dialectOf(form), loc))
			}
			if exact {
				return away(exactStatement(a.out, &s, loc))
			}
			return away(printStatement(a.out, &s, loc))
		},
	}
	csvFlag(c, &form)
	c.Flags().BoolVar(&exact, "exact", false, "sums to the last part of a millionth, and all ids")
	c.ValidArgsFunction = a.firstIs(a.clientIDs)
	c.Flags().BoolVar(&utc, "utc", false, "times in UTC instead of the accounting time zone")
	return c
}

func (a *app) close() *cobra.Command {
	var q daemon.CloseRequest
	c := &cobra.Command{
		Use:   "close PERIOD",
		Short: "close a period of the account",
		Long: `Close freezes a period: what comes late counts in an open one, as an adjustment.
Its records get a hash, which chains to that of the period closed before. It is
refused while there is doubt: a gateway has records that wait or has not been
heard of, records are parked, nothing was ever charged so early, or periods would
be closed out of their order; with --force the doubt is kept with the hash.
Closed again it is verified. Where a closed period has days in common with it (a
day of a month) it asks. With --archive the records are moved out of the
store into a file whose SHA-256 is the hash: reports, statements and --verify
read it from there.`,
		Example: `  tollgate close 2026-11
  tollgate close 2026-11 --archive /var/lib/tollgate/archive`,
		Args: counted(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			if q.Period, err = a.parsePeriod(args[0], time.Now().In(places.Location)); err != nil {
				return err
			}
			var seal daemon.CloseAnswer
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdClose, q, &seal); err != nil {
				return err
			}
			if len(seal.Overlaps) > 0 {
				fmt.Fprintf(a.err, "tollgate: %s and %s, which is closed, have days in common: it can be closed for itself, for ever\n", q.Period, strings.Join(seal.Overlaps, ", "))
				if a.json {
					return usagef("nothing was closed: --yes closes it nevertheless")
				}
				if !a.agreed("Close " + q.Period + " as well?") {
					fmt.Fprintln(a.err, "nothing was closed")
					return silent(exitNegative)
				}
				q.Overlapping, seal = true, daemon.CloseAnswer{}
				if err := a.ask(c.Context(), places.StateDir, daemon.CmdClose, q, &seal); err != nil {
					return err
				}
			}
			if a.json {
				return printJSON(a.out, seal)
			}
			is := "is closed"
			if seal.Verified {
				is = "was closed before and is verified"
			}
			_, err = fmt.Fprintf(a.out, "%s %s, number %d: records %d, clients %d, hash %s\n", seal.Period, is, seal.Number,
				seal.Records, seal.Clients, seal.Hash)
			if err == nil && seal.Forced != "" {
				_, err = fmt.Fprintln(a.out, "although:", visible(seal.Forced))
			}
			if err == nil && seal.Archive != "" {
				_, err = fmt.Fprintln(a.out, "its records are in", visible(seal.Archive))
			}
			return away(err)
		},
	}
	f := c.Flags()
	f.BoolVar(&q.Force, "force", false, "close in spite of doubts")
	f.BoolVar(&q.Overlapping, "yes", false, "do not ask where a period is closed that has days of it")
	f.StringVar(&q.Archive, "archive", "", "also move the records into a file in `DIR`, which the daemon can write to")
	return c
}
