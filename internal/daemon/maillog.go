package daemon

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/correct"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/maillog"
	"github.com/tollgate-mail/tollgate/internal/outcome"
)

// MaillogStatus is how Postfix's log is followed.
type MaillogStatus struct {
	Source string `json:"source"` // as in the policy
	outcome.Status
	Voided int64  `json:"voided"` // messages since the start, that were charged and not queued
	Gap    string `json:"gap"`    // why lines may have been missed, until somebody reconciles; "" for no reason
	Error  string `json:"error"`  // why the log cannot be read; "" when it can
}

// followed is what the daemon knows from Postfix's log.
type followed struct {
	d       *Daemon
	tracker *outcome.Tracker

	mu       sync.Mutex // of what follows
	source   string     // that is followed; "" for nothing
	follower *maillog.Follower
	places   outcome.Places
	pending  []outcome.Decision // not yet carried out
	doing    []outcome.Decision // being carried out
	saved    time.Time
	voided   int64
	gap, err string
}

func newFollowed(d *Daemon) *followed { return &followed{d: d, tracker: outcome.NewTracker()} }

// recorder makes usage records durable, and has their message followed.
type recorder struct {
	gate.Recorder
	f *followed
}

// Append takes note before Postfix is answered: what it logs comes after.
func (r recorder) Append(ctx context.Context, records []accounting.Record) error {
	err := r.Recorder.Append(ctx, records)
	if r.f.d.config().FollowMaillog == "" || len(records) == 0 {
		return err
	}
	if m, ok := outcome.Of(records); ok && err == nil {
		r.f.tracker.Charged(m)
	} else if v := &records[0]; v.Kind == accounting.Void {
		r.f.tracker.Forget(outcome.Message{QueueID: v.QueueID, Time: v.Origin()})
	}
	return err
}

const (
	maillogEvery = 500 * time.Millisecond // how often it is looked for new lines
	maillogSave  = 10 * time.Second       // how often the place is kept
)

// begin looks where the log is before there are messages, where nothing was kept
// of it: what is logged from now on is read. The rest of the start comes later.
func (f *followed) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	source := f.d.config().FollowMaillog
	if kept, ok, err := outcome.Load(f.d.config().StateDir); err != nil || ok && kept.Source == source {
		return
	}
	f.open(source, maillog.Place{})
}

// open begins with a log. An error is tried again.
func (f *followed) open(source string, from maillog.Place) {
	if f.follower != nil {
		_ = f.follower.Close() // was only read
		f.follower = nil
	}
	f.source, f.err = source, ""
	if source == "" || source == config.FollowJournal {
		return
	}
	f.follower = &maillog.Follower{Path: source, Location: time.Local, Now: time.Now, Gap: f.missed}
	if err := f.follower.Resume(from, f.event); err != nil {
		f.err = err.Error()
		f.d.log.Error("Postfix's log cannot be read", "error", err)
	}
}

// missed notes a gap. The caller holds mu.
func (f *followed) missed(why string) {
	f.gap = time.Now().Format(time.DateTime) + ": " + why
	f.d.log.Warn("lines of Postfix's log may have been missed", "reason", why)
}

// event is a line of the log. The caller holds mu.
func (f *followed) event(e maillog.Event) error {
	if d, ok := f.tracker.Event(e, time.Now()); ok {
		f.pending = append(f.pending, d)
	}
	return nil
}

// run follows until ctx ends.
func (f *followed) run(ctx context.Context) {
	f.restore(ctx)
	for {
		f.step(ctx)
		if pause(ctx, maillogEvery) != nil {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(time.Now())
	f.open("", maillog.Place{})
}

// restore takes over what was kept, and what was charged since.
func (f *followed) restore(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	source := f.d.config().FollowMaillog
	if source == "" {
		return
	}
	kept, ok, err := outcome.Load(f.d.config().StateDir)
	if err != nil {
		f.missed(err.Error())
	}
	ok = ok && kept.Source == source
	since := time.Time{}
	if ok {
		f.tracker.Restore(kept)
		f.gap, since = kept.Gap, kept.Time.Add(-outcome.Soon)
		f.places.From(time.Now(), kept.Place)
	}
	err = f.d.spool.Find(ctx, since, func(records []accounting.Record) error {
		m, charged := outcome.Of(records)
		switch {
		case charged && ok:
			m.Records = nil
			f.tracker.Charged(m)
		case charged && m.Held:
			m.Records = nil
			f.tracker.Hold(m)
		case len(records) > 0 && records[0].Kind == accounting.Void:
			f.tracker.Forget(outcome.Message{QueueID: records[0].QueueID, Time: records[0].Origin()})
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		f.missed(err.Error())
	}
	if f.source == "" {
		f.open(source, kept.Place)
	}
}

// step reads what is new, and does what follows from it.
func (f *followed) step(ctx context.Context) {
	if !f.read(time.Now()) {
		return
	}
	f.carryOut(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.saved) >= maillogSave {
		f.keep(now)
	}
}

// read reads what is new; false where nothing is followed.
func (f *followed) read(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if source := f.d.config().FollowMaillog; source != f.source {
		f.open(source, maillog.Place{})
	}
	if f.source == "" {
		return false
	}
	place := maillog.Place{Last: f.tracker.Status(now).Last}
	if f.follower != nil {
		err := f.follower.Poll(f.event)
		switch {
		case err != nil && f.err == "":
			f.d.log.Error("Postfix's log cannot be read", "error", err)
			f.err = err.Error()
		case err == nil && f.err != "":
			f.d.log.Info("Postfix's log can be read again")
			f.err = ""
		}
		place = f.follower.Place()
	}
	f.places.Add(now, place)
	f.doing = append(f.pending, f.tracker.Due(now)...)
	f.pending = nil
	return true
}

// carryOut voids what was charged and is not owed. What cannot be done now is
// tried again. Nobody waits for it: the store may be away.
func (f *followed) carryOut(ctx context.Context) {
	var rest []outcome.Decision
	for _, one := range f.doing { // only changed by this goroutine
		if err := f.void(ctx, one.Message, "its log says: "+one.Fate.String(), ""); err != nil {
			f.d.log.Error("a message that was not queued stays charged for now", "queue_id", one.QueueID, "error", err)
			rest = append(rest, one)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending, f.doing = append(f.pending, rest...), nil
}

// void takes back what a message was charged. The caller does not hold mu.
func (f *followed) void(ctx context.Context, m outcome.Message, why, by string) error {
	books := f.d.books()
	records := m.Records
	if len(records) > 0 {
		voids := make([]accounting.Record, len(records))
		for i, r := range records {
			voids[i] = accounting.VoidOf(r, time.Now())
		}
		if err := f.d.spool.Append(ctx, voids); err != nil {
			return err
		}
	} else {
		voided, err := books.Void(ctx, []correct.Message{{QueueID: m.QueueID, Ref: m.Ref, Since: m.Time, Until: m.Time.Add(time.Millisecond)}})
		if err != nil {
			return err
		}
		records = voided[0]
	}
	f.mu.Lock()
	f.voided++
	f.mu.Unlock()
	n := len(records)
	f.d.log.Warn("a message was charged and is not in Postfix's queue: voided", "queue_id", m.QueueID, "ref", m.Ref, "records", n, "reason", why, "by", by)
	return f.d.journals.Journal().Write(voidEntries(journal.Entry{
		Kind: journal.Blocks, Time: time.Now(), Gateway: books.Gateway, QueueID: m.QueueID, Ref: m.Ref, Stage: "queue", Verdict: "voided",
		Reason: fmt.Sprintf("Postfix does not have it (%s): %s voided", why, Plural(n, "usage record")), By: by,
	}, records)...)
}

// voidEntries are one for each recipient who was charged. What its record has of the
// message may stand nowhere else: its own line is lost where a daemon was killed.
func voidEntries(e journal.Entry, records []accounting.Record) []*journal.Entry {
	all := make([]*journal.Entry, max(len(records), 1))
	for i := range all {
		one := e
		if i < len(records) {
			r := &records[i]
			one.MessageID, one.ClientIP, one.Direction, one.Size = r.MessageID, r.ClientIP, r.Direction, r.Size
			one.Sender, one.Recipient, one.Client = r.Sender, r.Recipient, r.Client
		}
		all[i] = &one
	}
	return all
}

// keep keeps what is known.
func (f *followed) keep(now time.Time) {
	if f.source == "" {
		return
	}
	f.saved = now
	kept := f.tracker.Snapshot(now)
	kept.Source, kept.Place, kept.Gap = f.source, f.places.Old(), f.gap
	for _, one := range slices.Concat(f.pending, f.doing) {
		kept.Waiting = append(kept.Waiting, one.Message)
	}
	if err := kept.Save(f.d.config().StateDir); err != nil {
		f.d.log.Error("how far Postfix's log was read cannot be kept", "error", err)
	}
}

// Status is nil where no log is followed.
func (f *followed) Status(now time.Time) *MaillogStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.source == "" {
		return nil
	}
	return &MaillogStatus{Source: f.source, Status: f.tracker.Status(now), Voided: f.voided, Gap: f.gap, Error: f.err}
}
