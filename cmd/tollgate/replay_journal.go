package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/replay"
)

// replayJournal tells of each rule what it did to the mail in the journals.
func (a *app) replayJournal(ctx context.Context, cfg *config.Config, since string) error {
	from := time.Time{}
	if since != "" {
		at, err := parseWhen(since, time.Now())
		if err != nil {
			return usagef("--since %q: %w", since, err)
		}
		from = at.at
	}
	a.flushDaemon(ctx, cfg.StateDir)
	a.looked(ctx, cfg.StateDir, cfg.JournalDir, daemon.LookRequest{Command: "replay", What: "--journal " + since})
	j, err := replay.Journal(ctx, cfg, pastPolicies(cfg.StateDir), cfg.JournalDir, from)
	if err != nil {
		return away(err)
	}
	if a.json {
		return printJSON(a.out, j)
	}
	p := &printer{out: a.out}
	p.line("%s", daemon.Plural(j.Messages, "message"))
	for _, what := range j.Unread {
		p.line("  not read: %s", what)
	}
	for _, v := range slices.Sorted(maps.Keys(j.Versions)) {
		if len(j.Versions) > 1 {
			p.line("  %d judged by policy version %s", j.Versions[v], or(v))
		}
	}
	if len(j.Unknown) > 0 {
		p.line("  the history does not have %s: their thresholds are taken to be those of this policy", strings.Join(quoted(j.Unknown), ", "))
	}
	for _, r := range j.Rules {
		line := fmt.Sprintf("  %s: %s, decided %d alone", r.Rule, daemon.Plural(r.Hits, "hit"), r.Alone)
		if r.Recipients > 0 {
			line += ", refused " + daemon.Plural(r.Recipients, "recipient")
		}
		if r.Unknown {
			line += " (not in this policy)"
		}
		p.line("%s", line)
	}
	return away(p.err)
}

// pastPolicies has the versions that were in force, from the history: nil
// where it does not have one.
func pastPolicies(stateDir string) func(version string) *config.Config {
	s := history.New(stateDir, history.Bounds{})
	all, _ := s.Log() // what cannot be read is not known
	return func(version string) *config.Config {
		i := slices.IndexFunc(all, func(e history.Entry) bool { return e.Version == version })
		if i < 0 {
			return nil
		}
		cfg, err := s.Load(all[i])
		if err != nil {
			return nil
		}
		return cfg
	}
}

func quoted(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = strconv.Quote(s)
	}
	return out
}

// envelopes are those of the policy's journals; none where there are none.
func (a *app) envelopes(ctx context.Context, cfg *config.Config) (map[string]replay.Sent, error) {
	if _, err := os.Stat(cfg.JournalDir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	sent, unread, err := replay.Envelopes(ctx, cfg.JournalDir)
	for _, what := range unread {
		fmt.Fprintf(a.err, "tollgate: not read: %s; envelopes that it has are not known\n", visible(what))
	}
	return sent, err
}

// progress draws how far a replay is, on a terminal alone.
func (a *app) progress() (step func(read, all int64), end func()) {
	f, ok := a.err.(*os.File)
	if !ok || !isTerminal(f.Fd()) {
		return nil, func() {}
	}
	began, last := time.Now(), time.Time{}
	step = func(read, all int64) {
		now := time.Now()
		if all == 0 || now.Sub(last) < 200*time.Millisecond {
			return
		}
		last = now
		done := min(float64(read)/float64(all), 1)
		rest := ""
		if done > 0.01 {
			left := time.Duration(float64(now.Sub(began)) * (1 - done) / done)
			rest = ", " + span(left) + " to go"
		}
		fmt.Fprintf(f, "\r\x1b[K%3.0f %% of %s%s", done*100, bytesize(all), rest)
	}
	return step, func() { fmt.Fprint(f, "\r\x1b[K") }
}
