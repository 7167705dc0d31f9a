package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) check() *cobra.Command {
	var strict bool
	c := &cobra.Command{
		Use:   "check [--strict] [FILE]",
		Short: "find every error of a policy",
		Long: `Check reads a policy file, what it includes and what it names, and prints every
problem at once as "file:line: what is wrong". Exit code 0: the policy can be
put in force; 78: it cannot. With --strict warnings count as errors.`,
		Example: `  tollgate check
  tollgate check --strict /etc/tollgate/policy.toml.new && mv ...
  tollgate check --json | jq -r '.[] | "\(.file):\(.line)"'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := a.policy
			if len(args) > 0 {
				file = args[0]
			}
			return a.checkFile(file, strict)
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "warnings are errors")
	return c
}

func (a *app) checkFile(file string, strict bool) error {
	cfg, problems := config.Load(file)
	problems.Sort()
	rows := daemon.ProblemRows(problems)
	bad := problems.Err() != nil || strict && len(problems) > 0
	if a.json {
		if err := printJSON(a.out, rows); err != nil {
			return err
		}
	} else {
		printProblems(a.err, rows)
		if len(rows) > 0 {
			fmt.Fprintln(a.err, tally(rows))
		}
		if !bad {
			fmt.Fprintf(a.out, "%s: ok (%s)\n", file, daemon.CountsOf(cfg))
		}
	}
	if bad {
		return silent(exitPolicy)
	}
	return nil
}
