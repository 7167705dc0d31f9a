package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// flushTime is how long a running daemon may take to write what it has
// gathered; its journals are searched either way.
const flushTime = 2 * time.Second

// folder is where the journals are; a daemon that runs writes what it has.
func (a *app) folder(ctx context.Context, dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	places, err := a.lookingPlaces()
	if err != nil {
		return "", err
	}
	a.flushDaemon(ctx, places.StateDir)
	return places.JournalDir, nil
}

var errLimit = errors.New("enough")

func (a *app) look(ctx context.Context, l looking) error {
	dir, err := a.folder(ctx, l.dir)
	if err != nil {
		return err
	}
	// What is found is gone as soon as it is shown: to look for such seldom costs tens of
	// megabytes and saves a third of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(500))
	show := a.shower(l)
	shown, following := 0, false
	found := func(e journal.Entry) error {
		shown++
		if l.redact {
			e = a.redactions().entry(e)
		}
		if err := show.entry(e); err != nil {
			return err
		}
		if l.limit > 0 && shown >= l.limit && (show.counts() == entriesCount || following) {
			return errLimit
		}
		return nil
	}
	last := journal.Last
	if show.counts() == messagesCount {
		last = journal.LastMessages
	}
	from, err := journal.Marks(dir)
	if l.follow && err != nil {
		return away(err)
	}
	var report journal.Report
	switch {
	case l.last > 0:
		report, err = last(ctx, dir, l.Query, l.last, found)
	case l.follow:
		report, err = last(ctx, dir, l.Query, 10, found)
	default:
		report, err = journal.Search(ctx, dir, l.Query, found)
	}
	if errors.Is(err, errLimit) {
		err = nil
	}
	err = errors.Join(err, show.done())
	for _, path := range report.Unsearched {
		fmt.Fprintf(a.err, "tollgate: %s: compressed in a way that cannot be searched; unpack it first\n", path)
	}
	for _, path := range report.Damaged {
		fmt.Fprintf(a.err, "tollgate: %s: its index cannot be believed, so all of it was read; \"tollgate journal index\" makes it anew\n", path)
	}
	if report.Broken > 0 {
		fmt.Fprintf(a.err, "tollgate: %s passed over: damaged or cut by a crash\n", daemon.Plural(int(report.Broken), "line"))
	}
	if err == nil {
		err = a.beforeSubject(ctx, dir, l)
	}
	switch {
	case err != nil:
		return away(err)
	case l.follow:
		following = true // each entry is a line as it comes
		told := map[string]string{}
		return a.followed(journal.Follow(ctx, dir, l.Query, from, func(e journal.Entry) error {
			if !a.json && again(told, &e) {
				return nil
			}
			return errors.Join(found(e), show.done())
		}))
	case shown == 0:
		a.notFound(l)
		return silent(exitNegative)
	}
	return nil
}

// mostTold bounds the references that are remembered while entries come.
const mostTold = 1000

// again tells of a message's entry that says what its block has said: people are told
// once.
func again(told map[string]string, e *journal.Entry) bool {
	switch e.Kind {
	case journal.Blocks:
		if len(told) >= mostTold {
			clear(told) // at worst one is told twice
		}
		told[e.Ref] = e.Verdict
	case journal.Messages:
		verdict, ok := told[e.Ref]
		return ok && e.Ref != "" && verdict == e.Verdict
	}
	return false
}

// followed is the end of following: nobody has been wrong.
func (a *app) followed(err error) error {
	if errors.Is(err, errLimit) || errors.Is(err, context.Canceled) {
		return nil
	}
	return away(err)
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
