package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) audit() *cobra.Command {
	var accept int64
	note := ""
	c := &cobra.Command{
		Use:   "audit",
		Short: "prove that the store has each spooled record once",
		Long: `Audit looks for every usage record that the spool of this gateway still retains
(24 hours and more) in the store: each must be applied once, parked, or given up
by somebody. It names the first that are missing or there twice. What is older is
proven by "tollgate report --verify". Exit code 1: something is missing or
doubled.

What is lost for good is accepted with --accept and the number of records that
are missing, which must be that: the numbers of "tollgate status" agree again,
and who accepted what, when and why is kept and journalled.`,
		Example: `  tollgate audit
  tollgate audit --accept 3 --note "disk of gw1 replaced, ticket 4711"
  tollgate audit --json | jq '.first_missing[].id'`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			if c.Flags().Changed("accept") {
				return a.accept(c.Context(), places.StateDir, daemon.AcceptRequest{Records: accept, Note: note})
			}
			if note != "" {
				return usagef("--note is for --accept")
			}
			var r audit.Report
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdAudit, nil, &r); err != nil {
				return err
			}
			if a.json {
				err = printJSON(a.out, r)
			} else {
				err = a.printAudit(&r)
			}
			if err == nil && !r.Proven() {
				return silent(exitNegative)
			}
			return away(err)
		},
	}
	c.Flags().Int64Var(&accept, "accept", 0, "accept as lost the `N` records that are missing")
	c.Flags().StringVar(&note, "note", "", "`TEXT` that is kept with it: why")
	return c
}

// accept accepts records as lost.
func (a *app) accept(ctx context.Context, stateDir string, r daemon.AcceptRequest) error {
	var one audit.Acceptance
	if err := a.ask(ctx, stateDir, daemon.CmdAccept, r, &one); err != nil {
		return err
	}
	if a.json {
		return away(printJSON(a.out, one))
	}
	for _, id := range one.IDs {
		fmt.Fprintf(a.out, "lost  %s\n", visible(id))
	}
	_, err := fmt.Fprintf(a.out, "%s accepted as lost by %s: %s\n", daemon.Plural(int(r.Records), "record"), visible(one.By), visible(one.Note))
	return away(err)
}

func (a *app) printAudit(r *audit.Report) error {
	_, err := fmt.Fprintf(a.out, "%s of the spool: %d applied once, %d parked, %d given up, %d missing, %d doubled\n", daemon.Plural(int(r.Records), "record"),
		r.Records-r.Parked-r.Dropped-r.Accepted-r.Missing-r.Doubled, r.Parked, r.Dropped, r.Missing, r.Doubled)
	if err != nil {
		return err
	}
	if r.Again > 0 {
		fmt.Fprintf(a.out, "%d stand there more than once (spooled again after a crash, a void that two have written), and count once\n", r.Again)
	}
	if r.Accepted > 0 {
		fmt.Fprintf(a.out, "%d are lost, which was accepted\n", r.Accepted)
	}
	if len(r.Unlisted) > 0 {
		fmt.Fprintf(a.out, "counted although they are in the store's list of clients no more: %s\n", visible(strings.Join(r.Unlisted, ", ")))
	}
	if r.Gone > 0 {
		fmt.Fprintf(a.out, "%d more were spooled, and neither the store nor the spool has them any more (a segment was removed, a disk died): they are lost\n", r.Gone)
	}
	if r.Uncompared != "" {
		fmt.Fprintf(a.out, "whether more were spooled than store and spool have is not known: %s\n", visible(r.Uncompared))
	}
	for _, one := range r.FirstMissing {
		fmt.Fprintf(a.out, "missing  %s  %s  %s\n", local(one.Time), visible(one.Client), visible(one.ID))
	}
	for _, one := range r.FirstDoubled {
		fmt.Fprintf(a.out, "doubled  %s  %s  %s\n", local(one.Time), visible(one.Client), visible(one.ID))
	}
	return nil
}
