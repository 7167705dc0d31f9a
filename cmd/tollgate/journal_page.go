package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

func (a *app) journalShow() *cobra.Command {
	var l looking
	c := &cobra.Command{
		Use:   "show REF|QUEUE-ID",
		Short: "all about one message, on one page",
		Long: `Show prints what the journals say of one message: who sent it to whom, what
became of it and why, each rule that matched with its weight, what the modules
and the antivirus said, and what each refused recipient was answered. What the
next hop did with accepted mail is in Postfix's log, by the queue id. Who asked
is written to the journal of looks.`,
		Example: `  tollgate journal show 4v1kz8m2p0q3
  tollgate journal show 4LxB1234 --utc`,
		Args: exactly(1, "which message? Name its reference or queue id"),
		RunE: func(c *cobra.Command, args []string) error {
			if l.dir == "" {
				a.lookedHere(c.Context(), daemon.LookRequest{Command: "journal show", What: args[0]})
			}
			return a.page(c.Context(), l, strings.TrimSpace(args[0]))
		},
	}
	c.Flags().StringVar(&l.dir, "dir", "", "search this `FOLDER` instead of the policy's")
	c.Flags().BoolVar(&l.utc, "utc", false, "times are UTC")
	c.Flags().BoolVar(&l.redact, "redact", false, "show "+redactHelp)
	return c
}

// page shows every message of that name: a short queue id comes again.
func (a *app) page(ctx context.Context, l looking, name string) error {
	dir, err := a.folder(ctx, l.dir)
	if err != nil {
		return err
	}
	r := a.reading(dir)
	refs, err := r.refs(ctx, name)
	if err != nil {
		return err
	}
	for n, ref := range refs {
		var s story
		err := r.search(ctx, journal.Query{Ref: ref}, func(e journal.Entry) error {
			if l.redact {
				e = a.redactions().entry(e)
			}
			if a.json {
				return a.jsonLine(e)
			}
			s.add(&e)
			return nil
		})
		if err != nil {
			return err
		}
		if a.json {
			continue
		}
		if n > 0 {
			fmt.Fprintln(a.out)
		}
		if l.dir == "" {
			s.noLongerHeld = a.noLongerHeld(ctx, &s)
		}
		if err := s.page(a, l.zone()); err != nil {
			return away(err)
		}
	}
	return nil
}

// about is the entry that knows most of the message.
func (s *story) about() journal.Entry {
	switch {
	case s.message != nil:
		return *s.message
	case len(s.blocks) > 0:
		return s.blocks[len(s.blocks)-1]
	case len(s.scans) > 0:
		return s.scans[0]
	case len(s.beside) > 0:
		return s.beside[0]
	}
	return *s.first
}

func (s *story) page(a *app, zone *time.Location) error {
	e := s.about()
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, visible(value))
		}
	}
	row("reference", e.Ref)
	row("queue id", or(e.QueueID))
	row("time", fmt.Sprintf("%s (%s)", s.first.Time.In(zone).Format("2006-01-02 15:04:05.000"), zoneName(zone, s.first.Time)))
	row("gateway", e.Gateway)
	row("client", fmt.Sprintf("%s[%s], HELO %s", e.ClientHost, e.ClientIP, or(e.Helo)))
	row("encrypted", or(e.TLS))
	row("logged in as", e.AuthUser)
	row("direction", e.Direction)
	row("from", "<"+e.Sender+">")
	for n, to := range e.Recipients {
		row([]string{"to", ""}[min(n, 1)], "<"+to+">")
	}
	row("subject", e.Subject)
	row("message id", e.MessageID)
	if e.Size > 0 {
		row("size", fmt.Sprintf("%d bytes (%s)", e.Size, bytesize(e.Size)))
	}
	verdict := e.Verdict
	if e.Stage != "" {
		verdict += ", decided at " + e.Stage
	}
	if e.Rule != "" {
		verdict += " by rule " + e.Rule
	}
	for _, d := range s.deeds() {
		verdict += "; " + d.text(zone)
	}
	if s.noLongerHeld {
		verdict += "; but it is on hold no more: somebody let it go or removed it without tollgate (Postfix's log tells)"
	}
	row("verdict", verdict)
	for n, mark := range e.Tags {
		row([]string{"tagged", ""}[min(n, 1)], mark)
	}
	row("why", e.Reason)
	row("answered", e.Reply)
	if e.Detail != "" {
		row("remark", e.Detail)
	}
	row("weight", e.Weight)
	row("took", tookText(&e))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, part := range []func(*app, journal.Entry) error{s.pageRules, s.pageModules, s.pageBlocks, s.pageScans, s.pageBeside, s.pageTrace} {
		if err := part(a, e); err != nil {
			return err
		}
	}
	return s.pageHands(a, zone)
}

// table prints rows below a title, if there are any.
func (a *app) table(title string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintf(a.out, "\n%s\n", title)
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		for n := range r {
			r[n] = visible(r[n])
		}
		fmt.Fprintf(w, "  %s\n", strings.Join(r, "\t"))
	}
	return w.Flush()
}

func (s *story) pageRules(a *app, e journal.Entry) error {
	var rows [][]string
	for _, r := range e.Rules {
		effect := r.Weight
		switch {
		case r.Shadow && r.Action != "":
			effect += " (shadow: would " + r.Action + ")"
		case r.Shadow:
			effect += " (shadow: without effect)"
		case r.Action != "":
			effect += ", " + r.Action
		}
		why := r.Attribute
		if r.Text != "" {
			why += ": " + r.Text
		}
		if files := aboutSymbol(&e, &r); len(files) > 0 {
			why += " (" + strings.Join(files, ", ") + ")"
		}
		rows = append(rows, []string{r.Name, r.Stage, effect, why})
	}
	return a.table("rules that matched, and their weights", rows)
}

// aboutSymbol is what the symbol tells of that a rule matched by.
func aboutSymbol(e *journal.Entry, r *journal.RuleHit) []string {
	name, ok := strings.CutPrefix(r.Attribute, "module.")
	if !ok {
		return nil
	}
	if name, ok = strings.CutSuffix(name, ".symbol"); !ok {
		return nil
	}
	for i := range e.Modules {
		if e.Modules[i].Name == name {
			return e.Modules[i].About[r.Text]
		}
	}
	return nil
}

func (s *story) pageModules(a *app, e journal.Entry) error {
	var rows [][]string
	for _, m := range e.Modules {
		said := m.Action
		if m.Error != "" {
			said = m.Error
		}
		rows = append(rows, []string{m.Name, m.Result, "score " + m.Score, "weight " + m.Weight, said, duration(m.DurationMS)})
		// Those of which nothing is known but the name share a line.
		var plain []string
		for _, symbol := range m.Symbols {
			score, about := m.Scores[symbol], m.About[symbol]
			if score == "" && len(about) == 0 {
				plain = append(plain, symbol)
				continue
			}
			rows = append(rows, []string{"", symbol, score, "", strings.Join(about, ", ")})
		}
		if len(plain) > 0 {
			rows = append(rows, []string{"", strings.Join(plain, " ")})
		}
	}
	return a.table("modules", rows)
}

func (s *story) pageBlocks(a *app, _ journal.Entry) error {
	var rows [][]string
	for _, b := range s.blocks {
		rows = append(rows, []string{"<" + b.Recipient + ">", b.Verdict, b.Stage, b.Reason, b.Reply})
	}
	return a.table("recipients that were refused, deferred, held or discarded", rows)
}

func (s *story) pageScans(a *app, _ journal.Entry) error {
	var rows [][]string
	for _, v := range s.scans {
		rows = append(rows, []string{v.Engine, v.Result, v.Signature, v.Reason, v.Action, fmt.Sprintf("%d ms", v.DurationMS)})
	}
	return a.table("antivirus", rows)
}

func (s *story) pageTrace(a *app, _ journal.Entry) error {
	var rows [][]string
	for _, t := range s.traces {
		rows = append(rows, []string{t.Time.UTC().Format("15:04:05.000"), t.Event, t.Stage, t.Rule, t.Detail})
	}
	return a.table("trace (UTC)", rows)
}
