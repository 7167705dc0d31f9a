package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/policydiff"
)

// careful are the commands by which a policy is changed with care.
func (a *app) careful() []*cobra.Command {
	return []*cobra.Command{a.policies(), a.backup(), a.restore(), a.shadow(), a.canary()}
}

func (a *app) policies() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "the policies that were in force: list, show, compare, take back",
		Long: `Policy shows the history that the daemon keeps in its state_dir: each policy that
was in force, with the contents of its files and lists, when it came in force,
by whom and why ("tollgate reload --message"). A policy is named by the number
of its entry, by the beginning of its version (as journals and usage records
have it), or as "previous", the one before the last: of those that were in force
for all mail, so that a canary is not counted.`,
		Example: `  tollgate policy log
  tollgate policy diff previous
  tollgate policy rollback previous --message "partners were refused"`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("which command? %q lists them", c.CommandPath()+" --help")
		},
	}
	c.AddCommand(a.policyLog(), a.policyShow(), a.policyDiff(), a.policyExport(), a.policyRollback())
	return c
}

// past has the history, the oldest entry first.
func (a *app) past() (*history.Store, []history.Entry, error) {
	places, err := a.lookingPlaces()
	if err != nil {
		return nil, nil, err
	}
	s := history.New(places.StateDir, history.Bounds{})
	all, err := s.Log()
	if err != nil {
		return nil, nil, away(err)
	}
	return s, all, nil
}

// named has the entry that a word of the command line names.
func named(all []history.Entry, word string) (history.Entry, error) {
	e, err := history.Find(all, word)
	if err != nil {
		return e, &failure{exitNegative, err}
	}
	return e, nil
}

func (a *app) policyLog() *cobra.Command {
	most := 20
	c := &cobra.Command{
		Use:   "log",
		Short: "list the policies that were in force",
		Long: `Log prints a line for each policy that came in force, the newest first: its
number, its version, when, how (start, reload, signal, rollback, canary,
promote), by whom, and why. Exit code 1: there is none yet.`,
		Example: `  tollgate policy log
  tollgate policy log --most 0 --json | jq -r '.[] | [.time, .version, .by, .message] | @tsv'`,
		Args: alone,
		RunE: func(*cobra.Command, []string) error {
			_, all, err := a.past()
			if err != nil {
				return err
			}
			rows := make([]history.Entry, 0, len(all))
			for i := len(all) - 1; i >= 0 && (most <= 0 || len(rows) < most); i-- {
				rows = append(rows, all[i])
			}
			if a.json {
				err = printJSON(a.out, rows)
			} else {
				err = printLog(a.out, rows)
			}
			if err == nil && len(all) == 0 {
				err = silent(exitNegative)
			}
			return err
		},
	}
	c.Flags().IntVar(&most, "most", most, "print at most so many; 0: all")
	return c
}

func printLog(out io.Writer, rows []history.Entry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(rows) > 0 {
		fmt.Fprintln(w, "NUMBER\tVERSION\tTIME\tHOW\tBY\tWHY")
	}
	for _, e := range rows {
		if e.Problem != "" {
			fmt.Fprintf(w, "%d\t\t\t\t\tcannot be read: %s\n", e.Number, visible(e.Problem))
			continue
		}
		by := e.By
		if e.Proposed != "" {
			by += " (proposed by " + e.Proposed + ")"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Number, e.Version, local(e.Time), e.How, visible(by), visible(e.Message))
	}
	return away(w.Flush())
}

func (a *app) policyShow() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "show [POLICY]",
		Short: "print a policy that was in force",
		Long: `Show prints what is known of a policy that was in force, the last one where none
is named, and the names of its files; with --file the content of one of them.
Passwords are not kept: one in a URL is shown as ` + "*MASKED*" + `. With --json the
canonical form stands under "canonical": JSON, the keys in order.`,
		Example: `  tollgate policy show
  tollgate policy show 12 --file policy.toml`,
		Args: counted(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, all, err := a.past()
			if err != nil {
				return err
			}
			e, err := named(all, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if file != "" {
				return a.showFile(s, e, file)
			}
			if a.json {
				canonical, err := s.Content(e.Canonical)
				if err != nil {
					return away(err)
				}
				return printJSON(a.out, struct {
					history.Entry
					Canonical rawJSON `json:"canonical"`
				}{e, canonical})
			}
			return away(printEntry(a.out, e))
		},
	}
	c.Flags().StringVar(&file, "file", "", "print the content of this `FILE` of it: its path, or the end of that")
	return c
}

// rawJSON is JSON that is printed as it is.
type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

func (a *app) showFile(s *history.Store, e history.Entry, name string) error {
	for _, f := range e.Files {
		if f.Path != name && !strings.HasSuffix(f.Path, "/"+name) {
			continue
		}
		text, err := s.Content(f.Kept)
		if err != nil {
			return &failure{exitNegative, fmt.Errorf("%s (%s): %w", f.Path, bytesize(f.Size), err)}
		}
		_, err = a.out.Write(text)
		return away(err)
	}
	return &failure{exitNegative, fmt.Errorf("policy %d has no file %q", e.Number, name)}
}

func printEntry(out io.Writer, e history.Entry) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(w, "%s\t%s\n", name, visible(value)) }
	row("number", strconv.Itoa(e.Number))
	row("version", e.Version)
	row("in force from", local(e.Time)+" by "+e.How)
	row("by", e.By)
	if e.Proposed != "" {
		row("proposed by", e.Proposed)
	}
	row("message", e.Message)
	for _, f := range e.Files {
		note := ""
		if f.Kept == "" {
			note = ", too large to be kept: only its hash is"
		}
		row(f.Role, f.Path+" ("+bytesize(f.Size)+note+")")
	}
	return w.Flush()
}

// mostShown are the values of one change that are shown to people.
const mostShown = 20

func printChanges(out io.Writer, changes []policydiff.Change) error {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s: %s", c.Where, c.What)
		if c.Key != "" {
			b.WriteString(" " + c.Key)
		}
		switch {
		case c.What == policydiff.Moved:
			fmt.Fprintf(&b, ": was %s, is %s", c.Before, c.After)
		case len(c.Added)+len(c.Removed) > 0:
			fmt.Fprintf(&b, ": %d added, %d removed", len(c.Added), len(c.Removed))
		case c.What == policydiff.Changed && c.Before == "":
			b.WriteString(": now " + shorten(c.After, 200))
		case c.What == policydiff.Changed && c.After == "":
			b.WriteString(": no more " + shorten(c.Before, 200))
		case c.What == policydiff.Changed:
			fmt.Fprintf(&b, ": %s -> %s", shorten(c.Before, 200), shorten(c.After, 200))
		}
		b.WriteByte('\n')
		for i, list := range [][]string{c.Removed, c.Added} {
			for n, v := range list {
				if n == mostShown {
					fmt.Fprintf(&b, "  %c and %d more\n", "-+"[i], len(list)-n)
					break
				}
				fmt.Fprintf(&b, "  %c %s\n", "-+"[i], shorten(v, 200))
			}
		}
	}
	var safe strings.Builder
	for line := range strings.Lines(b.String()) {
		safe.WriteString(visible(strings.TrimSuffix(line, "\n")) + "\n")
	}
	_, err := io.WriteString(out, safe.String())
	return away(err)
}
