package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) parked() *cobra.Command {
	c := &cobra.Command{
		Use:   "parked",
		Short: "decide about usage records that the store could not apply",
		Long: `A usage record that the store cannot apply is parked: one older than the store
remembers records (it could not be told from one that was applied before), one
from the future (a gateway's clock is wrong), one that no counter has room for,
one that is damaged. It is in no report and no bill until somebody decides.

It asks the daemon or, where none runs, the store. Exit code 1: nothing is
parked, or something named is not, or cannot be applied.`,
		Example: `  tollgate parked list
  tollgate parked apply mx1/4CABCDEF/1795435200123/ivan@example.org
  tollgate parked drop --all`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("parked what? %q lists what it can do", c.CommandPath()+" --help")
		},
	}
	list := &cobra.Command{
		Use:     "list",
		Short:   "list the parked records",
		Long:    `List prints each parked record with the reason why it was parked.`,
		Example: `  tollgate parked list --json | jq -r '.[].record.id'`,
		Args:    alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.doParked(c.Context(), daemon.ParkedRequest{Do: daemon.ParkedList})
		},
	}
	c.AddCommand(list,
		a.parkedDecision(daemon.ParkedApply, "apply parked records whatever their age", `Apply adds parked records to the account, each once, however old it is. Whether
one was applied before, longer ago than the store remembers, only you can know:
look for its message in the journal and in the report of its month first.`),
		a.parkedDecision(daemon.ParkedDrop, "give parked records up", `Drop gives parked records up for good: nobody is charged for them. List prints
them, --json in full, for who wants to keep a copy.`))
	return c
}

func (a *app) parkedDecision(do, short, long string) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:     do + " ID...",
		Short:   short,
		Long:    long,
		Example: "  tollgate parked " + do + " mx1/4CABCDEF/1795435200123/ivan@example.org",
		RunE: func(c *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return usagef("which records? Name their ids, or --all")
			}
			return a.doParked(c.Context(), daemon.ParkedRequest{Do: do, IDs: ids, All: all})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all that are parked")
	return c
}

// doParked asks the daemon, or the store where no daemon runs, and prints the
// answer.
func (a *app) doParked(ctx context.Context, r daemon.ParkedRequest) error {
	places, err := a.places()
	if err != nil {
		return err
	}
	var rows []daemon.ParkedRow
	err = a.ask(ctx, places.StateDir, daemon.CmdParked, r, &rows)
	if errors.Is(err, control.ErrNoDaemon) {
		rows, err = a.parkedHere(ctx, r)
	}
	if err != nil {
		return err
	}
	negative := len(rows) == 0
	for _, row := range rows {
		negative = negative || row.Result == "absent" || r.Do != daemon.ParkedList && row.Result == "parked"
	}
	if a.json {
		if rows == nil {
			rows = []daemon.ParkedRow{}
		}
		err = printJSON(a.out, rows)
	} else {
		err = a.printParked(r, rows)
	}
	if err == nil && negative {
		return silent(exitNegative)
	}
	return away(err)
}

func (a *app) printParked(r daemon.ParkedRequest, rows []daemon.ParkedRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(a.out, "nothing is parked")
		return err
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if r.Do == daemon.ParkedList {
		fmt.Fprintln(w, "TIME\tCLIENT\tCHARGED\tID\tREASON")
	}
	for _, row := range rows {
		switch {
		case r.Do == daemon.ParkedList:
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", local(row.Record.Time), visible(row.Record.Client), bytesize(row.Record.Charged),
				visible(row.Record.ID), visible(row.Reason))
		case row.Result == "parked":
			fmt.Fprintf(w, "%s\t%s: %s\n", visible(row.Record.ID), row.Result, visible(row.Reason))
		default:
			fmt.Fprintf(w, "%s\t%s\n", visible(row.Record.ID), row.Result)
		}
	}
	return w.Flush()
}

func (a *app) parkedHere(ctx context.Context, r daemon.ParkedRequest) (rows []daemon.ParkedRow, err error) {
	cfg, problems := config.Load(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return nil, silent(exitPolicy)
	}
	store, _, err := assemble.OpenStore(ctx, cfg, nil, slog.New(slog.DiscardHandler), assemble.MustExist)
	if err != nil {
		return nil, away(err)
	}
	rows, err = daemon.DecideParked(ctx, store, r, control.UserName(os.Getuid()))
	return rows, away(errors.Join(err, store.Close()))
}
