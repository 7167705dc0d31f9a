package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// away is a sink that can be away, and a drain that a test moves, on a clock of its own.
type away struct {
	*account
	gone bool
	now  time.Time
	log  bytes.Buffer
	s    *Spool
	d    *drain
}

// waits has messages of three records wait in many small segments.
func waits(t *testing.T, dir string, messages int) *away {
	t.Helper()
	a := &away{account: newAccount(), gone: true, now: start}
	a.fail = func([]accounting.Record) error {
		if a.gone {
			return errors.New("away")
		}
		return nil
	}
	a.open(t, dir)
	for i := range messages {
		mustAppend(t, a.s, message(i, 3))
	}
	return a
}

func (a *away) open(t *testing.T, dir string) {
	t.Helper()
	p := defaultPace()
	p.linger = 0
	o := Options{SegmentSize: 4000, Now: func() time.Time { return a.now }, Log: slog.New(slog.NewTextHandler(&a.log, nil))}
	s, err := open(dir, o, osFiles{}, p)
	if err != nil {
		t.Fatal(err)
	}
	a.s = s
	if a.d, err = s.begin(a); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close(t) })
}

func (a *away) close(t *testing.T) {
	t.Helper()
	if a.d == nil {
		return
	}
	a.d.leave(t.Context())
	a.d = nil
	a.s.drains.Done()
	if err := a.s.Close(); err != nil {
		t.Error(err)
	}
}

// pass has so much time pass.
func (a *away) pass(t *testing.T, long time.Duration) {
	t.Helper()
	for end := a.now.Add(long); a.now.Before(end); {
		a.now = a.now.Add(max(a.d.step(t.Context()).long, 10*time.Millisecond))
	}
}

func (a *away) segments() []segment {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return append([]segment(nil), a.s.segments...)
}

func remove(t *testing.T, dir string, g segment) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, segmentName(g.seq))); err != nil {
		t.Fatal(err)
	}
}

// Segments that wait and are removed under a drain cost their records alone: the drain
// goes on with what lies before and behind them, what is lost is told once with its number
// and counts as spooled, here and after a start.
func TestGoneUnderADrain(t *testing.T) {
	for _, c := range []struct {
		name   string
		begin  int // messages that are drained before
		remove []int
	}{
		{"the first", 0, []int{0}},
		{"in the midst", 0, []int{3}},
		{"several", 0, []int{2, 3, 7}},
		{"the one in which the drain stands", 5, []int{0, 1}},
		{"that and a later one", 9, []int{1, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "spool")
			a := waits(t, dir, c.begin)
			if a.gone = false; c.begin > 0 {
				a.pass(t, 20*time.Second)
				a.d.closeSegment()
			}
			a.gone = true
			for i := c.begin; i < 60; i++ {
				mustAppend(t, a.s, message(i, 3))
			}
			list := a.segments()
			kept := map[string]bool{}
			for _, i := range c.remove {
				remove(t, dir, list[i])
			}
			for i := range 60 {
				for _, r := range message(i, 3) {
					kept[r.ID] = i < c.begin
				}
			}
			if err := a.s.Find(t.Context(), time.Time{}, func(records []accounting.Record) error {
				for _, r := range records {
					kept[r.ID] = true
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			lost := 0
			for _, is := range kept {
				if !is {
					lost++
				}
			}
			a.gone = false
			a.pass(t, 30*time.Second)
			if st := a.s.Status(); st.Waiting < int64(lost) || !strings.Contains(st.LastError, "removed") || strings.Contains(a.log.String(), textGone) {
				t.Errorf("half a minute later: %+v\n%s", st, &a.log)
			}
			if n := len(a.ids()); c.remove[0] > 0 && n == 0 {
				t.Error("what lies before it is not applied")
			}
			a.pass(t, 50*time.Second)
			st := a.s.Status()
			if len(a.ids()) != 180-lost || lost == 0 || st.Waiting != 0 || st.Spooled != 180 || st.LastError != "" {
				t.Errorf("%d applied, %d lost: %+v\n%s", len(a.ids()), lost, st, &a.log)
			}
			if n := told(t, &a.log); n != int64(lost) {
				t.Errorf("%d lost, told of %d:\n%s", lost, n, &a.log)
			}
			mustAppend(t, a.s, message(90, 2))
			a.pass(t, 20*time.Second)
			a.close(t)
			a.log.Reset()
			a.open(t, dir)
			if st := a.s.Status(); st.Waiting != 0 || st.Spooled != 182 || told(t, &a.log) != 0 {
				t.Errorf("after a start: %+v\n%s", st, &a.log)
			}
		})
	}
}

// told is of how many lost records the log tells.
func told(t *testing.T, log *bytes.Buffer) (n int64) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, textGone) {
			var k int64
			if _, err := fmt.Sscanf(line[strings.Index(line, "records="):], "records=%d", &k); err != nil {
				t.Fatal(line, err)
			}
			n += k
		}
	}
	return n
}

// While it is not certain that a segment was removed the drain waits, however long: its
// folder was moved, or another stands over it. What comes back is drained.
func TestGoneForAWhile(t *testing.T) {
	for name, c := range map[string]struct{ hide, back func(dir string) error }{
		"a segment moved for half a minute": {
			func(dir string) error { return os.Rename(filepath.Join(dir, segmentName(2)), dir+".2") },
			func(dir string) error { return os.Rename(dir+".2", filepath.Join(dir, segmentName(2))) },
		},
		"the folder moved": {
			func(dir string) error { return os.Rename(dir, dir+".old") },
			putBack,
		},
		"another in its place": {
			func(dir string) error { return errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o700)) },
			putBack,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "spool")
			a := waits(t, dir, 40)
			if err := c.hide(dir); err != nil {
				t.Fatal(err)
			}
			a.gone = false
			a.pass(t, 30*time.Second)
			if !strings.HasPrefix(name, "a segment") {
				a.pass(t, time.Hour)
				if st := a.s.Status(); !strings.Contains(st.LastError, errMoved.Error()) {
					t.Errorf("%+v", st)
				}
			}
			if err := c.back(dir); err != nil {
				t.Fatal(err)
			}
			a.pass(t, time.Minute)
			if st := a.s.Status(); len(a.ids()) != 120 || st.Waiting != 0 || st.Spooled != 120 || strings.Contains(a.log.String(), textGone) {
				t.Errorf("%d applied: %+v\n%s", len(a.ids()), st, &a.log)
			}
		})
	}
}

// putBack puts a folder that was moved in the place of what was made there since.
func putBack(dir string) error {
	for {
		_ = os.RemoveAll(dir) // while the writer makes anew what it has in it
		if err := os.Rename(dir+".old", dir); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// A folder that was removed for good has nothing that could come back.
func TestGoneWithItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	a := waits(t, dir, 40)
	for i := 40; a.s.writing.Load() == 0; i++ { // the last message has ended its segment
		mustAppend(t, a.s, message(i, 3))
	}
	list, all := a.segments(), a.s.Status().Spooled
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	a.gone = false
	for made := false; !made; { // by the writer, which the drain has looked
		a.now = a.now.Add(max(a.d.step(t.Context()).long, 10*time.Millisecond))
		_, err := os.Stat(filepath.Join(dir, segmentName(list[len(list)-1].seq)))
		if made = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	a.pass(t, 2*time.Minute)
	last := list[len(list)-1].records
	if st := a.s.Status(); int64(len(a.ids())) != last || st.Waiting != 0 || st.Spooled != all || told(t, &a.log) != all-last {
		t.Errorf("%d applied, %d are in the last: %+v\n%s", len(a.ids()), last, st, &a.log)
	}
}

// The segment in which the drain stood, removed while nobody ran: what waited in it is
// lost, and no more.
func TestGoneInItsMidst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	a := waits(t, dir, 5)
	a.gone = false
	a.pass(t, 20*time.Second)
	a.gone = true
	for i := 5; i < 40; i++ {
		mustAppend(t, a.s, message(i, 3))
	}
	stood, lost := a.segments()[0], int64(0)
	for _, g := range a.segments() {
		if g.seq == a.d.pos.seq {
			stood = g
		}
	}
	drained := int64(len(a.ids()))
	for _, g := range a.segments() {
		if g.seq <= stood.seq {
			lost += g.records
		}
	}
	if lost -= drained; lost <= 0 || lost == stood.records {
		t.Fatalf("the drain does not stand in its midst: %d of %d", lost, stood.records)
	}
	a.close(t)
	remove(t, dir, stood)
	a.open(t, dir)
	if st := a.s.Status(); st.Spooled != 120 || st.Waiting != 120-drained-lost || told(t, &a.log) != lost {
		t.Errorf("%d drained, %d lost: %+v\n%s", drained, lost, st, &a.log)
	}
}

// After a crash the cursor is behind what the store has taken: that is not lost.
func TestGoneBehindTheMark(t *testing.T) {
	for _, c := range []struct{ taken, wait, lost int }{{3, 5, 5}, {1, 1, 1}, {4, 0, 0}} {
		now := start
		var log bytes.Buffer
		p := defaultPace()
		p.linger = 0
		o := Options{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}
		begin := func(dir string, sink accounting.Sink) (*Spool, *drain) {
			s, err := open(dir, o, osFiles{}, p)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			d, err := s.begin(sink)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.drains.Done)
			return s, d
		}
		dir, sink := t.TempDir(), newServer()
		s, d := begin(dir, sink)
		for i := range c.taken {
			mustAppend(t, s, message(i, 1))
			d.step(t.Context())
		}
		for i := range c.wait {
			mustAppend(t, s, message(10+i, 1))
		}
		crashed := t.TempDir()
		if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		s, d = begin(crashed, sink)
		mustAppend(t, s, message(20, 2))
		if _, waiting := s.Counts(); waiting != int64(c.taken-1+c.wait+2) {
			t.Fatalf("%d wait: the cursor is not behind", waiting)
		}
		remove(t, crashed, segment{seq: 1})
		for end := now.Add(2 * time.Minute); now.Before(end); {
			now = now.Add(max(d.step(t.Context()).long, 10*time.Millisecond))
		}
		spooled, waiting := s.Counts()
		if len(sink.order) != c.taken+2 || spooled != int64(c.taken+c.wait+2) || waiting != 0 || told(t, &log) != int64(c.lost) {
			t.Errorf("%d applied of %d, %d wait\n%s", len(sink.order), spooled, waiting, &log)
		}
	}
}

// A copy of the folder that stands in its place is not what is written to: what comes
// after is in the copy, too.
func TestCopyInItsPlace(t *testing.T) {
	for _, messages := range []int{0, 1, 3} {
		dir := filepath.Join(t.TempDir(), "spool")
		s := mustOpen(t, dir, Options{}, osFiles{})
		mustAppend(t, s, message(0, 2))
		if err := os.CopyFS(dir+".copy", os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, s, message(1, 2)) // which the copy does not have
		if err := errors.Join(os.RemoveAll(dir), os.Rename(dir+".copy", dir)); err != nil {
			t.Fatal(err)
		}
		want := ids(message(0, 2), message(1, 2))
		for i := range messages {
			mustAppend(t, s, message(2+i, 1))
			want = append(want, ids(message(2+i, 1))...)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, dir, Options{}, osFiles{})
		a := newAccount()
		drainAll(t, s, a)
		wantIDs(t, a.ids(), want)
	}
}

// Of a segment in which the drain stood, and that was removed before the first start of
// this release, the counts of the one before do not say how much of it waited: all that
// was in it is told, and not nothing.
func TestGoneByCountsOfBefore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	a := waits(t, dir, 5)
	a.gone = false
	a.pass(t, 20*time.Second)
	a.gone = true
	for i := 5; i < 60; i++ {
		mustAppend(t, a.s, message(i, 3))
	}
	var stood segment
	for _, g := range a.segments() {
		if g.seq == a.s.cursor.seq {
			stood = g
		}
	}
	if a.s.cursor.off == 0 || a.s.cursor.off >= stood.size {
		t.Fatalf("the drain stands in no segment: %+v of %+v", a.s.cursor, stood)
	}
	spooled, _ := a.s.Counts()
	a.close(t)
	remove(t, dir, stood)
	text, _, _ := strings.Cut(string(read(t, filepath.Join(dir, countsName))), "\ncrc32c=")
	lines := strings.Split(text, "\n")
	for i, line := range lines[1:] {
		lines[1+i] = strings.Join(strings.Fields(line)[:3], " ")
	}
	text = strings.Join(lines, "\n")
	write(t, filepath.Join(dir, countsName), []byte(text+"\ncrc32c="+checksum(text)+"\n"))
	a.open(t, dir)
	if all, _ := a.s.Counts(); all < spooled || all > spooled+stood.records {
		t.Errorf("%d spooled, before %d", all, spooled)
	}
	if want := fmt.Sprintf("records=%d", stood.records); !strings.Contains(a.log.String(), want) {
		t.Errorf("no %s in %s", want, &a.log)
	}
}
