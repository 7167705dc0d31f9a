package maillog

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// logFile is a log that grows and is rotated.
type logFile struct {
	t    *testing.T
	path string
	n    int
	now  time.Time
}

func newLog(t *testing.T) *logFile {
	l := &logFile{t: t, path: filepath.Join(t.TempDir(), "mail.log"), now: time.Now().Truncate(time.Second)}
	l.append(l.path, "")
	return l
}

func (l *logFile) append(path, text string) {
	l.t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		l.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *logFile) line() string {
	l.n++
	return fmt.Sprintf("%s mx1 postfix/qmgr[1]: 4XYZ%04d: removed\n", l.now.Add(time.Duration(l.n)*time.Millisecond).UTC().Format(time.RFC3339Nano), l.n)
}

func (l *logFile) write(n int) {
	for range n {
		l.append(l.path, l.line())
	}
}

// reader follows it.
type reader struct {
	t *testing.T
	f *Follower
	// ids that were read, and what was missed.
	ids  []string
	gaps []string
}

func follow(t *testing.T, l *logFile) *reader {
	r := &reader{t: t}
	r.f = &Follower{Path: l.path, Location: time.UTC, Now: time.Now, Gap: func(why string) { r.gaps = append(r.gaps, why) }}
	t.Cleanup(func() { r.f.Close() })
	return r
}

func (r *reader) note(e Event) error {
	r.ids = append(r.ids, e.QueueID)
	return nil
}

func (r *reader) poll() {
	r.t.Helper()
	if err := r.f.Poll(r.note); err != nil {
		r.t.Fatal(err)
	}
}

// all tells whether each line from the first on was read; once, where twice is
// false.
func (r *reader) all(from, to int, twice bool) {
	r.t.Helper()
	var want []string
	for i := from; i <= to; i++ {
		want = append(want, fmt.Sprintf("4XYZ%04d", i))
	}
	got := slices.Clone(r.ids)
	if twice {
		slices.Sort(got)
		got = slices.Compact(got)
	}
	if !slices.Equal(got, want) {
		r.t.Fatalf("read %q, want %q", got, want)
	}
}

// A log that comes after the gateway (a first start, before Postfix has written a line)
// is all new: what stands in it when it is first seen was written since.
func TestFollowWhatIsNotThereYet(t *testing.T) {
	l := newLog(t)
	r := follow(t, l)
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.f.Resume(Place{}, r.note); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	l.write(3)
	r.poll()
	r.all(1, 3, false)
	l.write(1)
	r.poll()
	r.all(1, 4, false)
}

func TestFollow(t *testing.T) {
	l := newLog(t)
	l.write(3)
	r := follow(t, l)
	if err := r.f.Resume(Place{}, r.note); err != nil {
		t.Fatal(err)
	}
	r.poll()
	r.all(1, 0, false) // what was there before is not asked for
	l.write(2)
	r.poll()
	half := l.line()
	l.append(l.path, half[:20])
	r.poll()
	r.all(4, 5, false)
	l.append(l.path, half[20:])
	r.poll()
	r.all(4, 6, false)
	// Renamed: Postfix writes on into the old file until it is told.
	if err := os.Rename(l.path, l.path+".1"); err != nil {
		t.Fatal(err)
	}
	l.append(l.path+".1", l.line())
	r.poll()
	l.write(1)
	r.poll()
	l.append(l.path+".1", l.line())
	l.write(1)
	r.poll()
	slices.Sort(r.ids)
	r.all(4, 10, false)
	if len(r.gaps) > 0 {
		t.Errorf("%q", r.gaps)
	}
}

// Copied and truncated, also where the file is as long again as it was.
func TestFollowTruncated(t *testing.T) {
	for _, longer := range []bool{false, true} {
		l := newLog(t)
		r := follow(t, l)
		if err := r.f.Resume(Place{}, r.note); err != nil {
			t.Fatal(err)
		}
		l.write(30)
		r.poll()
		l.write(2) // not read before it is copied away
		text, err := os.ReadFile(l.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.path+".1", text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(l.path, 0); err != nil {
			t.Fatal(err)
		}
		l.write(1)
		if longer {
			l.write(60)
		}
		r.poll()
		r.all(1, l.n, true)
		if len(r.gaps) > 0 {
			t.Errorf("%q", r.gaps)
		}
	}
}

// Begun again at its place: the same file, one that was renamed, one that was
// packed, and one that is gone, which is said.
func TestResume(t *testing.T) {
	for name, test := range map[string]struct {
		rotate func(t *testing.T, l *logFile)
		gap    bool
	}{
		"as it was": {func(*testing.T, *logFile) {}, false},
		"renamed": {func(t *testing.T, l *logFile) {
			if err := os.Rename(l.path, l.path+".1"); err != nil {
				t.Fatal(err)
			}
		}, false},
		"packed": {func(t *testing.T, l *logFile) {
			text, err := os.ReadFile(l.path)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(text); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(l.path+"-20261128.gz", b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(l.path); err != nil {
				t.Fatal(err)
			}
		}, false},
		"gone": {func(t *testing.T, l *logFile) {
			if err := os.Remove(l.path); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		l := newLog(t)
		r := follow(t, l)
		if err := r.f.Resume(Place{}, r.note); err != nil {
			t.Fatal(err)
		}
		l.write(40)
		r.poll()
		place := r.f.Place()
		if err := r.f.Close(); err != nil {
			t.Fatal(err)
		}
		l.write(3) // while nobody reads
		test.rotate(t, l)
		l.write(2)
		again := follow(t, l)
		again.ids = r.ids
		if err := again.f.Resume(place, again.note); err != nil {
			t.Fatal(err)
		}
		again.poll()
		if gap := len(again.gaps) > 0; gap != test.gap {
			t.Errorf("%s: gaps %q", name, again.gaps)
		}
		if test.gap {
			continue
		}
		again.all(1, l.n, name != "as it was")
	}
}

// A log that is away, or may not be read, is an error until it is there.
func TestFollowAway(t *testing.T) {
	l := newLog(t)
	r := follow(t, l)
	if err := os.Remove(l.path); err != nil {
		t.Fatal(err)
	}
	if err := r.f.Poll(r.note); err == nil {
		t.Fatal("a log that is not there")
	}
	l.append(l.path, "")
	r.poll()
	l.write(1)
	r.poll()
	r.all(1, 1, false)
}

func TestParseJournal(t *testing.T) {
	p := Parser{Now: time.Now, Location: time.UTC, Writes: PostfixWrites(105)}
	for line, want := range map[string]Kind{
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","_UID":"105","MESSAGE":"4XYZabc1: removed"}`:                                                      Delivered,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","_UID":"0","MESSAGE":"4XYZabc1: removed"}`:                                                        Delivered,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","_UID":"33","MESSAGE":"4XYZabc1: removed"}`:                                                       0,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","_UID":"1000","MESSAGE":"4XYZabc1: removed"}`:                                                     0,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","_UID":"x","MESSAGE":"4XYZabc1: removed"}`:                                                        0,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"4XYZabc1: removed"}`:                                                                   Delivered,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/cleanup","MESSAGE":[52,88,89,90,97,98,99,49,58,32,109,101,115,115,97,103,101,45,105,100,61,60,255,62]}`: Begun,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"4XYZabc1: removed"}`:                                                                           0,
		`{"__REALTIME_TIMESTAMP":"x","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"4XYZabc1: removed"}`:                                                                                  0,
		`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":null}`:                                                                                  0,
		`{`: 0,
	} {
		e, _, ok := p.journal([]byte(line))
		if ok != (want != 0) || e.Kind != want || ok && (e.QueueID != "4XYZabc1" || e.Time.UnixMicro() != 1795000000123456) {
			t.Errorf("%s: %v %+v", line, ok, e)
		}
	}
	if w := PostfixWrites(-1); !w(0) || !w(105) || w(1000) {
		t.Error("without an account of Postfix those of the system write")
	}
	n := 0
	if err := p.ScanAny(strings.NewReader(`{"__REALTIME_TIMESTAMP":"1795000000123456","SYSLOG_IDENTIFIER":"postfix/qmgr","MESSAGE":"4XYZabc1: removed"}`+"\n\nnoise\n"+
		"2026-11-28T00:00:00Z mx1 postfix/qmgr[1]: 4XYZabc1: removed"), func(Event) error { n++; return nil }); err != nil || n != 2 {
		t.Error(n, err)
	}
}

func TestVanished(t *testing.T) {
	end := time.Date(2026, 11, 28, 1, 0, 0, 500e6, time.UTC)
	at := func(seconds int) time.Time { return end.Add(time.Duration(seconds) * time.Second) }
	for name, test := range map[string]struct {
		events []Event
		want   bool
	}{
		"nothing of it":           {[]Event{{at(900), Queued, "B"}}, false},
		"begun, and nothing more": {[]Event{{at(-1), Begun, "A"}, {at(900), Queued, "B"}}, true},
		"the log ends":            {[]Event{{at(-1), Begun, "A"}, {at(30), Queued, "B"}}, false},
		"queued":                  {[]Event{{at(-1), Begun, "A"}, {at(1), Queued, "A"}, {at(900), Queued, "B"}}, false},
		"of the message after":    {[]Event{{at(700), Begun, "A"}, {at(900), Queued, "B"}}, false},
		"of the message before":   {[]Event{{at(-60), Begun, "A"}, {at(-50), Queued, "A"}, {at(-40), Delivered, "A"}, {at(-1), Begun, "A"}, {at(900), Queued, "B"}}, true},
	} {
		var l Log
		for _, e := range test.events {
			l.Add(e)
		}
		if got := l.Vanished("A", end); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
