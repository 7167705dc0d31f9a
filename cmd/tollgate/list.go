package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) lists() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "make lists that stay in their file and take no memory",
		Long: `List makes a file of a list of addresses, domains and networks that is looked up
where it stands: for lists of many millions of entries. A policy names the file
in place of the text.`,
		Example: `  tollgate list build /etc/tollgate/blocked.txt
  tollgate list verify /etc/tollgate/blocked.tgl`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("which command? %q lists them", c.CommandPath()+" --help")
		},
	}
	c.AddCommand(a.listBuild(), a.listVerify())
	return c
}

func (a *app) listBuild() *cobra.Command {
	return &cobra.Command{
		Use:   "build TEXT [FILE]",
		Short: "make a file of the list in a text",
		Long: `Build reads a list with an entry a line, as a policy does, and makes FILE of it:
by default TEXT with .tgl in place of .txt. The file is written beside its place
and renamed into it, so that who has the one before open keeps it; a reload takes
the new one. An expression in the text is an error: what is built is looked up
whole. Exit code 0: it was built; 78: the text has errors, which are printed with
their lines, and nothing has changed.`,
		Example: `  tollgate list build /etc/tollgate/blocked.txt && tollgate reload`,
		Args:    counted(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			into := config.BuiltName(args[0])
			if len(args) > 1 {
				into = args[1]
			}
			if _, err := os.Stat(args[0]); err != nil {
				return notThere(err)
			}
			daemon.LoadingHeap()
			problems, err := config.BuildList(args[0], into)
			rows := daemon.ProblemRows(problems)
			printProblems(a.err, rows)
			switch {
			case err != nil:
				return away(err)
			case problems.Err() != nil:
				fmt.Fprintln(a.err, closingLine(rows))
				return silent(exitPolicy)
			}
			return a.listSaid(into, "built")
		},
	}
}

func (a *app) listVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "read a list that was built, and say whether all of it is sound",
		Long: `Verify reads all of a list that was built and checks its sums. A start and a
reload check what stands around the entries, and a look-up those beside the one
that it looks for: damage is never an absence. Exit code 75: it is damaged.`,
		Example: `  tollgate list verify /etc/tollgate/blocked.tgl`,
		Args:    counted(1, 1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.listSaid(args[0], "sound") },
	}
}

// listSaid verifies a list and says so.
func (a *app) listSaid(path, what string) error {
	entries, text, err := config.VerifyList(path)
	if err != nil {
		return away(err)
	}
	if a.json {
		return printJSON(a.out, map[string]any{"file": path, "entries": entries, "text": text})
	}
	_, err = fmt.Fprintf(a.out, "%s: %s (%s, from %s of %s)\n", path, what, entriesOf(entries), text.Name, text.Changed.Local().Format("2006-01-02 15:04:05"))
	return away(err)
}

func entriesOf(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
