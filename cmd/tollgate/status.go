package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "what is up, what is degraded, what waits",
		Long: `Status asks the running daemon how it fares. Exit code 0 whenever it answered:
what an operator should look at stands under "degraded" (in JSON an array, empty
when all is well). Exit code 75: no daemon runs.`,
		Example: `  tollgate status
  tollgate status --json | jq -e '.degraded == []'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var s status
			if err := a.ask(c.Context(), places.StateDir, cmdStatus, nil, &s); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, s)
			}
			return away(s.print(a.out, time.Now()))
		},
	}
}

// print is the status for eyes.
func (s *status) print(out io.Writer, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	health := "all is well"
	if len(s.Degraded) > 0 {
		health = "degraded"
	}
	row("gateway", "%s: %s", s.Gateway, health)
	for _, d := range s.Degraded {
		row("", "! %s", visible(d))
	}
	row("version", "%s, process %d, up %s", s.Version, s.PID, span(time.Duration(s.Uptime)*time.Second))
	row("policy", "%s, loaded %s (%s)", s.Policy.File, local(s.Policy.Loaded), s.Policy.counts)
	row("listen", "%s", strings.Join(s.Listen, ", "))
	m := s.Milter
	row("", "%s now, %d since the start, %d refused, %d lost; %s judged, %s",
		plural(m.Connections, "connection"), m.Total, m.Refused, m.Lost, plural(int(m.Messages), "message"), plural(int(m.Faults), "fault"))
	if m.Negotiated == 0 && s.silence(now) == "" {
		row("", "no Postfix has connected yet")
	}
	for n, l := range s.Limits {
		row([]string{"limits", ""}[min(n, 1)], "%s %d: met %s since the start", l.Name, l.Value, plural(int(l.Hits), "time"))
	}
	row("spool", "%s", s.spoolLine(now))
	row("store", "%s %s: %s", s.Store.Kind, s.Store.Place, well(s.Store.Error))
	for n, i := range s.Inspectors {
		row([]string{"inspectors", ""}[min(n, 1)], "%s", i.line(now))
	}
	if s.DNS != nil {
		row("dns", "%s", dnsLine(s.DNS))
		for _, server := range s.DNS.Servers {
			row("", "%s: %s, %d queries, %d failed", server.Addr, server.State, server.Queries, server.Failures)
		}
	}
	if s.State != nil {
		row("state", "%s: %s; %d questions, %d failed", s.State.Kind, well(s.State.Error), s.State.Asked, s.State.Failed)
	}
	row("journals", "%s", s.Journal.Dir)
	for _, k := range s.Journal.Kinds {
		row("", "%s: %s written since the start, %s; %s", k.Kind, plural(int(k.Lines), "line"), fmt.Sprintf("%d lost", k.Lost), well(k.LastError))
	}
	row("trace", "%s", s.Trace)
	return w.Flush()
}

func (s *status) spoolLine(now time.Time) string {
	line := "nothing waits"
	if s.Spool.Waiting > 0 {
		line = plural(int(s.Spool.Waiting), "record") + " not yet in the store"
		if !s.Spool.Oldest.IsZero() {
			line += ", the oldest since " + span(now.Sub(s.Spool.Oldest))
		}
	}
	return line + "; " + bytesize(s.Spool.Bytes) + " on disk"
}

// well is an error, or that there is none.
func well(err string) string {
	if err == "" {
		return "well"
	}
	return visible(err)
}
