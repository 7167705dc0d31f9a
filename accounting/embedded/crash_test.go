package embedded

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// copyFiles copies a database and its records as they stand in their files, as a
// machine that goes down leaves them.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(RecordsDir(from), "*"))
	if err := errors.Join(err, os.RemoveAll(RecordsDir(to)), os.MkdirAll(RecordsDir(to), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, from) {
		into := filepath.Join(RecordsDir(to), filepath.Base(name))
		if name == from {
			into = to
		}
		content, err := os.ReadFile(name)
		if err := errors.Join(err, os.WriteFile(into, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// tear loses octets at the end of the last file of records, at most those that
// were not in a transaction.
func tear(t *testing.T, path string, random *rand.Rand, durable int64) {
	names, err := filepath.Glob(filepath.Join(RecordsDir(path), "*.rec"))
	if err != nil || len(names) == 0 {
		return
	}
	last := names[len(names)-1]
	start, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(last), ".rec"), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(last)
	if err != nil {
		t.Fatal(err)
	}
	if keep := max(0, durable-start); keep < info.Size() {
		if err := os.Truncate(last, keep+random.Int64N(info.Size()-keep+1)); err != nil {
			t.Fatal(err)
		}
	}
}

// A machine that goes down at any moment loses what was put since the mark moved
// and the mark with it: put again from there on, all is as if nothing had been.
func TestCrashes(t *testing.T) {
	t.Parallel()
	book, mail := oldMail(t)
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 7))
		dir := t.TempDir()
		o := Options{Now: oldNow, Book: book, segment: 20_000}
		path := filepath.Join(dir, "account.db")
		s, calm := mustOpen(t, path, o), mustOpen(t, filepath.Join(dir, "calm.db"), o)
		var se accounting.Session
		connect := func() (at int) {
			var err error
			if se, err = s.Session(t.Context()); err != nil {
				t.Fatal(err)
			}
			if text := se.Marks()[0].Text; text != "" {
				if at, err = strconv.Atoi(text); err != nil {
					t.Fatal(err)
				}
			}
			return at
		}
		crashes := 0
		for at := connect(); at < len(mail); {
			next := min(at+1+random.IntN(30), len(mail))
			if err := se.Put(t.Context(), mail[at:next], strconv.Itoa(next)); err != nil {
				t.Fatal(err)
			}
			at = next
			switch n := random.IntN(40); {
			case n < 6:
				if err := se.Move(t.Context(), strconv.Itoa(at)); err != nil {
					t.Fatal(err)
				}
			case n < 8:
				if _, err := s.Counters(t.Context(), "2026-11"); err != nil {
					t.Fatal(err)
				}
			case n < 9:
				s.mu.Lock()
				if err := s.giveUp(); err != nil {
					t.Fatal(err)
				}
				s.mu.Unlock()
				at = connect()
			case n < 11:
				crashes++
				s.mu.Lock()
				if err := s.file.Flush(); err != nil {
					t.Fatal(err)
				}
				durable := s.end
				s.mu.Unlock()
				after := filepath.Join(dir, fmt.Sprint(crashes), "account.db")
				copyFiles(t, path, after)
				tear(t, after, random, durable)
				s.Close()
				path = after
				s = mustOpen(t, path, o)
				at = connect()
			}
		}
		for at := 0; at < len(mail); at += 100 {
			if err := calm.Put(t.Context(), mail[at:min(at+100, len(mail))]); err != nil {
				t.Fatal(err)
			}
		}
		one, err := calm.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(one.Move(t.Context(), strconv.Itoa(len(mail))), se.Check(t.Context())); err != nil {
			t.Fatal(err)
		}
		if got, want := holds(t, s), holds(t, calm); got != want {
			t.Fatalf("seed %d, %d crashes: it holds\n%s\nwant\n%s", seed, crashes, got, want)
		}
	}
}

// A folder that cannot be written fails the batch and what was not durable, and
// the spool brings both again.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "account.db")
	s := mustOpen(t, path, Options{Now: fixedNow, segment: 2000})
	put := func(se accounting.Session, n int, mark string) error {
		return se.Put(t.Context(), []accounting.Record{storetest.Usage(n, "sales", "a@example.org", storetest.Now, 10, 10)}, mark)
	}
	connect := func() accounting.Session {
		se, err := s.Session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return se
	}
	se := connect()
	if err := errors.Join(put(se, 1, "1"), se.Check(t.Context()), put(se, 2, "2"), os.Rename(RecordsDir(path), path+".away")); err != nil {
		t.Fatal(err)
	}
	n := 3
	var err error
	for ; err == nil && n < 20; n++ {
		err = put(se, n, fmt.Sprint(n))
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.Rename(path+".away", RecordsDir(path)); err != nil {
		t.Fatal(err)
	}
	if err := put(se, n, "x"); !errors.Is(err, accounting.ErrNotKept) {
		t.Error("the session goes on as if nothing had been lost:", err)
	}
	se = connect()
	if mark := se.Marks()[0].Text; mark != "1" {
		t.Fatalf("mark %q", mark)
	}
	for i := 1; i < 20; i++ {
		if err := put(se, i, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := s.CounterOf(t.Context(), "sales", "2026-11")
	if err != nil || c.Deliveries != 19 {
		t.Fatal(c, err)
	}
	if n := len(recordsOf(t, s, "sales")); n != 19 {
		t.Errorf("%d records", n)
	}
}

// A mark that could not be made durable is none that was left in the store: whoever
// compares would find that the store has lost what it never had.
func TestMarkNotLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "account.db")
	s := mustOpen(t, path, Options{Now: fixedNow, segment: 2000})
	se, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if err := se.Put(t.Context(), []accounting.Record{storetest.Usage(n, "sales", "a@example.org", storetest.Now, 10, 10)}, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(RecordsDir(path), path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := se.Move(t.Context(), "x"); !errors.Is(err, accounting.ErrNotKept) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if mark := se.Marks()[0].Text; mark != "19" {
		t.Errorf("mark %q", mark)
	}
	if err := os.Rename(path+".away", RecordsDir(path)); err != nil {
		t.Fatal(err)
	}
}

func recordsOf(t *testing.T, s *Store, client string) (ids []string) {
	t.Helper()
	if err := s.RecordsOf(t.Context(), client, "2026-11", func(r accounting.Record) error {
		ids = append(ids, r.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// A client with more records than are in memory at once, on several days that
// were not applied in order.
func TestLongPeriod(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, filepath.Join(t.TempDir(), "account.db"), Options{Now: fixedNow, segment: 1 << 20})
	var want []string
	const n = 2*pieceSize + 100
	for at := 0; at < n; at += 500 {
		var batch []accounting.Record
		for i := at; i < min(at+500, n); i++ {
			r := storetest.Usage(i, "sales", "a@example.org", storetest.Now.AddDate(0, 0, -i%5), 1, 1)
			want = append(want, r.ID)
			batch = append(batch, r, storetest.Usage(i, "dev", "b@example.org", storetest.Now, 1, 1))
		}
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if got := recordsOf(t, s, "sales"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d records in another order, or others; want %d", len(got), len(want))
	}
	// Of one day that day alone is read.
	var day []string
	from := storetest.Now.AddDate(0, 0, -3).Truncate(24 * time.Hour)
	if err := s.Records(t.Context(), "sales", from, from.AddDate(0, 0, 1), func(r accounting.Record) error {
		day = append(day, r.ID)
		return nil
	}); err != nil || len(day) != (n+1)/5 {
		t.Errorf("%d records of a day, %v", len(day), err)
	}
}

// Damage in a file of records is said, with how much it costs, and what can be
// read is; a void of what cannot be read is parked, and mail goes on.
func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "account.db")
	s := mustOpen(t, path, Options{Now: fixedNow, segment: 4000})
	var mail []accounting.Record
	for i := range 40 {
		mail = append(mail, storetest.Usage(i, fmt.Sprintf("client-%d", i%2), "a@example.org", storetest.Now, 10, 10))
	}
	if err := errors.Join(s.Put(t.Context(), mail), s.Close()); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(RecordsDir(path), "*.rec"))
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	content, err := os.ReadFile(names[2])
	if err != nil {
		t.Fatal(err)
	}
	hurt := strings.Index(string(content), `"queue_id":"4C00`)
	content[hurt+3] ^= 1
	broken := strings.Split(string(content[hurt:]), `"`)[3]
	if err := os.WriteFile(names[2], content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path, Options{Now: fixedNow, segment: 4000})
	got, bad := 0, ""
	for _, client := range []string{"client-0", "client-1"} {
		err := s.RecordsOf(t.Context(), client, "2026-11", func(accounting.Record) error {
			got++
			return nil
		})
		if err == nil {
			continue
		}
		if bad += client; !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "1 of 20 records of "+client) || !strings.Contains(err.Error(), filepath.Base(names[2])) {
			t.Error(err)
		}
	}
	if got != 39 || len(bad) != len("client-0") {
		t.Errorf("%d records were read; damaged: %q", got, bad)
	}
	// A question about all clients has all but that one record, whoever comes first.
	got = 0
	if err := s.Records(t.Context(), "", storetest.Now.Add(-time.Hour), storetest.Now.Add(time.Hour), func(accounting.Record) error {
		got++
		return nil
	}); !errors.Is(err, accounting.ErrUnread) || !errors.Is(err, ErrDamaged) || got != 39 {
		t.Errorf("%d records of all clients, %v", got, err)
	}
	rows, err := report.Run(t.Context(), s, report.Query{By: []report.Column{report.Domain}, From: storetest.Now, To: storetest.Now, ByRecords: true})
	if !errors.Is(err, accounting.ErrUnread) || len(rows) != 1 || rows[0].Deliveries != 39 {
		t.Errorf("%+v, %v", rows, err)
	}
	found, err := report.Verify(t.Context(), s, "", storetest.Now.Add(-time.Hour), storetest.Now.Add(time.Hour))
	if err != nil || len(found.Problems) != 1 || !strings.Contains(found.Problems[0], "1 of 20 records") {
		t.Errorf("%+v, %v", found, err)
	}
	for _, r := range mail {
		if err := s.Put(t.Context(), []accounting.Record{accounting.VoidOf(r, storetest.Now)}); err != nil {
			t.Fatal(err)
		}
	}
	var parked []string
	if err := s.Parked(t.Context(), func(r accounting.Record, why string) error {
		parked = append(parked, r.QueueID+why)
		return nil
	}); err != nil || len(parked) != 1 || !strings.HasPrefix(parked[0], broken) || !strings.Contains(parked[0], errLost.Error()) {
		t.Error(parked, err)
	}
}

// Files of which all records went into archives are removed; others stay, and so
// do the links of a backup.
func TestDroppedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "account.db")
	now := storetest.Now.AddDate(0, -1, 0)
	s := mustOpen(t, path, Options{Now: func() time.Time { return now }, segment: 8000})
	files := func(dir string) int {
		names, err := filepath.Glob(filepath.Join(dir, "*.rec"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	for month := range 2 {
		for i := range 60 {
			r := storetest.Usage(100*month+i, fmt.Sprintf("client-%d", i%2), "a@example.org", now.AddDate(0, 0, -i%7), 10, 10)
			if err := s.Put(t.Context(), []accounting.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
		now = storetest.Now
	}
	before := files(RecordsDir(path))
	if err := s.DropRecords(t.Context(), "client-0", "2026-10"); err == nil {
		t.Fatal("records of an open period are dropped")
	}
	if err := errors.Join(s.Link(dir+"/none"), s.ClosePeriod(t.Context(), "client-0", "2026-10"), s.DropRecords(t.Context(), "client-0", "2026-10")); err == nil {
		t.Fatal("links were made in a folder that is not there")
	}
	if n := files(RecordsDir(path)); n != before {
		t.Fatalf("%d files of %d, and records of another client are in all", n, before)
	}
	links := t.TempDir()
	if err := errors.Join(s.Link(links), s.ClosePeriod(t.Context(), "client-1", "2026-10"), s.DropRecords(t.Context(), "client-1", "2026-10")); err != nil {
		t.Fatal(err)
	}
	after := files(RecordsDir(path))
	if after > before/2+1 || after < before/2-1 || files(filepath.Join(links, "account.records")) != before {
		t.Errorf("%d files stay of %d; %d links", after, before, files(filepath.Join(links, "account.records")))
	}
	for range 2 {
		if n := len(recordsOf(t, s, "client-0")); n != 30 {
			t.Errorf("%d records of the next month", n)
		}
		list, err := s.Periods(t.Context(), "client-0")
		if err != nil || fmt.Sprint(list) != "[2026-10 2026-11]" {
			t.Error(list, err)
		}
		void := accounting.VoidOf(storetest.Usage(0, "client-0", "a@example.org", storetest.Now.AddDate(0, -1, 0), 10, 10), now)
		if err := s.Put(t.Context(), []accounting.Record{void}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.ParkedCount(t.Context()); err != nil || n != 1 {
			t.Error("a void of a record in an archive:", n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, path, Options{Now: func() time.Time { return now }, segment: 8000})
	}
}
