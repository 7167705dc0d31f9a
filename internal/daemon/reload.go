package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// reload loads the policy anew and puts it in force, and opens the journals
// anew. On an error (a *control.Refusal) the old policy stays.
func (d *daemon) reload() (reloaded, error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	d.say(notifyReloading)
	defer d.say(notifyReady)

	next, problems := config.Load(d.file)
	rows := problemRows(problems)
	// Whatever the policy is like: the files may have been rotated away.
	if err := d.journal.Reopen(); err != nil {
		rows = append(rows, problemRow{
			File: d.journal.Status().Dir, Severity: "warning",
			Message: "journals cannot be opened anew, the files before are written on: " + err.Error(),
		})
	}
	if err := problems.Err(); err != nil {
		d.keep(rows)
		return reloaded{}, refusePolicy(rows)
	}
	d.mu.Lock()
	old := d.cfg
	d.mu.Unlock()
	restart := needRestart(old, next)
	if err := d.apply(old, next); err != nil {
		rows := append(rows, problemRow{File: d.file, Severity: "error", Message: err.Error()})
		d.keep(rows)
		return reloaded{}, refusePolicy(rows)
	}
	for _, r := range rows {
		d.log.Warn("policy", "problem", r.problem().String())
	}
	if len(restart) > 0 {
		d.log.Warn("changes that need a restart are not in force", "settings", restart)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// What needs a restart stays as it was, so that the next reload says so
	// again.
	next.Listen, next.StateDir, next.Redis, next.Location = old.Listen, old.StateDir, old.Redis, old.Location
	d.cfg = next
	d.policy = policyStatus{File: d.file, Loaded: time.Now(), counts: countsOf(next), Restart: restart}
	d.log.Info("policy in force", "policy", d.file, "counts", d.policy.counts.String())
	return reloaded{Policy: d.file, Counts: d.policy.counts, Warnings: rows, Restart: restart}, nil
}

// keep notes that a reload was refused.
func (d *daemon) keep(rows []problemRow) {
	first := ""
	for _, r := range rows {
		p := r.problem()
		if !p.Warning && first == "" {
			first = p.String()
		}
		d.log.Error("policy", "problem", p.String())
	}
	d.log.Error("the new policy is bad; the old one stays in force", "policy", d.file)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policy.ReloadFailed, d.policy.ReloadError = time.Now(), first
}

// apply puts a policy in force: first what can fail and touches nothing that is
// in force, then what cannot.
func (d *daemon) apply(old, next *config.Config) error {
	if err := d.dns.give(next); err != nil {
		return fmt.Errorf("resolver: %w", err)
	}
	if err := d.memory.give(next); err != nil {
		return err
	}
	if next.JournalDir != old.JournalDir {
		if err := d.journal.Move(next.JournalDir); err != nil {
			return err
		}
	}
	if next.Syslog != old.Syslog {
		if err := d.journal.SetSyslog(next.Syslog); err != nil {
			return errors.Join(err, d.journal.Move(old.JournalDir))
		}
	}
	// What was switched at run time stays, unless the file now says otherwise
	// than it did.
	if next.Trace != old.Trace {
		d.journal.SetTrace(next.Trace)
	}
	d.watch.over(next)
	d.gate.Swap(next.Gate)
	roomyHeap()
	return nil
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
	if old.Location.String() != next.Location.String() {
		// The store cuts days and months by the zone it was opened with.
		names = append(names, "timezone")
	}
	return names
}
