package main

import (
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// showEntry prints one entry: as it stands in its journal, or for eyes.
func (a *app) showEntry(e journal.Entry) error {
	if a.json {
		_, err := fmt.Fprintf(a.out, "%s\n", e.Line)
		return away(err)
	}
	_, err := fmt.Fprintln(a.out, entryLine(e))
	return away(err)
}

// columns are those of entryLine: when, what became of it, by which reference
// and queue id to ask further, whose, why.
const columns = "%-19s  %-16s  %-12s  %-14s  %s"

// journalHead stands above the entries.
func journalHead() string {
	return fmt.Sprintf(columns, "TIME", "WHAT", "REF", "QUEUE ID", "MAIL")
}

// entryLine is an entry in one line.
func entryLine(e journal.Entry) string {
	what, text := e.Kind+" "+e.Event, traceLine(e)
	switch e.Kind {
	case journal.Messages:
		what, text = "message "+e.Verdict, route(e)+messageLine(e)
	case journal.Blocks:
		what, text = "block "+e.Verdict, route(e)+blockLine(e)
	case journal.Antivirus:
		what, text = "scan "+e.Result, scanLine(e)
	}
	return fmt.Sprintf(columns, local(e.Time), visible(what), or(e.Ref), or(e.QueueID), visible(text))
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return visible(s)
}

// fewRecipients are named; of more, how many.
const fewRecipients = 10

// route is from whom to whom.
func route(e journal.Entry) string {
	to := e.Recipients
	if e.Kind == journal.Blocks {
		to = []string{e.Recipient}
	}
	more := ""
	if len(to) > fewRecipients {
		more = fmt.Sprintf(" and %d more", len(to)-fewRecipients)
		to = to[:fewRecipients]
	}
	recipients := "nobody"
	if len(to) > 0 {
		bracketed := make([]string, len(to))
		for i, r := range to {
			bracketed[i] = "<" + shorten(r, 100) + ">"
		}
		recipients = strings.Join(bracketed, ", ") + more
	}
	return "<" + shorten(e.Sender, 100) + "> -> " + recipients
}

func messageLine(e journal.Entry) string {
	var b strings.Builder
	if e.Subject != "" {
		fmt.Fprintf(&b, "; %q", shorten(e.Subject, 60))
	}
	if e.Size > 0 {
		fmt.Fprintf(&b, "; %s", bytesize(e.Size))
	}
	if e.Weight != "" && e.Weight != "0" {
		fmt.Fprintf(&b, "; weight %s", e.Weight)
	}
	why(&b, e)
	return b.String()
}

func blockLine(e journal.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "; from %s[%s]", shorten(e.ClientHost, 100), e.ClientIP)
	why(&b, e)
	return b.String()
}

// scanLine is what was scanned, for whom, and what came of it. Of other
// services than ours there may be no sender.
func scanLine(e journal.Entry) string {
	var b strings.Builder
	if e.Service == "smtp" {
		b.WriteString(route(e) + "; ")
	}
	fmt.Fprintf(&b, "%s: %s", e.Service, shorten(e.Object, 200))
	if e.Signature != "" {
		fmt.Fprintf(&b, "; %s", shorten(e.Signature, 200))
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, "; %s", shorten(e.Reason, 200))
	}
	fmt.Fprintf(&b, "; %s by %s in %d ms", e.Action, e.Engine, e.DurationMS)
	return b.String()
}

// why is what decided: where, by which rule, what was answered.
func why(b *strings.Builder, e journal.Entry) {
	if e.Stage != "" {
		fmt.Fprintf(b, "; at %s", e.Stage)
	}
	if e.Reason != "" {
		fmt.Fprintf(b, ": %s", shorten(e.Reason, 200))
	}
	if e.Rule != "" && !strings.Contains(e.Reason, e.Rule) {
		fmt.Fprintf(b, " (rule %s)", e.Rule)
	}
	if e.Reply != "" {
		fmt.Fprintf(b, "; answered %s", shorten(e.Reply, 300))
	}
	if e.Detail != "" {
		fmt.Fprintf(b, "; %s", shorten(e.Detail, 200))
	}
}

func traceLine(e journal.Entry) string {
	var parts []string
	for _, s := range []string{e.ClientIP, e.Stage, e.Rule, e.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "  ")
}
