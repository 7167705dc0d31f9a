package journal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// packRest is how long a rotated file lies still before it is packed: who else
	// reads it, line by line, has come to its end by then.
	packRest = 10 * time.Minute
	// packEvery is how often it is looked for files.
	packEvery = 10 * time.Minute
)

// Pack is one pass over the journals' folder, in which files that are still written
// to are left alone; until: see PackOptions.
func (j *Journal) Pack(ctx context.Context, rest time.Duration, until time.Time, verify bool) (Packing, error) {
	j.moving.Lock()
	dir := j.dir
	j.moving.Unlock()
	return Pack(ctx, dir, PackOptions{InUse: j.writes, Rest: rest, Until: until, Verify: verify, Now: j.now})
}

// writes tells whether a file is one of those that lines go to. After a rotation
// that is the renamed one until the files are opened anew.
func (j *Journal) writes(info fs.FileInfo) bool {
	for i := range j.writers {
		if j.writers[i].file.is(info) {
			return true
		}
	}
	return false
}

func (a *file) is(info fs.FileInfo) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, err := a.f.Stat()
	return err != nil || os.SameFile(now, info) // in doubt it is
}

// retried has a journal whose lines are written at once, and whose last one was not, told
// as well again when its disk takes something: the next line may come in a day.
func (a *file) retried() error {
	const room = 64 << 10
	a.mu.Lock()
	failing, dir := a.status.LastError != "", filepath.Dir(a.path)
	a.mu.Unlock()
	if !failing {
		return nil
	}
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, room))
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.LastError, a.status.ErrorSince = "", time.Time{}
	return nil
}

// lookEvery is how often it is looked whether the files are where they were opened.
const lookEvery = 2 * time.Second

// KeepThere opens files anew that somebody removed or renamed under the daemon, until
// ctx ends, and tells of it.
func (j *Journal) KeepThere(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	told := make([]KindStatus, len(j.writers))
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for i := range j.writers {
			w := &j.writers[i]
			w.file.lookAfter(j.now())
			if w.gathered == nil {
				_ = w.file.retried() // the error that is told stays
			}
			now, before := w.file.state(), told[i]
			if now.Reopened > before.Reopened {
				j.log.Warn("a journal was removed or renamed, and nobody said so; it was opened anew", "kind", w.name, "at", now.ReopenedAt)
			}
			if now.Elsewhere != "" && now.Elsewhere != before.Elsewhere {
				j.log.Error("a journal was removed or renamed, and cannot be opened anew", "kind", w.name, "error", now.Elsewhere)
			}
			told[i] = now
		}
	}
}

// SetPacking turns on or off what KeepPacked does.
func (j *Journal) SetPacking(on bool) { j.packing.Store(on) }

// KeepPacked packs rotated files and sees to their indexes, in the background, until
// ctx ends. All indexes are read once after the start.
func (j *Journal) KeepPacked(ctx context.Context) {
	tick := time.NewTicker(packEvery)
	defer tick.Stop()
	said := ""
	for verify := true; ; verify = false {
		if j.packing.Load() {
			done, err := j.Pack(ctx, packRest, time.Time{}, verify)
			if ctx.Err() != nil {
				return
			}
			if done.Packed+done.Rebuilt > 0 {
				j.log.Info("journals packed", "files", done.Packed, "octets", done.Text, "packed_octets", done.Size, "indexes_rebuilt", done.Rebuilt)
			}
			now := ""
			switch {
			case err != nil && !errors.Is(err, errBusy):
				now = err.Error()
			case len(done.Problems) > 0:
				now = done.Problems[0]
			}
			if now != "" && now != said {
				j.log.Warn("a journal cannot be packed; it is searched as it is", "error", now)
			}
			said = now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
