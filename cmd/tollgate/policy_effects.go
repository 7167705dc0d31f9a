package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/policydiff"
	"github.com/tollgate-mail/tollgate/internal/replay"
)

// comparison are two policies whose effects are asked for.
type comparison struct {
	store         *history.Store
	all           []history.Entry
	before, after compared
	since         string
	redact        bool
}

// effects tells what the second policy would have done otherwise with the mail in
// the journals.
func (a *app) effects(ctx context.Context, c comparison) error {
	at, err := parseWhen(c.since, time.Now())
	if err != nil {
		return usagef("--since %q: %w", c.since, err)
	}
	places, err := a.lookingPlaces()
	if err != nil {
		return err
	}
	if _, err := os.Stat(places.JournalDir); errors.Is(err, fs.ErrNotExist) {
		return nil // no mail has come
	}
	r := replay.Comparison{Dir: places.JournalDir, Since: at.at, Shared: c.shared()}
	r.Both, _ = policydiff.Common(c.before.Policy, c.after.Policy) // where it cannot be told, nothing is known
	if r.Before, err = c.before.load(); err == nil {
		r.After, err = c.after.load()
	}
	if err != nil {
		return away(err)
	}
	a.flushDaemon(ctx, places.StateDir)
	a.looked(ctx, places.StateDir, places.JournalDir, daemon.LookRequest{Command: "policy diff", What: "mail since " + c.since})
	e, err := r.Effects(ctx)
	if err != nil {
		return away(err)
	}
	if c.redact {
		a.redactions().effects(e)
	}
	if a.json {
		return printJSON(a.out, e)
	}
	return a.printEffects(e, c.since)
}

// shared tells what the version that judged a message has in common with the two
// policies.
func (c comparison) shared() func(version string) (before, after *policydiff.Shared) {
	known := map[string][2]*policydiff.Shared{}
	return func(version string) (before, after *policydiff.Shared) {
		if pair, ok := known[version]; ok {
			return pair[0], pair[1]
		}
		var pair [2]*policydiff.Shared
		i := slices.IndexFunc(c.all, func(e history.Entry) bool { return e.Version == version && version != "" })
		if i >= 0 {
			if judged, err := side(c.store, c.all[i]); err == nil {
				for n, other := range []compared{c.before, c.after} {
					// Where it cannot be told, nothing is known.
					pair[n], _ = policydiff.Common(judged.Policy, other.Policy)
				}
			}
		}
		known[version] = pair
		return pair[0], pair[1]
	}
}

// turnText says in words from which verdict on a message to which it goes.
func turnText(before, after string) string {
	switch after {
	case replay.Beyond:
		return before + " -> not refused so early, and what then is not known"
	case before:
		return before + " as before, but not for all of its recipients"
	}
	return before + " -> " + after
}

// mostEffects are told to people one by one.
const mostEffects = 20

func (a *app) printEffects(e *replay.Effects, since string) error {
	p := a.printer()
	p.line("")
	p.line("effects on the mail since %s, by the journals:", since)
	p.line("  of %s %d would meet another fate, and %d more be marked otherwise", daemon.Plural(e.Messages, "message"), e.Changed, e.Marked)
	for _, t := range e.Turns {
		p.line("    %s: %d", turnText(t.Before, t.After), t.Messages)
	}
	for n, one := range e.Effects {
		if n == mostEffects {
			p.line("    and %d more", len(e.Effects)-n+e.More)
			break
		}
		line := one.Ref + ": " + turnText(one.Before, one.After)
		if one.Marks {
			line = one.Ref + ": " + one.Before + " with other marks"
		}
		if one.Rule != "" {
			line += " by " + one.Rule
		}
		line += ", <" + one.Sender + "> to <" + strings.Join(one.Recipients, ">, <") + ">"
		if len(one.Unknown) > 0 {
			line += " (not known: " + strings.Join(one.Unknown, ", ") + ")"
		}
		p.line("    %s", line)
	}
	if e.Unknown > 0 {
		p.line("  not known of %s: the journal does not have what a changed rule asks for", daemon.Plural(e.Unknown, "message"))
		for _, u := range e.Attributes {
			p.line("    %s: %d", u.Attribute, u.Messages)
		}
	}
	if e.NotReproduced > 0 {
		p.line("  nothing is said of %s that the journal alone does not explain (accounts, or services that answered otherwise)", daemon.Plural(e.NotReproduced, "message"))
	}
	if e.Unpaired > 0 {
		p.line("  nothing is said of %s whose refusals came too long before it", daemon.Plural(e.Unpaired, "message"))
	}
	if e.Broken > 0 {
		p.line("  %s passed over: damaged or cut by a crash", daemon.Plural(int(e.Broken), "line"))
	}
	for _, path := range e.Unsearched {
		p.line("  not searched: %s, compressed in a way that cannot be read", path)
	}
	for _, what := range e.Unread {
		p.line("  not read: %s", what)
	}
	if e.LeftOut > 0 {
		p.line("  left out: %s that rules had no part in", daemon.Plural(e.LeftOut, "message"))
	}
	return away(p.err)
}
