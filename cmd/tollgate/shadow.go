package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) shadow() *cobra.Command {
	var r daemon.ShadowRequest
	c := &cobra.Command{
		Use:   "shadow FILE|off|report",
		Short: "judge live mail by a candidate, too, without effect",
		Long: `Shadow has the running daemon judge every message a second time, by another
policy, after it was answered. Nothing of that has an effect: no reply, no mark,
no charge, no memory. What both policies ask of DNS and of inspectors is asked
once; what only the candidate asks is asked apart, a few questions at a time, and
not at all with --no-lookups. What the live verdict did not let come is unknown.

Differences stand in the journal "shadow", with the recipients. "report" counts
them; "off" ends it. It ends with the daemon, too.`,
		Example: `  tollgate shadow ./candidate.toml
  tollgate shadow report
  tollgate journal shadow --since 1h
  tollgate shadow off`,
		Args: counted(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "off":
				r = daemon.ShadowRequest{Off: true}
			case "report":
				r = daemon.ShadowRequest{}
			default:
				r.File = absolute(args[0])
			}
			places, err := a.places()
			if err != nil {
				return err
			}
			var s daemon.ShadowState
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdShadow, r, &s); err != nil {
				return err
			}
			if a.json {
				err = printJSON(a.out, s)
			} else {
				err = away(printShadow(a.out, &s))
			}
			if err == nil && !s.On {
				err = silent(exitNegative)
			}
			return err
		},
	}
	c.Flags().BoolVar(&r.NoLookups, "no-lookups", false, "what only the candidate asks is not asked")
	return c
}

func printShadow(out io.Writer, s *daemon.ShadowState) error {
	if !s.On {
		_, err := fmt.Fprintln(out, "no candidate is judged in shadow")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("candidate", "%s, version %s, since %s", visible(s.File), s.Version, local(s.Since))
	row("against", "version %s", s.Against)
	row("judged", "%d", s.Judged)
	row("the same", "%d, and %d with another weight", s.Same, s.WeightOnly)
	row("different", "%d", s.Different)
	for _, change := range slices.Sorted(maps.Keys(s.Changes)) {
		row("", "%s: %s", change, daemon.Plural(int(s.Changes[change]), "recipient"))
	}
	row("not known", "%d beyond the live verdict, %d with questions that had no answer", s.Beyond, s.Unknown)
	row("left out", "%d for want of room; %s, %d slow", s.LeftOut, daemon.Plural(int(s.Panics), "internal fault"), s.Slow)
	return w.Flush()
}

// percent is thousandths for eyes.
func percent(thousandths int) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(thousandths)/10), ".0") + "%"
}
