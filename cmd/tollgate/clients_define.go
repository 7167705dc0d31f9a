package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) clientsImport() *cobra.Command {
	q := daemon.ImportRequest{}
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "write clients into Redis",
		Long: `Import writes the clients of a file into Redis, where [clients] has redis = true:
each in place of the one of the same id, all of them or, where one is wrong,
none. The file has [[client]] sections as the policy or, if its name ends in
.json or .jsonl, a JSON object with the same keys on each line. Every problem is
printed as "file:line: what is wrong", addresses that belong to somebody else
already among them. Clients that the file does not name stay as they are.`,
		Example: `  tollgate clients import clients.toml
  tollgate clients import --check clients.jsonl
  tollgate clients import clients.toml --now`,
		Args: counted(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			q.File = args[0]
			if _, err := os.Stat(q.File); err != nil {
				return notThere(err)
			}
			list, problems := config.ReadDefinitions(q.File)
			q.Clients = make([]daemon.ImportLine, len(list))
			for i, d := range list {
				q.Clients[i] = daemon.ImportLine{Line: d.Pos.Line, Text: d.Text}
			}
			places, err := a.places()
			if problems.Err() != nil {
				rows := daemon.ProblemRows(problems)
				if err == nil && len(list) > 0 {
					// What can be read may have problems of its own: all are told at once.
					rows = append(rows, a.problemsOf(c.Context(), places.StateDir, q)...)
					slices.SortStableFunc(rows, func(x, y daemon.ProblemRow) int { return cmp.Compare(x.Line, y.Line) })
				}
				return a.badImport(rows)
			}
			if err != nil {
				return err
			}
			var answer daemon.ImportAnswer
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdImport, q, &answer); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, answer)
			}
			printProblems(a.err, answer.Warnings)
			what := "written"
			if q.Check {
				what = "can be written"
			}
			if len(answer.Switched) > 0 {
				what += "; another tariff holds from now on for " + strings.Join(answer.Switched, ", ")
			}
			_, err = fmt.Fprintf(a.out, "%s %s\n", daemon.Plural(answer.Clients, "client"), what)
			return away(err)
		},
	}
	c.Flags().BoolVar(&q.Check, "check", false, "find every error, and write nothing")
	c.Flags().BoolVar(&q.Now, "now", false, "other tariffs hold at once, not from the next period on")
	return c
}

// problemsOf are those of clients that are not to be written. An answer that does not
// come has none.
func (a *app) problemsOf(ctx context.Context, stateDir string, q daemon.ImportRequest) []daemon.ProblemRow {
	q.Check = true
	var answer daemon.ImportAnswer
	silently := *a
	silently.out, silently.err = io.Discard, io.Discard
	err := silently.ask(ctx, stateDir, daemon.CmdImport, q, &answer)
	if refusal := (*control.Refusal)(nil); errors.As(err, &refusal) && refusal.Detail != nil {
		var rows []daemon.ProblemRow
		_ = json.Unmarshal(refusal.Detail, &rows)
		return rows
	}
	return answer.Warnings
}

// badImport tells of a file that cannot be written.
func (a *app) badImport(rows []daemon.ProblemRow) error {
	if a.json {
		if err := printJSON(a.out, rows); err != nil {
			return err
		}
		return silent(exitPolicy)
	}
	printProblems(a.err, rows)
	return silent(exitPolicy)
}

func (a *app) clientsDisable(name string, disabled bool) *cobra.Command {
	c := &cobra.Command{
		Use:     name + " ID",
		Short:   "let a client of Redis receive again",
		Long:    `Enable lets a client that stands in Redis receive again.`,
		Example: "  tollgate clients enable sales",
		Args:    counted(1, 1),

		ValidArgsFunction: a.firstIs(a.clientIDs),
		RunE: func(c *cobra.Command, args []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var answer daemon.DisableRequest
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdDisable, daemon.DisableRequest{ID: args[0], Disabled: disabled}, &answer); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, answer)
			}
			_, err = fmt.Fprintf(a.out, "%s is %sd\n", visible(answer.ID), name)
			return away(err)
		},
	}
	if disabled {
		c.Short, c.Example = "refuse mail to a client of Redis", "  tollgate clients disable sales"
		c.Long = `Disable refuses mail to a client that stands in Redis, at every gateway within
seconds; its account stays. One of the policy is disabled there.`
	}
	return c
}

func (a *app) clientsRebooked() *cobra.Command {
	return &cobra.Command{
		Use:   "rebooked",
		Short: "say that lost money was booked again",
		Long: `A store that was set back, came back empty or is another one has lost payments
and adjustments, which "tollgate status" says until people have booked them
again. Rebooked says that this was done: the status of this gateway does not tell
of it any longer, and the log names who said so.`,
		Example: `  tollgate clients pay sales 1000.00 --id invoice-17
  tollgate clients rebooked`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var answer daemon.RebookedAnswer
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdRebooked, struct{}{}, &answer); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, answer)
			}
			if len(answer.Settled) == 0 {
				_, err = fmt.Fprintln(a.out, "nothing is known to be lost")
				return away(err)
			}
			for _, what := range answer.Settled {
				if _, err := fmt.Fprintln(a.out, "settled:", visible(what)); err != nil {
					return away(err)
				}
			}
			return nil
		},
	}
}

func (a *app) clientsSwitch() *cobra.Command {
	var q daemon.SwitchRequest
	c := &cobra.Command{
		Use:   "switch ID",
		Short: "have a client's tariff hold at once",
		Long: `A client whose definition names another tariff, or whose tariff has another
period, time zone or currency, is under it from its next period on. Switch has
it hold from now on: what was accepted before stays in the period before, what is
accepted from now on counts in a period of the new tariff. Where the periods stay
the same, so must the currency. A fee that was booked stays.

A balance is one number. Where it is not 0 and the currency is another, switch
refuses: settle it first by an adjustment or a payment, or have the number stay,
in the other currency, by --keep-number. It refuses, too, while a gateway has
records that wait or was not heard of: what comes of the currency before after
the change, as a void of it, is parked and not added to the balance; --force
switches nevertheless.`,
		Example: `  tollgate clients switch sales
  tollgate clients adjust sales 199.145664 --reason "moved to EUR" && tollgate clients switch sales`,
		Args: counted(1, 1),

		ValidArgsFunction: a.firstIs(a.clientIDs),
		RunE: func(c *cobra.Command, args []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			q.ID = args[0]
			var answer daemon.SwitchAnswer
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdSwitch, q, &answer); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, answer)
			}
			what := "is in force already"
			if answer.Switched {
				what = "holds from now on"
			}
			_, err = fmt.Fprintf(a.out, "tariff %s %s\n", or(answer.Tariff), what)
			return away(err)
		},
	}
	c.Flags().BoolVar(&q.Force, "force", false, "to another currency also while a gateway has records that wait")
	c.Flags().BoolVar(&q.KeepNumber, "keep-number", false, "a balance that is not 0 stays as a number, in the other currency")
	return c
}
