package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// statementBooks are the store with what was archived; for one question.
func (d *Daemon) statementBooks(ctx context.Context) (*archive.Books, error) {
	l, ok := d.store.(archive.Ledgered)
	if !ok {
		return nil, errors.New("this store keeps no accounts")
	}
	return archive.Over(ctx, l)
}

func (d *Daemon) answerClose(ctx context.Context, request json.RawMessage) (any, error) {
	var r CloseRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	l, ok := d.store.(archive.Ledgered)
	if !ok {
		return nil, refuse(errors.New("this store keeps no accounts"))
	}
	if r.Archive != "" && !filepath.IsAbs(r.Archive) {
		return nil, refuse(fmt.Errorf("archive %q: an absolute path is needed", r.Archive))
	}
	if err := d.archivable(r.Archive); err != nil {
		return nil, refuse(err)
	}
	d.seals.one.Lock() // two at once would make two seals of one number
	defer d.seals.one.Unlock()
	kept, err := d.seals.keeper.Seals()
	if err != nil {
		return nil, refuse(err)
	}
	closed := slices.ContainsFunc(kept, func(k accounting.Close) bool { return k.Period == r.Period })
	if over := overlaps(r.Period, kept); len(over) > 0 && !closed && !r.Overlapping {
		return CloseAnswer{Overlaps: over}, nil
	}
	if d.spool.Status().Waiting > 0 {
		// The heartbeat in the store may be some seconds old.
		if err := d.store.Heartbeat(ctx, d.config().Gate.Gateway, d.spool.Status().Waiting); err != nil {
			return nil, storeAway(err)
		}
	}
	seal, err := closing.Close(ctx, l, closing.Query{
		Period: r.Period, Now: time.Now(), By: control.User(ctx), Force: r.Force, Kept: kept, Archive: r.Archive, Temp: d.config().StateDir,
	})
	var path *os.PathError
	switch {
	case errors.Is(err, closing.ErrDoubt):
		return nil, refuse(fmt.Errorf("%w (--force closes nevertheless and keeps this with the seal)", err))
	case errors.Is(err, closing.ErrPeriod), errors.Is(err, closing.ErrSetBack), errors.Is(err, closing.ErrChanged),
		errors.Is(err, archive.ErrFormat), errors.As(err, &path):
		return nil, refuse(err)
	case err != nil:
		return nil, storeAway(err)
	}
	return CloseAnswer{Close: seal, Verified: closed}, d.sealed(ctx, l, seal, kept)
}

// archivable tells why an archive cannot be made in a folder: a confined daemon neither
// writes nor, later, reads anywhere but below its own.
func (d *Daemon) archivable(dir string) error {
	if dir == "" || d.within == nil || d.within.Writes(dir) == nil {
		return nil
	}
	cfg := d.config()
	return fmt.Errorf("archive %s: the daemon keeps to its own files (confine): name a folder below %s or %s", dir, cfg.StateDir, cfg.JournalDir)
}

// mayChange refuses a switch into a period that has money of another currency and,
// unless that is what was asked for, one to another currency while a gateway has records
// that wait: what is late is parked, for it is money of the currency that was left.
func (d *Daemon) mayChange(ctx context.Context, l accounting.Ledger, q SwitchRequest, plans price.Plans, want price.Plan) error {
	now := time.Now()
	switch err := price.Room(ctx, l, q.ID, want, now); {
	case errors.Is(err, price.ErrCurrency):
		return refuse(fmt.Errorf("client %q: %w", q.ID, err))
	case err != nil:
		return storeAway(err)
	}
	was := plans.CurrencyAt(now)
	if was == "" || want.Currency == "" || was == want.Currency {
		return nil
	}
	list, err := l.Gateways(ctx)
	if err != nil {
		return storeAway(err)
	}
	// What is known here of this one is newer. Where much mail comes some of it waits at
	// any time, for a moment: what came until now is brought to the store first.
	mine, waits := d.config().Gate.Gateway, int64(0)
	if err := d.flushed(ctx); err != nil {
		waits = d.spool.Status().Waiting
	}
	list = slices.DeleteFunc(list, func(g accounting.Gateway) bool { return g.Name == mine })
	list = append(list, accounting.Gateway{Name: mine, Heartbeat: now, Backlog: waits})
	waiting := closing.Waiting(list, now)
	switch {
	case len(waiting) == 0:
		return nil
	case !q.Force:
		return refuse(fmt.Errorf("client %q: %s: what comes of %s after the change to %s is parked; try again when it has come, or switch with --force",
			q.ID, strings.Join(waiting, "; "), was, want.Currency))
	}
	d.log.Warn("a currency changes while records may be on their way: those of the one before will be parked", "client", q.ID, "from", was, "to", want.Currency,
		"although", strings.Join(waiting, "; "), "by", control.User(ctx))
	return nil
}

// overlaps are closed periods that have days in common with one.
func overlaps(period string, kept []accounting.Close) (all []string) {
	from, to, err := accounting.Span(period, time.UTC)
	if err != nil {
		return nil // whoever closes it says so
	}
	for _, k := range kept {
		begin, end, err := accounting.Span(k.Period, time.UTC)
		if err == nil && begin.Before(to) && from.Before(end) {
			all = append(all, k.Period)
		}
	}
	return all
}

// sealed tells of a seal wherever a store that is set back cannot forget it: in
// the log, in the journal and so in syslog, and in state_dir.
func (d *Daemon) sealed(ctx context.Context, l accounting.Ledger, seal accounting.Close, kept []accounting.Close) error {
	known := false
	for _, k := range kept {
		known = known || k == seal
	}
	if !known {
		d.log.Info("a period is closed", "period", seal.Period, "number", seal.Number, "records", seal.Records, "clients", seal.Clients,
			"hash", seal.Hash, "by", seal.By, "forced", seal.Forced, "archive", seal.Archive)
		reason := fmt.Sprintf("period %s closed, number %d: %s of %s, hash %s, by %s", seal.Period, seal.Number, Plural(int(seal.Records), "record"),
			Plural(seal.Clients, "client"), seal.Hash, seal.By)
		if seal.Forced != "" {
			reason += "; although " + seal.Forced
		}
		if seal.Archive != "" {
			reason += "; archived in " + seal.Archive
		}
		if err := d.journals.Journal().Write(&journal.Entry{
			Kind: journal.Blocks, Time: time.Now(), Gateway: d.config().Gate.Gateway, Stage: "close", Verdict: "closed", Reason: reason, By: seal.By,
		}); err != nil {
			return refuse(fmt.Errorf("the period is closed, and it cannot be journalled: %w; close it again", err))
		}
	}
	if err := d.seals.compare(ctx, l); err != nil {
		return refuse(fmt.Errorf("the period is closed, and its seal cannot be kept in state_dir: %w; close it again", err))
	}
	return nil
}

// seals are compared with those in the store: one that is set back must not
// forget what was closed.
type seals struct {
	keeper *closing.Keeper
	one    sync.Mutex // held while a period is being closed

	mu      sync.Mutex
	problem string // for the operator; "" for none
}

// compare takes over what the store has, and notices what it has lost. The error
// is that of the store or the file.
func (s *seals) compare(ctx context.Context, l accounting.Ledger) error {
	list, err := l.Closes(ctx)
	if err != nil {
		return err
	}
	lost, err := s.keeper.Keep(list)
	problem, err := lostSeals(lost, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problem = problem
	return err
}

// lostSeals says what an operator should know of seals that the store has lost,
// or has others for; the error is any other.
func lostSeals(lost []accounting.Close, err error) (string, error) {
	switch {
	case errors.Is(err, closing.ErrChanged):
		return err.Error(), nil
	case err != nil:
		return "", err
	case len(lost) > 0:
		return fmt.Sprintf("the store was set back: it does not know that %s was closed (number %d, hash %s); once the spool has brought what is missing, close it again",
			lost[0].Period, lost[0].Number, lost[0].Hash), nil
	}
	return "", nil
}

// Problem is what an operator should know of them; "" for nothing.
func (s *seals) Problem() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// sealsEvery is how often the store's seals are compared with those kept here.
const sealsEvery = time.Minute

// compareSeals compares from the start on.
func (d *Daemon) compareSeals(ctx context.Context, l accounting.Ledger) {
	for said := ""; ; {
		ask, cancel := context.WithTimeout(ctx, storeTimeout)
		err := d.seals.compare(ask, l)
		cancel()
		now := d.seals.Problem()
		if err == nil && now != said {
			if said = now; now != "" {
				d.log.Error(now)
			}
		}
		if pause(ctx, sealsEvery) != nil {
			return
		}
	}
}
