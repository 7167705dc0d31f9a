package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a full disk took of a block of lines is told, and the rest can be
// written later without mixing lines up.
func TestPartialWrite(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a := &file{kind: Messages, f: w}
	var all []byte
	for i := range 20000 {
		all = fmt.Appendf(all, "line %d\n", i)
	}
	// The pipe is full before the first octet is read, and then time is up.
	var first [1]byte
	full := make(chan error, 1)
	go func() {
		_, err := r.Read(first[:])
		full <- errors.Join(err, w.SetWriteDeadline(time.Unix(1, 0)))
	}()
	rest, err := a.write(all, time.Now())
	if err := <-full; err != nil {
		t.Fatal(err)
	}
	if err == nil || len(rest) == 0 || len(rest) == len(all) {
		t.Fatalf("%d of %d are left, %v", len(rest), len(all), err)
	}
	if before := all[len(all)-len(rest)-1]; before != '\n' {
		t.Errorf("the rest begins within a line, after %q", before)
	}
	if s := a.state(); s.LastError == "" || s.ErrorSince.IsZero() || s.Lines != int64(bytes.Count(all[:len(all)-len(rest)], []byte("\n"))) {
		t.Errorf("status %+v", s)
	}
	read := make(chan []byte)
	go func() {
		b, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		read <- append(first[:], b...)
	}()
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if rest, err = a.write(rest, time.Now()); err != nil || rest != nil {
		t.Fatal(err)
	}
	if s := a.state(); s.LastError != "" || s.Lines != 20000 {
		t.Errorf("status %+v", s)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	next := 0
	for line := range bytes.Lines(<-read) {
		if string(line) == fmt.Sprintf("line %d\n", next) {
			next++
		}
	}
	if next != 20000 {
		t.Errorf("line %d is missing", next)
	}
}

// fullDisk makes journals whose messages and blocks cannot be written.
func fullDisk(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device that is always full here")
	}
	dir := t.TempDir()
	for _, k := range []string{Messages, Blocks} {
		if err := os.Symlink("/dev/full", filepath.Join(dir, fileName(k))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := fullDisk(t)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		j, err := Open(dir, WithLog(slog.New(slog.NewTextHandler(&log, nil))))
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Write(&Entry{Kind: Blocks, Ref: "a"}); err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("block: %v", err)
		}
		// What cannot be written at once is never written: it is lost, and counted.
		if err := j.Write(&Entry{Kind: Blocks, Ref: "b"}, &Entry{Kind: Blocks, Ref: "c"}); err == nil {
			t.Error("two blocks on a full disk are no error")
		}
		for _, k := range j.Status().Kinds {
			if k.Kind == Blocks && (k.Lost != 3 || k.Lines != 0 || k.LastError == "") {
				t.Errorf("blocks: %+v", k)
			}
		}
		big := &Entry{Kind: Messages, Subject: strings.Repeat("x", 1<<20)}
		kept := 0
		for {
			if err := j.Write(big); err != nil {
				if !errors.Is(err, ErrLost) {
					t.Error(err)
				}
				break
			}
			kept++
		}
		if kept < 8 || kept > 9 {
			t.Errorf("%d MiB are kept", kept)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		s := j.Status()
		if k := s.Kinds[0]; k.Kind != Messages || k.Lost != 1 || k.LastError == "" || k.Waiting < 8<<20 || k.Lines != 0 {
			t.Errorf("status %+v", k)
		}
		if n := strings.Count(log.String(), "cannot be written"); n < 3 || n > 10 {
			t.Errorf("said %d times in a minute", n)
		}

		// With room again, what waited is written.
		path := filepath.Join(dir, fileName(Messages))
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := j.Reopen(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if k := j.Status().Kinds[0]; k.Lines != int64(kept) || k.LastError != "" || k.Waiting != 0 {
			t.Errorf("status %+v", k)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLossAtClose(t *testing.T) {
	dir := fullDisk(t)
	synctest.Test(t, func(t *testing.T) {
		j, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Write(&Entry{Kind: Messages, Ref: "a"}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err == nil {
			t.Error("no error")
		}
		if lost := j.Status().Kinds[0].Lost; lost != 1 {
			t.Errorf("%d lost", lost)
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"time\":\"2026-11-23T12:00:00.000Z\"}\n{}\nx"))
	f.Add([]byte("\n\n"))
	f.Add(bytes.Repeat([]byte("y"), 70<<10))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newLines(bytes.NewReader(b))
		var got []byte
		for {
			line, err := l.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(append(got, line...), '\n')
			timeOf(line)
		}
		want := b
		if len(b) > 0 && b[len(b)-1] != '\n' {
			want = append(bytes.Clone(b), '\n')
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%q became %q", want, got)
		}
	})
}

func TestLongLines(t *testing.T) {
	text := "first\n" + strings.Repeat("x", longest+1) + "\nlast"
	l := newLines(strings.NewReader(text))
	if line, err := l.next(); string(line) != "first" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if _, err := l.next(); !errors.Is(err, errLong) {
		t.Error(err)
	}
	if line, err := l.next(); string(line) != "last" || err != nil || !l.torn {
		t.Errorf("%q, %v", line, err)
	}
	if _, err := l.next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// slowDaemon is a syslog daemon under a test's control.
type slowDaemon struct {
	lines chan string
	err   error
}

func (d *slowDaemon) Notice(line string) error {
	if d.err != nil {
		return d.err
	}
	d.lines <- line
	return nil
}

func (d *slowDaemon) Close() error { return nil }

func TestSyslogNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &slowDaemon{lines: make(chan string)}
		s := newSyslogger(func() (lineWriter, error) { return d, nil })
		go s.run()
		for range syslogQueue + 100 {
			s.send(&Entry{Verdict: "reject", Ref: "a"})
		}
		synctest.Wait()
		if n := s.dropped.Load(); n < 99 || n > 100 {
			t.Errorf("%d dropped", n)
		}
		for range syslogQueue {
			<-d.lines
		}
		synctest.Wait()
		s.close()
		select {
		case <-d.lines: // the one that was between queue and daemon
		default:
		}
	})
}

func TestSyslogDaemonAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &slowDaemon{lines: make(chan string, 10), err: errors.New("gone")}
		dialled := 0
		away := true
		s := newSyslogger(func() (lineWriter, error) {
			dialled++
			if away {
				return nil, errors.New("no daemon")
			}
			return d, nil
		})
		go s.run()
		e := &Entry{Verdict: "reject", Ref: "a"}
		s.send(e)
		s.send(e)
		synctest.Wait()
		if dialled != 1 || s.dropped.Load() != 2 {
			t.Errorf("dialled %d times, %d dropped", dialled, s.dropped.Load())
		}
		away = false
		time.Sleep(syslogRetry)
		s.send(e) // the daemon goes
		synctest.Wait()
		d.err = nil
		time.Sleep(syslogRetry)
		s.send(e)
		s.close()
		if len(d.lines) != 1 || s.dropped.Load() != 3 {
			t.Errorf("%d lines, %d dropped", len(d.lines), s.dropped.Load())
		}
	})
}

func TestSyslogLine(t *testing.T) {
	e := &Entry{
		Verdict: "reject", Ref: "r1", QueueID: "Q", ClientIP: "192.0.2.7", ClientHost: "h.example", Helo: "a=b\nFeb 1 fake",
		Recipient: "x\"@example.org", Stage: "rcptto", Reason: strings.Repeat("ж", 1000), Reply: "550 5.1.1 No",
	}
	got := syslogLine(e)
	want := `reject ref=r1 queue_id=Q client=h.example[192.0.2.7] helo="a=b\nFeb 1 fake" from=<> to="<x\"@example.org>" stage=rcptto reason=` +
		strings.Repeat("ж", 128) + `... reply="550 5.1.1 No"`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestSyslogFacility(t *testing.T) {
	if _, err := NewSyslog("local8"); err == nil || !strings.Contains(err.Error(), "local8") {
		t.Error(err)
	}
	for _, name := range Facilities() {
		if s, err := NewSyslog(name); err != nil || s == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := NewSyslog(""); err != nil || s != nil {
		t.Errorf("none: %v, %v", s, err)
	}
}

// A move that is given up leaves the journals where they are and nothing where
// they were to go; one that cannot be made does, too.
func TestMoveGivenUp(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "new", "to")
	j, err := Open(from)
	if err != nil {
		t.Fatal(err)
	}
	m, err := j.PrepareMove(to)
	if err != nil {
		t.Fatal(err)
	}
	m.Discard()
	if err := os.MkdirAll(filepath.Join(dir, "taken", "trace.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := j.PrepareMove(filepath.Join(dir, "taken")); err == nil {
		t.Error("moved into a folder of folders")
	}
	if err := j.Write(&Entry{Kind: Blocks}); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "taken")); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(from, "blocks.jsonl")); err != nil || info.Size() == 0 || j.Status().Dir != from {
		t.Errorf("%v, %v", info, err)
	}
	j.Discard()
	if _, err := os.Stat(filepath.Join(from, "blocks.jsonl")); err != nil {
		t.Error("a file with lines in it was removed")
	}
	if _, err := os.Stat(filepath.Join(from, "trace.jsonl")); err == nil {
		t.Error("an empty file is left")
	}
}

// Whatever somebody does to the files of a running daemon: lines go to what is at
// their path, soon, and it is told; who rotates and says so hears nothing.
func TestTakenAway(t *testing.T) {
	entry := func(ref string) *Entry { return &Entry{Time: time.Unix(1, 0), Kind: Blocks, Ref: ref} }
	for name, tt := range map[string]struct {
		harm     func(path string) error
		looks    int // before the next line
		there    string
		reopened int64
		lost     int64
		saying   bool // why it cannot be opened
	}{
		"nothing":               {func(string) error { return nil }, 3, "one two", 0, 0, false},
		"truncated":             {func(path string) error { return os.Truncate(path, 0) }, 3, "two", 0, 0, false},
		"removed":               {os.Remove, 0, "two", 1, 0, false},
		"removed, looked after": {os.Remove, 3, "two", 1, 0, false},
		"renamed":               {func(path string) error { return os.Rename(path, path+".1") }, 2, "two", 1, 0, false},
		"renamed a moment ago":  {func(path string) error { return os.Rename(path, path+".1") }, 1, "", 0, 0, false},
		"another file":          {another, 2, "other two", 1, 0, false},
		"the folder removed":    {func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, 0, "two", 1, 0, false},
		"the folder renamed":    {func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") }, 2, "two", 1, 0, false},
		"a folder there": {func(path string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o755))
		}, 2, "", 0, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "journal")
			j, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			path := filepath.Join(dir, "blocks.jsonl")
			if err := errors.Join(j.Write(entry("one")), tt.harm(path)); err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(kinds[:], func(k kind) bool { return k.name == Blocks })
			for range tt.looks {
				j.writers[i].file.lookAfter(time.Now())
			}
			if err := j.Write(entry("two")); err != nil {
				t.Fatal(err)
			}
			text, _ := os.ReadFile(path) // a folder, or not there
			var refs []string
			for line := range strings.Lines(string(text)) {
				_, after, _ := strings.Cut(line, `"ref":"`)
				ref, _, _ := strings.Cut(after, `"`)
				refs = append(refs, ref)
			}
			status := j.Status().Kinds[i]
			if got := strings.Join(refs, " "); got != tt.there || status.Reopened != tt.reopened || status.Lost != tt.lost || (status.Elsewhere != "") != tt.saying || status.Lines != 2 {
				t.Errorf("%q is there, want %q; %+v", got, tt.there, status)
			}
			if tt.saying { // until it can be
				if err := errors.Join(os.Remove(path), j.Write(entry("three"))); err != nil {
					t.Fatal(err)
				}
				if s := j.Status().Kinds[i]; s.Elsewhere != "" || s.Reopened != 1 || s.Lost != 1 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
	// Rotated as logrotate does, it is nobody's trouble.
	dir := t.TempDir()
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i := range j.writers {
		path := filepath.Join(dir, fileName(j.writers[i].name))
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		j.writers[i].file.lookAfter(time.Now())
	}
	if err := j.Reopen(); err != nil {
		t.Fatal(err)
	}
	for i := range j.writers {
		j.writers[i].file.lookAfter(time.Now())
		j.writers[i].file.lookAfter(time.Now())
	}
	for _, k := range j.Status().Kinds {
		if k.Reopened != 0 || k.Elsewhere != "" {
			t.Errorf("%+v", k)
		}
	}
}

// another puts a file with a line of its own in the place of one.
func another(path string) error {
	return errors.Join(os.WriteFile(path+".new", []byte(`{"ref":"other"}`+"\n"), 0o644), os.Rename(path+".new", path))
}

// failing is a file of a journal whose disk takes nothing.
func failing(t *testing.T) *file {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	return &file{kind: Messages, f: f, path: "/dev/full"}
}

// Lines that cannot be written at the end are the heir's, and written by who inherits
// them; without one, or where it fails, they are lost and counted.
func TestHeir(t *testing.T) {
	var left []byte
	for name, tt := range map[string]struct {
		heir Heir
		lost int64
	}{
		"nobody": {nil, 2},
		"fails":  {func(string, []byte) error { return errors.New("for a test") }, 2},
		"takes":  {func(kind string, lines []byte) error { left = append(append(left, kind+"\n"...), lines...); return nil }, 0},
	} {
		g := newGathered(failing(t), slog.New(slog.DiscardHandler), time.Now)
		g.heir = tt.heir
		for range 2 {
			if err := g.add(&Entry{Kind: Messages}, func(b []byte, _ *Entry) []byte { return append(b, "line"...) }); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.close(); (err != nil) != (tt.lost > 0) {
			t.Errorf("%s: %v", name, err)
		}
		if s := g.file.state(); s.Lost != tt.lost {
			t.Errorf("%s: %d lost", name, s.Lost)
		}
	}
	if string(left) != "messages\nline\nline\n" {
		t.Errorf("%q is left", left)
	}
	dir := t.TempDir()
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Inherit(Messages, []byte("one\ntwo")), j.Inherit(Messages, nil), j.Inherit(Messages, []byte("three\n"))); err != nil {
		t.Error(err)
	}
	if err := j.Inherit(Blocks, []byte("x\n")); !errors.Is(err, ErrKind) {
		t.Errorf("blocks are written at once: %v", err)
	}
	if err := j.Inherit(Messages, make([]byte, 2*gatherLimit)); !errors.Is(err, ErrLost) {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "messages.jsonl")); err != nil || string(text) != "one\ntwo\nthree\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := j.Inherit(Messages, []byte("x\n")); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

// A journal whose lines are written at once is well again when its disk takes something,
// and not before.
func TestRetried(t *testing.T) {
	a := failing(t)
	a.kind = Blocks
	if _, err := a.write([]byte("line\n"), time.Now()); err == nil {
		t.Fatal("no error")
	}
	a.path = filepath.Join(t.TempDir(), "gone", "blocks.jsonl")
	if err := a.retried(); err == nil || a.state().LastError == "" {
		t.Errorf("%v, %+v", err, a.state())
	}
	dir := t.TempDir()
	a.path = filepath.Join(dir, "blocks.jsonl")
	if err := a.retried(); err != nil || a.state().LastError != "" || !a.state().ErrorSince.IsZero() {
		t.Errorf("%v, %+v", err, a.state())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
