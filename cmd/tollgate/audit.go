package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) audit() *cobra.Command {
	return &cobra.Command{
		Use:   "audit",
		Short: "prove that the store has each spooled record once",
		Long: `Audit looks for every usage record that the spool of this gateway still retains
(24 hours and more) in the store: each must be applied once, parked, or given up
by somebody. It names the first that are missing or there twice. What is older is
proven by "tollgate report --verify". Exit code 1: something is missing or
doubled.`,
		Example: `  tollgate audit
  tollgate audit --json | jq '.first_missing[].id'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
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
}

func (a *app) printAudit(r *audit.Report) error {
	_, err := fmt.Fprintf(a.out, "%s of the spool: %d applied once, %d parked, %d given up, %d missing, %d doubled\n", daemon.Plural(int(r.Records), "record"),
		r.Records-r.Parked-r.Dropped-r.Missing-r.Doubled, r.Parked, r.Dropped, r.Missing, r.Doubled)
	if err != nil {
		return err
	}
	if r.Again > 0 {
		fmt.Fprintf(a.out, "%d were spooled again, and count once\n", r.Again)
	}
	for _, one := range r.FirstMissing {
		fmt.Fprintf(a.out, "missing  %s  %s  %s\n", local(one.Time), visible(one.Client), visible(one.ID))
	}
	for _, one := range r.FirstDoubled {
		fmt.Fprintf(a.out, "doubled  %s  %s  %s\n", local(one.Time), visible(one.Client), visible(one.ID))
	}
	return nil
}
