package daemon

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/module"
)

// assemble puts the first policy in force.
func (d *Daemon) assemble(ctx context.Context, o Options) error {
	d.journals = &assemble.Journals{Log: d.log}
	d.resolvers = &assemble.Resolvers{Log: d.log}
	d.memories = &assemble.Memories{Log: d.log}
	d.inspectors = &assemble.Inspectors{Log: d.log}
	d.lists = &assemble.Lists{Log: d.log}
	d.judge = &assemble.Judge{Parts: gate.Parts{
		Records: records{d}, Log: d.log, Now: time.Now,
		Stasher: &module.Stasher{Dir: o.Config.StateDir},
	}}
	d.hand.records.Put(recorder{d.spool, d.followed})
	parts := []assemble.Part{d.lists, d.journals, assemble.Syslog{}, assemble.Trace{}, d.resolvers, d.memories, d.accounts, d.inspectors, answersKept{}, assemble.Tally{Tally: d.tally}}
	d.judge.Counters = []gate.Counter{d.tally}
	for _, a := range o.Additions {
		parts = append(parts, a)
		d.judge.Counters = append(d.judge.Counters, a)
	}
	d.running = assemble.New(append(parts, d.judge)...)
	change, err := assemble.Prepare(ctx, o.Config, d.running)
	if err != nil {
		return err
	}
	change.Commit()
	return nil
}

// reload loads the policy anew and puts it in force, and opens the journals
// anew. On an error (a *control.Refusal) the old policy stays. Why is what the
// history is to know of it.
func (d *Daemon) reload(ctx context.Context, why history.Entry, allowed func(*config.Config) error) (Reloaded, error) {
	unlock, err := d.lockPolicy(ctx)
	if err != nil {
		return Reloaded{}, err
	}
	defer unlock()
	d.say(notifyReloading)
	defer d.say(notifyReady)

	next, rows, good := d.load(d.file)
	// Whatever the policy is like: the files may have been rotated away.
	if err := d.journals.Journal().Reopen(); err != nil {
		rows = append(rows, ProblemRow{
			File: d.journals.Journal().Status().Dir, Severity: "warning",
			Message: "journals cannot be opened anew, the files before are written on: " + err.Error(),
		})
	}
	if !good {
		d.keep(rows)
		return Reloaded{}, refusePolicy(rows)
	}
	if err := allowed(next); err != nil {
		_ = next.Close() // was only read
		return Reloaded{}, err
	}
	old := d.config()
	restart := needRestart(old, next)
	// What needs a restart stays as it was, so that the next reload says so
	// again.
	next.Listen, next.StateDir, next.Redis, next.Location = old.Listen, old.StateDir, old.Redis, old.Location
	next.Confine, next.ReadPaths = old.Confine, old.ReadPaths
	change, err := assemble.Prepare(ctx, next, d.running)
	if err != nil && ctx.Err() != nil {
		return Reloaded{}, refuse(fmt.Errorf("given up: %w", ctx.Err())) // that is nothing wrong with the policy
	}
	if err != nil {
		rows := append(rows, ProblemRow{File: d.file, Severity: "error", Message: err.Error()})
		d.keep(rows)
		return Reloaded{}, refusePolicy(rows)
	}
	change.Commit()
	roomyHeap()
	if err := d.renew(ctx, next); err != nil {
		rows = append(rows, ProblemRow{File: d.file, Severity: "warning", Message: "in force, but not judged beside itself: " + err.Error()})
	}
	kept := d.keepPolicy(next, why)
	if kept.failed != nil {
		rows = append(rows, ProblemRow{File: d.file, Severity: "warning", Message: "in force, but not kept in the history: " + kept.failed.Error()})
	}
	for _, what := range next.Fewer(old) {
		rows = append(rows, ProblemRow{File: d.file, Severity: "warning", Message: what})
	}
	for _, r := range rows {
		d.log.Warn("policy", "problem", r.String())
	}
	if len(restart) > 0 {
		d.log.Warn("changes that need a restart are not in force", "settings", restart)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cfg = next
	d.policy = PolicyStatus{
		File: d.file, Loaded: time.Now(), Version: next.Gate.Version, Counts: CountsOf(next), Restart: restart, HistoryError: kept.problem(),
	}
	d.log.Info("policy in force", "policy", d.file, "version", next.Gate.Version, "counts", d.policy.Counts.String())
	return Reloaded{
		Policy: d.file, Version: next.Gate.Version, Number: kept.entry.Number, New: kept.new,
		Counts: d.policy.Counts, Warnings: rows, Restart: restart,
	}, nil
}

// lockPolicy lets nobody else change what is in force, until unlock. It is refused when
// another process has the gateway: who waited meanwhile would change that one's files.
// Nor is it had when ctx ends first.
func (d *Daemon) lockPolicy(ctx context.Context) (unlock func(), err error) {
	if err := d.changing.take(ctx); err != nil {
		return nil, refuse(fmt.Errorf("what is in force is being changed by somebody else: %w", err))
	}
	if d.hand.over() {
		d.changing.leave()
		return nil, refuse(errors.New("another process has the gateway by now: give the command again"))
	}
	return d.changing.leave, nil
}

// turn is a lock that is waited for no longer than a context lasts.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) leave() { <-t }

// Reopen opens the journals anew while the daemon ends: their files may have
// been rotated away.
func (d *Daemon) Reopen() {
	if err := d.journals.Journal().Reopen(); err != nil {
		d.log.Warn("journals cannot be opened anew, the files before are written on", "error", err)
	}
}

// keep notes that a reload was refused.
func (d *Daemon) keep(rows []ProblemRow) {
	first := ""
	for _, r := range rows {
		if r.Severity == "error" && first == "" {
			first = r.String()
		}
		d.log.Error("policy", "problem", r.String())
	}
	d.log.Error("the new policy is bad; the old one stays in force", "policy", d.file)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policy.ReloadFailed, d.policy.ReloadError = time.Now(), first
}

// needRestart names the settings that differ and cannot be changed while
// running.
func needRestart(old, next *config.Config) []string {
	names := []string{}
	if !slices.Equal(old.Listen, next.Listen) {
		names = append(names, "listen")
	}
	if old.StateDir != next.StateDir {
		names = append(names, "state_dir")
	}
	if !reflect.DeepEqual(old.Redis, next.Redis) {
		names = append(names, "[redis]")
	}
	if old.Confine != next.Confine {
		names = append(names, "confine")
	}
	if old.Confine != config.ConfineOff && !slices.Equal(old.ReadPaths, next.ReadPaths) {
		names = append(names, "read_paths") // nothing that was given up comes back
	}
	if old.Location.String() != next.Location.String() {
		// The store cuts days and months by the zone it was opened with.
		names = append(names, "timezone")
	}
	return names
}
