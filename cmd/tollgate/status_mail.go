package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/tally"
)

// mostRules is how many rules the table names; --json has all.
const mostRules = 10

// printFigures are the lines on what became of messages and which rules matched.
func printFigures(row func(name, format string, args ...any), f *tally.Figures) {
	if f.Day == "" { // of a daemon that does not count
		return
	}
	row("messages", "%s", figures(f, func(c tally.Count) int64 { return c.Today }, "today ("+f.Day+" "+f.Zone+", since "+f.Since.Local().Format("15:04:05")+")"))
	row("", "%s", figures(f, func(c tally.Count) int64 { return c.Total }, "since the start"))
	shown, more := 0, 0
	for _, r := range f.Rules {
		switch {
		case r.Total == 0:
		case shown == mostRules || r.Rule == tally.Other:
			more++
		default:
			row([]string{"rules", ""}[min(shown, 1)], "%s%s: %d today, %d since the start", visible(r.Rule), map[bool]string{true: " (shadow)"}[r.Shadow], r.Today, r.Total)
			shown++
		}
	}
	switch {
	case more > 0:
		row("", "and %d more that matched: see --json", more)
	case shown == 0 && len(f.Rules) > 1:
		row("rules", "none has matched since the start")
	}
}

// figures is one line of numbers: messages by verdict, and their recipients.
func figures(f *tally.Figures, of func(tally.Count) int64, when string) string {
	var all int64
	var parts []string
	for _, v := range f.Verdicts {
		n := of(v.Count)
		all += n
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.Verdict))
		}
	}
	line := fmt.Sprintf("%d %s", all, when)
	if all > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	parts = nil
	for _, a := range f.Recipients {
		if n := of(a.Count); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a.Answer))
		}
	}
	if len(parts) > 0 {
		line += "; recipients: " + strings.Join(parts, ", ")
	}
	return line
}

// printLimits names the limits that somebody met; of the others, how many there are.
func printLimits(row func(name, format string, args ...any), s *daemon.Status) {
	met := 0
	for _, l := range s.Limits {
		if l.Hits == 0 {
			continue
		}
		value := strconv.FormatInt(l.Value, 10)
		if strings.HasSuffix(l.Name, "_size") {
			value = bytesize(l.Value)
		}
		row([]string{"limits", ""}[min(met, 1)], "%s %s: met %s since the start", l.Name, value, daemon.Plural(int(l.Hits), "time"))
		met++
	}
	switch {
	case len(s.Limits) == 0:
	case met == 0:
		row("limits", "none of %d met since the start", len(s.Limits))
	case met < len(s.Limits):
		row("", "%d others not met", len(s.Limits)-met)
	}
}

// printJournals are the journals in a line, and one more for each that has trouble.
func printJournals(row func(name, format string, args ...any), s *daemon.Status) {
	row("journals", "%s", s.Journal.Dir)
	if len(s.Journal.Kinds) == 0 {
		return
	}
	var written []string
	for _, k := range s.Journal.Kinds {
		written = append(written, fmt.Sprintf("%s %d", k.Kind, k.Lines))
	}
	row("", "lines written since the start: %s", strings.Join(written, ", "))
	for _, k := range s.Journal.Kinds {
		if k.Lost > 0 || k.LastError != "" {
			row("", "%s: %s lost; %s", k.Kind, daemon.Plural(int(k.Lost), "line"), okOr(k.LastError))
		}
		if k.Elsewhere != "" {
			row("", "%s: %s", k.Kind, k.Elsewhere)
		}
		if k.Reopened > 0 {
			row("", "%s: removed or renamed without a word %s, opened anew at %s", k.Kind, daemon.Plural(int(k.Reopened), "time"), k.ReopenedAt.Local().Format(time.DateTime))
		}
	}
}

// readTo is how far a log was read.
func readTo(t time.Time) string {
	if t.IsZero() {
		return "nothing yet"
	}
	return local(t)
}
