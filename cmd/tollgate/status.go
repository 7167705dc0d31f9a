package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "what is up, what is degraded, what waits",
		Long: `Status asks the running daemon how it fares. Exit code 0 whenever it answered:
what an operator should look at stands under "degraded" (in JSON an array, empty
when there is nothing). Exit code 75: no daemon runs.`,
		Example: `  tollgate status
  tollgate status --json | jq -e '.degraded == []'`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.lookingPlaces()
			if err != nil {
				return err
			}
			var s daemon.Status
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdStatus, nil, &s); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, s)
			}
			return away(printStatus(a.out, &s, time.Now()))
		},
	}
}

// printStatus is the status for eyes.
func printStatus(out io.Writer, s *daemon.Status, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	health := "ok"
	if len(s.Degraded) > 0 {
		health = "degraded"
	}
	row("gateway", "%s: %s", s.Gateway, health)
	for _, d := range s.Degraded {
		row("", "! %s", visible(d))
	}
	row("version", "%s, process %d, up %s", s.Version, s.PID, span(time.Duration(s.Uptime)*time.Second))
	if s.Confined.Setting != "" {
		row("confined", "%s", s.Confined)
	}
	row("policy", "%s, loaded %s (%s)", s.Policy.File, local(s.Policy.Loaded), s.Policy.Counts)
	row("listen", "%s", strings.Join(s.Listen, ", "))
	m := s.Milter
	row("", "%s now, %d since the start, %d refused, %d lost; %s received whole, %s",
		daemon.Plural(m.Connections, "connection"), m.Total, m.Refused, m.Lost, daemon.Plural(int(m.Messages), "message"), daemon.Plural(int(m.Faults), "fault"))
	if m.Awaiting > 0 || m.AwaitingDropped > 0 {
		row("", "%s being sent, at most %d at once; %d closed for being the slowest", daemon.Plural(m.Awaiting, "message"), m.AwaitingMost, m.AwaitingDropped)
	}
	if s.Control.Remade > 0 {
		row("", "the control socket was removed and made anew %s", daemon.Plural(s.Control.Remade, "time"))
	}
	if m.Negotiated == 0 && s.Silence(now) == "" {
		row("", "no Postfix has connected yet")
	}
	printFigures(row, &s.Mail)
	printLimits(row, s)
	row("spool", "%s", spoolLine(s, now))
	row("store", "%s %s: %s", s.Store.Kind, s.Store.Place, okOr(s.Store.Error))
	if c := s.Records; c != nil {
		row("records", "%d spooled = %d applied + %d waiting + %d parked + %d given up + %d duplicates + %d accepted as lost, at %s",
			c.Spooled, c.Applied, c.Waiting, c.Parked, c.Dropped, c.Again, c.Accepted, local(c.At))
	}
	if c := s.Clients; c != nil {
		row("clients", "%s: %d of version %s, read %s; %s", c.Source, c.Clients, or(c.Version), localOr(c.Read), okOr(c.Error))
	}
	if m := s.Maillog; m != nil {
		row("maillog", "%s, read up to %s: %d charged and not yet logged as queued, %d unknown, %d on hold; %s voided since the start; %s", m.Source, readTo(m.Last),
			m.Waiting, m.Unknown, m.Held, daemon.Plural(int(m.Voided), "message"), okOr(m.Error))
	}
	for n, i := range s.Inspectors {
		row([]string{"inspectors", ""}[min(n, 1)], "%s", inspectorLine(&i, now))
	}
	if s.DNS != nil {
		row("dns", "%s", dnsLine(s))
		for _, server := range s.DNS.Servers {
			row("", "%s: %s, %d queries, %d failed", server.Addr, server.State, server.Queries, server.Failures)
		}
		for _, list := range s.DNS.Lists {
			row("", "list %s", list)
		}
	}
	if s.State != nil {
		health := okOr(s.State.Error)
		if s.State.Asked == 0 {
			health = "not asked yet"
		}
		row("state", "%s: %s; %d questions, %d failed", s.State.Kind, health, s.State.Asked, s.State.Failed)
	}
	if sh := &s.Shadow; sh.On {
		row("shadow", "%s, version %s: %d judged, %d different, %d left out", sh.File, sh.Version, sh.Judged, sh.Different, sh.LeftOut)
	}
	if c := &s.Canary; c.Running() {
		row("canary", "%s, version %s, until %s: %d judged, %d refused by it alone", c.File, c.Version, local(c.Until), c.Judged, c.Refused)
	}
	if c := &s.SelfCheck; c.Judged > 0 {
		row("self-check", "%d judged twice, %d otherwise, %d left out", c.Judged, c.Different, c.LeftOut)
	}
	printJournals(row, s)
	row("trace", "%s", s.Trace)
	return w.Flush()
}

func spoolLine(all *daemon.Status, now time.Time) string {
	s := &all.Spool
	line := "empty"
	if s.LastError != "" {
		line = "nothing new waits" // what the store has kept of what it was given it says when it answers
	}
	if s.Waiting > 0 {
		line = daemon.Plural(int(s.Waiting), "record") + " not yet in the store"
		if !s.Oldest.IsZero() {
			line += ", the oldest since " + span(now.Sub(s.Oldest))
		}
	}
	return line + "; " + bytesize(s.Bytes) + " on disk"
}

// localOr is a time, or "never".
func localOr(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return local(t)
}

// okOr is an error, or "ok".
func okOr(err string) string {
	if err == "" {
		return "ok"
	}
	return visible(err)
}

// dnsLine is how DNS fares, for eyes.
func dnsLine(all *daemon.Status) string {
	s := all.DNS
	share := 0.0
	if s.Asked > 0 {
		share = 100 * float64(s.Hits+s.Joined) / float64(s.Asked)
	}
	return fmt.Sprintf("%d look-ups, %.0f%% known already; %d queries, %d timed out, %d now; %d answers kept",
		s.Asked, share, s.Queries, s.Timeouts, s.InFlight, s.CacheSize)
}

// inspectorLine is an inspector for eyes.
func inspectorLine(s *assemble.InspectorStatus, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.Name, s.StateText())
	if !s.Since.IsZero() {
		fmt.Fprintf(&b, " for %s", span(now.Sub(s.Since)))
	}
	fmt.Fprintf(&b, "; %s, %d failed, %d now; %.0f ms on average, %.0f at most",
		daemon.Plural(int(s.Inspected), "inspection"), s.Failed, s.Running, s.LatencyMS, s.MaxLatencyMS)
	if s.Breaker != "closed" {
		fmt.Fprintf(&b, "; breaker %s", s.Breaker)
		if wait := s.RetryAt.Sub(now); s.Breaker == "open" && wait > 0 {
			fmt.Fprintf(&b, ", next try in %s", span(wait))
		}
	}
	if s.LastError != "" {
		fmt.Fprintf(&b, "; last error %s: %s", local(s.LastErrorAt), visible(s.LastError))
	}
	return b.String()
}
