package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// flushTime is how long a running daemon may take to write what it has
// gathered; its journals are searched either way.
const flushTime = 2 * time.Second

func (a *app) journal() *cobra.Command {
	var q journal.Query
	var client, since, until, dir string
	var last int
	c := &cobra.Command{
		Use:   "journal [" + strings.Join(journal.Kinds(), "|") + "]...",
		Short: "find mail: where is it, and why was it refused?",
		Long: `Journal searches the journals, rotated and compressed ones too, and prints what
matches in the order of time; all journals where none is named. All conditions
must hold. Texts match as a whole, in any case. Exit code 1: nothing was found.

An address may be "@domain" for all of a domain, and "<>" for the null sender.
Times: "2h" or "3d" ago, "today", "yesterday", "2026-11-23", "2026-11-23 10:00"
in the local time zone, or RFC 3339. --until a day means to its end.

It works on the files: no daemon need run. One that runs writes first what it
has gathered.`,
		Example: `  tollgate journal --recipient ivan@example.org --since yesterday
  tollgate journal --ref 4v1kz8m2p0q3                   the reference of a refusal
  tollgate journal blocks --sender @example.com --since 2h
  tollgate journal --client-ip 192.0.2.0/24 --verdict reject --json | jq .reason
  tollgate journal messages --subject invoice --last 20`,
		ValidArgs: journal.Kinds(),
		Args: func(_ *cobra.Command, args []string) error {
			for _, k := range args {
				if !slices.Contains(journal.Kinds(), k) {
					return usagef("there is no journal %q; there are %s", k, strings.Join(journal.Kinds(), ", "))
				}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			q.Kinds = args
			var err error
			if q.ClientIP, err = parseClient(client); err != nil {
				return err
			}
			if q.Since, q.Until, err = parseSpan(since, until, time.Now()); err != nil {
				return err
			}
			if last < 0 {
				return usagef("--last %d: want how many", last)
			}
			return a.searchJournal(c.Context(), dir, q, last)
		},
	}
	f := c.Flags()
	f.StringVar(&q.Recipient, "recipient", "", "sent to this `ADDRESS`, or \"@domain\"")
	f.StringVar(&q.Sender, "sender", "", "sent by this `ADDRESS`, \"@domain\", or \"<>\"")
	f.StringVar(&client, "client-ip", "", "from this `ADDRESS` or network")
	f.StringVar(&since, "since", "", "not before this `TIME`")
	f.StringVar(&until, "until", "", "before this `TIME`")
	f.StringVar(&q.Ref, "ref", "", "the `REFERENCE` that replies name")
	f.StringVar(&q.QueueID, "queue-id", "", "Postfix's queue `ID`")
	f.StringVar(&q.Rule, "rule", "", "the rule `NAME` decided or matched")
	f.StringVar(&q.MessageID, "message-id", "", "the Message-ID, with or without angle `BRACKETS`")
	f.StringVar(&q.Subject, "subject", "", "the Subject has this `TEXT` in it")
	f.StringVar(&q.Verdict, "verdict", "", "`VERDICT`: accept, reject, tempfail, discard, hold, aborted")
	f.StringVar(&q.Stage, "stage", "", "decided at this `STAGE`")
	f.StringVar(&q.Helo, "helo", "", "the client's HELO `NAME`")
	f.StringVar(&q.Direction, "direction", "", "`DIRECTION`: inbound or outbound")
	f.StringVar(&q.AuthUser, "auth-user", "", "sent by this authenticated `USER`")
	f.IntVarP(&last, "last", "n", 0, "only the newest `N`")
	f.StringVar(&dir, "dir", "", "search this `FOLDER` instead of the policy's")
	return c
}

// parseClient reads an address or a network; "" is none.
func parseClient(s string) (netip.Prefix, error) {
	p, err := daemon.ParseClient(s)
	if err != nil {
		return p, usagef("%w", err)
	}
	return p, nil
}

func parseSpan(since, until string, now time.Time) (from, to time.Time, err error) {
	if since != "" {
		m, err := parseWhen(since, now)
		if err != nil {
			return from, to, usagef("--since %q: %w", since, err)
		}
		from = m.at
	}
	if until != "" {
		m, err := parseWhen(until, now)
		if err != nil {
			return from, to, usagef("--until %q: %w", until, err)
		}
		to = m.until()
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, usagef("--until %q is not after --since %q", until, since)
	}
	return from, to, nil
}

func (a *app) searchJournal(ctx context.Context, dir string, q journal.Query, last int) error {
	if dir == "" {
		places, err := a.places()
		if err != nil {
			return err
		}
		dir = places.JournalDir
		a.flushDaemon(ctx, places.StateDir)
	}
	shown := 0
	show := func(e journal.Entry) error {
		if shown++; shown == 1 && !a.json {
			if _, err := fmt.Fprintln(a.out, journalHead()); err != nil {
				return away(err)
			}
		}
		return a.showEntry(e)
	}
	found, done := show, func() error { return nil }
	if last > 0 {
		found, done = keepLast(last, show)
	}
	report, err := journal.Search(ctx, dir, q, found)
	err = errors.Join(err, done())
	for _, path := range report.Unsearched {
		fmt.Fprintf(a.err, "tollgate: %s: compressed in a way that cannot be searched; unpack it first\n", path)
	}
	if report.Broken > 0 {
		fmt.Fprintf(a.err, "tollgate: %s passed over: damaged or cut by a crash\n", daemon.Plural(int(report.Broken), "line"))
	}
	switch {
	case err != nil:
		return away(err)
	case shown == 0:
		fmt.Fprintln(a.err, "nothing found")
		return silent(exitNegative)
	}
	return nil
}

// flushDaemon asks a daemon to write what it has gathered. Where none runs,
// or it cannot be asked, all that there is to be found is in the files.
func (a *app) flushDaemon(ctx context.Context, stateDir string) {
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	err := control.NewClient(stateDir).Call(ctx, daemon.CmdFlush, nil, nil)
	if err == nil || errors.Is(err, control.ErrNoDaemon) || errors.Is(err, control.ErrDenied) {
		return
	}
	fmt.Fprintln(a.err, "tollgate: the last second may be missing:", err)
}

// keepLast shows only the last n entries, when done.
func keepLast(n int, show func(journal.Entry) error) (keep func(journal.Entry) error, done func() error) {
	var ring []journal.Entry
	next := 0
	keep = func(e journal.Entry) error {
		if len(ring) < n {
			ring = append(ring, e)
			return nil
		}
		ring[next] = e
		next = (next + 1) % n
		return nil
	}
	done = func() error {
		for i := range ring {
			if err := show(ring[(next+i)%len(ring)]); err != nil {
				return err
			}
		}
		return nil
	}
	return keep, done
}
