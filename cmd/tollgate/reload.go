package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) reload() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "put the policy file in force",
		Long: `Reload makes the running daemon load its policy anew and open its journals anew;
SIGHUP does the same. No connection is dropped; a message under way is judged to
its end by the policy it began with. A bad policy changes nothing: its errors
are printed, exit code 78. Changes of listen, state_dir, [redis] and the
accounting's timezone need a restart; the rest is applied. Exit code 75: no
daemon runs.`,
		Example: `  tollgate check && tollgate reload`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var r daemon.Reloaded
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdReload, nil, &r); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, r)
			}
			printProblems(a.err, r.Warnings)
			if len(r.Restart) > 0 {
				fmt.Fprintf(a.err, "tollgate: needs a restart to take effect: %s\n", strings.Join(r.Restart, ", "))
			}
			_, err = fmt.Fprintf(a.out, "%s: in force (%s)\n", r.Policy, r.Counts)
			return away(err)
		},
	}
}
