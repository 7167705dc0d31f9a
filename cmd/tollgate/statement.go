package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) statement() *cobra.Command {
	var utc bool
	c := &cobra.Command{
		Use:   "statement CLIENT PERIOD",
		Short: "print a client's account in a period",
		Long: `Statement prints a client's account in a period of its tariff (2026-11, 2026-W48,
2026-11-23): opening balance, payments, fee, usage by version and band of the
tariff, adjustments with who and why, closing balance. It adds up to the last
unit, or is not printed.`,
		Example: `  tollgate statement sales 2026-11
  tollgate statement sales 2026-W48 --json`,
		Args: counted(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var s report.Statement
			request := daemon.StatementRequest{Client: args[0], Period: args[1]}
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdStatement, request, &s); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, s)
			}
			loc := places.Location
			if utc {
				loc = time.UTC
			}
			return away(printStatement(a.out, &s, loc))
		},
	}
	c.Flags().BoolVar(&utc, "utc", false, "times in UTC instead of the accounting time zone")
	return c
}

func printStatement(w io.Writer, s *report.Statement, loc *time.Location) error {
	state := "open"
	if s.Closed {
		state = "closed"
	}
	head := fmt.Sprintf("%s, %s, %s, in %s; times of %s", s.Client, s.Period, state, or(s.Currency), loc)
	if s.Name != "" {
		head = visible(s.Name) + ": " + head
	}
	lines := []string{head}
	sum := func(what string, n int64) {
		lines = append(lines, fmt.Sprintf("%-60s %18s", what, price.FormatMoney(n)))
	}
	sum("opening balance", s.Opening)
	for _, e := range s.Entries {
		n := e.Amount
		if e.Kind == accounting.Fee {
			n = -n
		}
		what := e.Time.In(loc).Format(time.DateTime) + " " + e.Kind + " " + e.ID
		if e.By != "" {
			what += " by " + e.By
		}
		if e.Reverses != "" {
			what += ", reverses " + e.Reverses
		}
		if e.Note != "" {
			what += ": " + e.Note
		}
		sum(visible(what), n)
	}
	for _, u := range s.Usage {
		what := "usage " + or(u.Tariff)
		if u.Version != "" {
			what += " " + u.Version
		}
		if u.Band > 0 {
			what += " band " + strconv.Itoa(u.Band)
		}
		if u.Sent {
			what += " sent"
		}
		if u.Late {
			what += " late"
		}
		lines = append(lines, fmt.Sprintf("%s: %d deliveries, %d B charged, %d B priced, %d B and %d deliveries included: %s millionths",
			what, u.Deliveries, u.Charged, u.Priced, u.Included, u.IncludedDeliveries, or(u.Amount)))
	}
	sum("usage, less "+s.Remainder+" of a millionth", -s.Cost)
	sum("closing balance", s.Closing)
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) close() *cobra.Command {
	var q daemon.CloseRequest
	c := &cobra.Command{
		Use:   "close PERIOD",
		Short: "close a period of the account",
		Long: `Close freezes a period: what comes late counts in an open one, as an adjustment.
Its records get a hash, which chains to that of the period closed before. It is
refused while there is doubt: a gateway has records that wait or has not been
heard of, or records are parked; with --force the doubt is kept with the hash.
Closed again it is verified. With --archive the records are moved out of the
store into a file whose SHA-256 is the hash: reports, statements and --verify
read it from there.`,
		Example: `  tollgate close 2026-11
  tollgate close 2026-11 --archive /var/lib/tollgate/archive`,
		Args: counted(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			q.Period = args[0]
			places, err := a.places()
			if err != nil {
				return err
			}
			var seal accounting.Close
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdClose, q, &seal); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, seal)
			}
			_, err = fmt.Fprintf(a.out, "%s is closed, number %d: records %d, clients %d, hash %s\n", seal.Period, seal.Number,
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
	f.StringVar(&q.Archive, "archive", "", "also move the records into a file in `DIR`, which the daemon can write to")
	return c
}
