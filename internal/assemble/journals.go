package assemble

import (
	"context"
	"log/slog"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Journals is the part that writes the journals, in the policy's folder.
type Journals struct {
	Log *slog.Logger

	journal *journal.Journal
}

// Journal is nil before the first policy is in force.
func (j *Journals) Journal() *journal.Journal { return j.journal }

// Prepare opens the files in the policy's folder, where it is another.
func (j *Journals) Prepare(_ context.Context, d *Draft) (Step, error) {
	if d.Journal = j.journal; j.journal == nil {
		opened, err := journal.Open(d.Config.JournalDir, journal.WithLog(j.Log))
		if err != nil {
			return nil, err
		}
		d.Journal = opened
		return step{commit: func() {
			opened.SetPacking(d.Config.JournalIndex)
			j.journal = opened
		}, discard: opened.Discard}, nil
	}
	packing := step{commit: func() { j.journal.SetPacking(d.Config.JournalIndex) }}
	if d.Config.JournalDir == d.Before.JournalDir {
		return packing, nil
	}
	move, err := j.journal.PrepareMove(d.Config.JournalDir)
	if err != nil {
		return nil, err
	}
	return step{commit: func() { move.Commit(); packing.Commit() }, discard: move.Discard}, nil
}

// Close writes what waits, and closes.
func (j *Journals) Close() error {
	if j.journal == nil {
		return nil
	}
	return j.journal.Close()
}

// Syslog is the part that sends blocks to syslog, too. It goes after Journals.
type Syslog struct{}

// Prepare makes the line to the daemon, where the facility is another.
func (Syslog) Prepare(_ context.Context, d *Draft) (Step, error) {
	if d.Before != nil && d.Before.Syslog == d.Config.Syslog {
		return step{}, nil
	}
	next, err := journal.NewSyslog(d.Config.Syslog)
	if err != nil {
		return nil, err
	}
	j := d.Journal
	return step{commit: func() { j.SetSyslog(next) }}, nil
}

// Close does nothing: the line ends with the journals.
func (Syslog) Close() error { return nil }

// Trace is the part that switches the trace journal. It goes after Journals.
type Trace struct{}

// Prepare leaves what was switched at run time, unless the policy now says
// otherwise than it did.
func (Trace) Prepare(_ context.Context, d *Draft) (Step, error) {
	if d.Before != nil && d.Before.Trace == d.Config.Trace {
		return step{}, nil
	}
	j, next := d.Journal, d.Config.Trace
	return step{commit: func() { j.SetTrace(next) }}, nil
}

// Close does nothing.
func (Trace) Close() error { return nil }
