package main

import (
	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) policyExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export [FILE]",
		Short: "print a policy's files as one JSON object",
		Long: `Export prints what a policy says for programs that carry it elsewhere: one JSON
object with "policy" (the main file and all that it includes as one), "clients"
(what the file of [clients] says, or null) and "files" (the paths of what was
read). Files that the policy names have absolute paths; dates are texts. URLs
keep the passwords in them. A policy with an error is not exported; exit code 78.`,
		Example: `  tollgate policy export | jq '.policy.rule[].name'`,
		Args:    counted(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := a.policy
			if len(args) > 0 {
				file = args[0]
			}
			text, problems := config.Whole(file)
			if problems.Err() != nil {
				printProblems(a.err, daemon.ProblemRows(problems))
				return silent(exitPolicy)
			}
			_, err := a.out.Write(append(text, '\n'))
			return away(err)
		},
	}
}
