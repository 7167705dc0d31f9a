package spool

import (
	"bytes"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

var backlog = flag.Int("backlog", 100_000, "records of BenchmarkBacklog")

// counting counts which segments are opened.
type counting struct {
	osFiles
	opened map[string]int
}

func (c *counting) Open(path string) (File, error) {
	c.opened[filepath.Base(path)]++
	return c.osFiles.Open(path)
}

// A start reads no more than the segment in which the drain stands and the last
// one, however many wait, and knows how many that are. Without the counts, or where
// they are damaged or of others, all is read.
func TestCounts(t *testing.T) {
	o := Options{SegmentSize: 4000}
	const messages, each = 200, 3
	fill := func(t *testing.T) (string, []segment) {
		dir := t.TempDir()
		s := mustOpen(t, dir, o, osFiles{})
		for i := range messages {
			mustAppend(t, s, message(i, each))
		}
		list := s.segments
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if len(list) < 20 {
			t.Fatal(len(list), "segments")
		}
		return dir, list
	}
	for _, c := range []struct {
		name    string
		spoil   func(t *testing.T, dir string, list []segment)
		trusted bool
	}{
		{"as it was", func(*testing.T, string, []segment) {}, true},
		{"without", func(t *testing.T, dir string, _ []segment) {
			if err := os.Remove(filepath.Join(dir, countsName)); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"damaged", func(t *testing.T, dir string, _ []segment) {
			b := read(t, filepath.Join(dir, countsName))
			b[len(b)/2] ^= 1
			write(t, filepath.Join(dir, countsName), b)
		}, false},
		{"cut", func(t *testing.T, dir string, _ []segment) {
			b := read(t, filepath.Join(dir, countsName))
			write(t, filepath.Join(dir, countsName), b[:len(b)/2])
		}, false},
		{"of another spool", func(t *testing.T, dir string, _ []segment) {
			text := bytes.Replace(read(t, filepath.Join(dir, countsName)), []byte("\n"), []byte("X\n"), 1)
			body, _, _ := bytes.Cut(text, []byte("\ncrc32c="))
			write(t, filepath.Join(dir, countsName), []byte(string(body)+"\ncrc32c="+checksum(string(body))+"\n"))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, list := fill(t)
			c.spoil(t, dir, list)
			fs := &counting{opened: map[string]int{}}
			s := mustOpen(t, dir, o, fs)
			if spooled, waiting := s.Counts(); spooled != messages*each || waiting != messages*each {
				t.Errorf("%d spooled, %d waiting", spooled, waiting)
			}
			if n := len(fs.opened); c.trusted != (n <= 2) {
				t.Errorf("%d of %d segments were opened", n, len(list))
			}
			drained(t, s, messages*each)
		})
	}
}

// A segment that waited and was removed while nobody ran is told, and its records stand
// among those that were spooled, once: the store is seen to miss them.
func TestWaitingSegmentRemoved(t *testing.T) {
	dir, o := t.TempDir(), Options{SegmentSize: 4000}
	s := mustOpen(t, dir, o, osFiles{})
	for i := range 60 {
		mustAppend(t, s, message(i, 3))
	}
	gone := s.segments[4]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, segmentName(gone.seq))); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	for range 2 {
		s = mustOpen(t, dir, o, osFiles{})
		if spooled, waiting := s.Counts(); gone.records == 0 || spooled != 180 || waiting != 180-gone.records {
			t.Errorf("%d spooled, %d waiting, %d are gone", spooled, waiting, gone.records)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), segmentName(gone.seq)); n != 1 {
		t.Errorf("told %d times: %s", n, &log)
	}
	// Of one that was drained nothing is missing.
	s = mustOpen(t, dir, o, osFiles{})
	drained(t, s, 180-int(gone.records))
	if err := errors.Join(s.Close(), os.Remove(filepath.Join(dir, segmentName(gone.seq+2)))); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, o, osFiles{})
	if spooled, waiting := s.Counts(); spooled != 180 || waiting != 0 {
		t.Errorf("%d spooled, %d waiting", spooled, waiting)
	}
}

// Damage in a segment that is not read at the start is set aside when it is
// drained; a segment of another size than is kept is counted anew.
func TestCountsOfDamage(t *testing.T) {
	o := Options{SegmentSize: 4000}
	var messages [][]accounting.Record
	for i := range 60 {
		messages = append(messages, message(i, 2))
	}
	dir, _ := written(t, o, messages)
	path := filepath.Join(dir, segmentName(2))
	b := read(t, path)
	b[len(b)/2] ^= 1
	write(t, path, b)
	s := mustOpen(t, dir, o, osFiles{})
	if n := s.Status().SetAside; n != 0 {
		t.Errorf("%d pieces were set aside at the start", n)
	}
	drained(t, s, 2*60-2)
	s = mustOpen(t, dir, o, osFiles{})
	if n := s.Status().SetAside; n != 1 {
		t.Errorf("%d pieces are set aside", n)
	}
	if spooled, waiting := s.Counts(); spooled != 120 || waiting != 0 {
		t.Errorf("%d spooled, %d wait", spooled, waiting)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	dir, _ = written(t, o, messages)
	path = filepath.Join(dir, segmentName(2))
	write(t, path, append(read(t, path), read(t, filepath.Join(dir, segmentName(3)))...))
	s = mustOpen(t, dir, o, osFiles{})
	grown := func(g segment) bool { return g.seq == 2 }
	g := s.segments[slices.IndexFunc(s.segments, grown)]
	if _, waiting := s.Counts(); waiting != 120+s.segments[2].records || g.records != s.segments[0].records+s.segments[2].records {
		t.Errorf("%d wait, %+v", waiting, s.segments)
	}
	drained(t, s, 120)
}

// drained drains into an account until nothing waits.
func drained(t *testing.T, s *Spool, want int) {
	t.Helper()
	a := newAccount()
	done := make(chan error, 1)
	go func() { done <- s.Drain(t.Context(), a) }()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(a.ids()); got != want {
		t.Errorf("%d records were drained, want %d", got, want)
	}
	if spooled, waiting := s.Counts(); waiting != 0 {
		t.Errorf("%d of %d wait", waiting, spooled)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// BenchmarkBacklog: from the start of a spool in which so many records wait until
// the first message's are durable.
func BenchmarkBacklog(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	const each = 1000
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < *backlog/each; i += 8 {
				if err := s.Append(b.Context(), message(i, each)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	size := s.Status().Bytes
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	waiting := int64(*backlog / each * each)
	for _, name := range []string{"counted", "read"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if name == "read" {
					if err := os.Remove(filepath.Join(dir, countsName)); err != nil {
						b.Fatal(err)
					}
				}
				begin := time.Now()
				s, err := Open(dir, Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Append(b.Context(), message(1_000_000+int(waiting), 1)); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(begin).Milliseconds()), "first-ms")
				waiting++
				if _, is := s.Counts(); is != waiting {
					b.Fatalf("%d wait, want %d", is, waiting)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)/1e6, "MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}
