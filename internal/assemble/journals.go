package assemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Journals is the part that writes the journals, in the policy's folder.
type Journals struct {
	Log *slog.Logger

	journal  *journal.Journal
	stateDir string // as the gateway started
}

// left is the file of lines that an end could not write to a journal.
func (j *Journals) left(kind string) string { return filepath.Join(j.stateDir, "journal-left."+kind) }

// Keep has lines of a journal that cannot be written now in the state folder, for the next
// start.
func (j *Journals) Keep(kind string, lines []byte) error {
	before, err := os.ReadFile(j.left(kind))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the lines of a journal: %w", err)
	}
	return durable.Replace(j.left(kind), append(before, lines...), 0o640)
}

// takeLeft has lines written that an end before could not write. What there is no room for,
// as after several ends on a full disk, stays for the start after this one.
func (j *Journals) takeLeft() {
	for _, kind := range journal.Kinds() {
		lines, err := os.ReadFile(j.left(kind))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		rest := lines
		if err == nil {
			rest, err = j.inherit(kind, lines)
		}
		if err != nil {
			j.Log.Error("lines of a journal that could not be written before are left where they are", "file", j.left(kind), "error", err, "lines", count(rest))
		}
		if len(rest) == len(lines) && err != nil {
			continue
		}
		// In the journal before they are taken out of here: a kill -9 would have them lost.
		// Where it cannot be written its end keeps them again.
		if err := j.journal.Flush(); err != nil {
			j.Log.Error("lines of a journal wait still to be written", "kind", kind, "error", err)
		}
		if len(rest) == 0 {
			err = os.Remove(j.left(kind))
		} else {
			err = durable.Replace(j.left(kind), rest, 0o640)
		}
		if err != nil {
			j.Log.Error("lines of a journal that could not be written before are written now, and will be once more at the next start", "file", j.left(kind), "error", err)
			continue
		}
		j.Log.Info("lines of a journal that could not be written before are written now", "kind", kind, "lines", count(lines)-count(rest))
	}
}

// inherit gives a journal whole lines, piece by piece; rest are those that it does not
// take, on an error.
func (j *Journals) inherit(kind string, lines []byte) (rest []byte, err error) {
	const piece = 1 << 20
	for len(lines) > 0 {
		n := len(lines)
		if n > piece {
			if n = bytes.LastIndexByte(lines[:piece], '\n') + 1; n == 0 {
				n = bytes.IndexByte(lines, '\n') + 1
			}
			if n == 0 {
				n = len(lines)
			}
		}
		if err := j.journal.Inherit(kind, lines[:n]); err != nil {
			return lines, err
		}
		lines = lines[n:]
	}
	return nil, nil
}

func count(lines []byte) int { return bytes.Count(lines, []byte{'\n'}) }

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
			j.journal, j.stateDir = opened, d.Config.StateDir
			j.takeLeft()
			opened.Bequeath(j.Keep)
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
