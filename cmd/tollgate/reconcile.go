package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/holdqueue"
	"github.com/tollgate-mail/tollgate/internal/maillog"
	"github.com/tollgate-mail/tollgate/internal/outcome"
)

// reconciled is a message and what became of it.
type reconciled struct {
	outcome.Message
	Fate string `json:"fate"` // queued, not queued, deleted, unknown
	Why  string `json:"why"`
	Void bool   `json:"void"`
}

func (a *app) reconcile() *cobra.Command {
	var file, since string
	var dry bool
	c := &cobra.Command{
		Use:   "reconcile",
		Short: "decide about messages of which it is not known that they were queued",
		Long: `Reconcile looks for what became of messages that were charged: in Postfix's log,
also where it was rotated or packed, and in its queue. What was not queued after
all (a later milter refused it, its queue file could not be written), and what
was deleted by hand while it was on hold, is voided. Without --since these are
the messages that "tollgate status" counts as unknown; with it all that were
charged since then.

Nothing is decided by time alone: what neither the log nor the queue tells of
stays unknown, and exit code 1 says so. A message whose first lines the log has,
and nothing after its end although it goes on, was not queued where the queue
does not have it.`,
		Example: `  tollgate reconcile
  tollgate reconcile --maillog /var/log/mail.log --since "3 days"
  tollgate reconcile --maillog journal --since yesterday --dry-run`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			if file != "" && file != "-" && file != config.FollowJournal {
				if _, err := os.Stat(file); err != nil {
					return notThere(err)
				}
			}
			var ask daemon.UndecidedRequest
			if since != "" {
				m, err := parseWhen(since, time.Now())
				if err != nil {
					return usagef("--since %q: %w", since, err)
				}
				ask.Since = m.at
			}
			return a.reconcileAll(c.Context(), places, ask, file, dry)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "maillog", "", "Postfix's log: a `FILE`, \"journal\" for journalctl, \"-\" for standard input; default: the one that is followed")
	f.StringVar(&since, "since", "", "all that was charged since a `TIME`")
	f.BoolVar(&dry, "dry-run", false, "only say what would be done")
	return c
}

func (a *app) reconcileAll(ctx context.Context, places config.Places, ask daemon.UndecidedRequest, file string, dry bool) error {
	var undecided daemon.UndecidedAnswer
	if err := a.ask(ctx, places.StateDir, daemon.CmdUndecided, ask, &undecided); err != nil {
		return err
	}
	if ask.Since.IsZero() && undecided.Source == "" {
		return usagef("which messages? follow_maillog of [accounting] names no log that is followed, so none is known to be undecided: --since says from when")
	}
	if file == "" {
		file = undecided.Source
	}
	if file == "" {
		file = usualLog()
	}
	now := time.Now()
	rows := []reconciled{}
	if list := undecided.Messages; len(list) > 0 {
		var err error
		if rows, err = a.fates(ctx, places, list, file); err != nil {
			return away(err)
		}
		rows = settled(rows, now)
	}
	var decide daemon.DecideRequest
	unknown := 0
	for _, r := range rows {
		switch {
		case r.Void:
			decide.Void = append(decide.Void, daemon.Voided{Message: r.Message, Why: r.Why})
		case r.Fate == maillog.Unknown.String():
			unknown++
		default:
			decide.Queued = append(decide.Queued, r.Message)
		}
	}
	decide.All = unknown == 0
	if !dry {
		if err := a.ask(ctx, places.StateDir, daemon.CmdDecide, decide, nil); err != nil {
			return err
		}
	}
	if err := a.printReconciled(rows, len(decide.Void), unknown, dry); err != nil {
		return away(err)
	}
	if unknown > 0 {
		return silent(exitNegative)
	}
	return nil
}

// settled are those that the log tells of, and those that ended long enough ago that it
// has what there is.
func settled(rows []reconciled, now time.Time) []reconciled {
	out := []reconciled{}
	for _, r := range rows {
		if r.Why == logSays || now.Sub(r.Time) > 5*time.Second {
			out = append(out, r)
		}
	}
	return out
}

// logSays is why, where the log tells.
const logSays = "its log says so"

// usualLog is where Postfix logs when nobody says.
func usualLog() string {
	for _, path := range []string{"/var/log/mail.log", "/var/log/maillog"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return config.FollowJournal
}

// fates looks through the log and the queue.
func (a *app) fates(ctx context.Context, places config.Places, list []outcome.Message, file string) ([]reconciled, error) {
	only := map[string]bool{}
	for _, m := range list {
		only[m.QueueID] = true
	}
	log := maillog.Log{Only: only}
	add := func(e maillog.Event) error { log.Add(e); return nil }
	if err := a.readLog(ctx, file, list[0].Time.Add(-time.Hour), add); err != nil {
		return nil, err
	}
	// The queue after the log: what has left it in between is in the log.
	queue := map[string]string{}
	err := holdqueue.New(places.PostfixConfig).All(ctx, func(id, name string) error {
		if only[id] {
			queue[id] = name
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows := make([]reconciled, len(list))
	for i, m := range list {
		rows[i] = fateOf(m, &log, queue)
	}
	return rows, nil
}

// fateOf decides about one message.
func fateOf(m outcome.Message, log *maillog.Log, queue map[string]string) reconciled {
	fate := log.Fate(m.QueueID, m.Time)
	r := reconciled{Message: m, Fate: fate.String(), Why: logSays}
	where, there := queue[m.QueueID]
	switch {
	case fate == maillog.NotQueued, fate == maillog.Thrown:
		r.Void = true
	case fate == maillog.InQueue && m.Held && !there:
		r.Held = false // it was let go
	case fate == maillog.InQueue:
		r.Held = r.Held || where == "hold" && !log.TakenUp(m.QueueID, m.Time)
	case there:
		r.Held = r.Held || where == "hold" // it was never taken up
		// A message that was not queued frees its file: who has the id now came
		// later, or it is this one. It is owed, if in doubt.
		r.Fate, r.Why = maillog.InQueue.String(), "it is in the queue "+where
	case log.Vanished(m.QueueID, m.Time):
		r.Fate, r.Why, r.Void = maillog.NotQueued.String(), "its log has it before its end, and nothing after; it is not in the queue", true
	default:
		r.Why = "neither the log nor the queue tells"
	}
	return r
}

// readLog reads a log from a time on.
func (a *app) readLog(ctx context.Context, file string, since time.Time, fn func(maillog.Event) error) error {
	each := func(in io.Reader) error {
		p := maillog.Parser{Now: time.Now, Location: time.Local, Writes: maillog.PostfixWrites(postfixAccount())}
		return p.ScanAny(in, fn)
	}
	switch file {
	case "-":
		return each(a.in)
	case config.FollowJournal:
		cmd := exec.CommandContext(ctx, "journalctl", "-o", "json", "--no-pager", "--since", "@"+strconv.FormatInt(since.Unix(), 10))
		cmd.Stderr = a.err
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		return errors.Join(each(out), cmd.Wait())
	}
	names, err := maillog.Files(file, since)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: no such log, or none that was written since %s: name one with --maillog", file, local(since))
	}
	for _, name := range names {
		if err := maillog.ScanFile(name, time.Local, fn); err != nil {
			return err
		}
	}
	return nil
}

// mostQueued are told one by one: of all mail since a time only what was not queued is.
const mostQueued = 20

func (a *app) printReconciled(rows []reconciled, voided, unknown int, dry bool) error {
	if a.json {
		return printJSON(a.out, rows)
	}
	for _, r := range rows {
		if !r.Void && r.Fate == maillog.InQueue.String() && len(rows) > mostQueued {
			continue
		}
		what := r.Fate + ", " + r.Why
		if r.Void && !dry {
			what += ": voided"
		}
		if _, err := fmt.Fprintf(a.out, "%s  %s  %s  %s\n", local(r.Time), visible(r.QueueID), visible(r.Ref), what); err != nil {
			return err
		}
	}
	verb := "voided"
	if dry {
		verb = "to be voided"
	}
	_, err := fmt.Fprintf(a.out, "%s looked at: %d queued, %d %s, %d unknown\n", daemon.Plural(len(rows), "message"), len(rows)-voided-unknown, voided, verb, unknown)
	return err
}
