package closing_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func query(period string, now time.Time) closing.Query {
	return closing.Query{Period: period, Now: now, By: "root", Temp: os.TempDir()}
}

func TestRefused(t *testing.T) {
	s, _, now := months(t)
	if _, err := closing.Close(t.Context(), s, query("2026-10", *now)); !errors.Is(err, closing.ErrDoubt) {
		t.Errorf("no gateway was heard of: %v", err)
	}
	if err := s.Heartbeat(t.Context(), "mx1", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := closing.Close(t.Context(), s, query("2026-10", *now)); !errors.Is(err, closing.ErrDoubt) || !strings.Contains(err.Error(), "1 records that wait") {
		t.Errorf("a gateway has a backlog: %v", err)
	}
	if err := s.Heartbeat(t.Context(), "mx1", 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), []accounting.Record{{ID: "mx1/odd", Time: time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC), Gateway: "mx1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := closing.Close(t.Context(), s, query("2026-10", *now)); !errors.Is(err, closing.ErrDoubt) || !strings.Contains(err.Error(), "parked") {
		t.Errorf("a record of it is parked: %v", err)
	}
	for _, period := range []string{"2026-12", "2026-12-01", "october", "", "2026-10/../x"} {
		if _, err := closing.Close(t.Context(), s, query(period, *now)); !errors.Is(err, closing.ErrPeriod) {
			t.Errorf("%q: %v", period, err)
		}
	}
	q := query("2026-10", *now)
	q.Force = true
	if seal, err := closing.Close(t.Context(), s, q); err != nil || !strings.Contains(seal.Forced, "parked") {
		t.Errorf("%+v, %v: what it was closed in spite of is kept", seal, err)
	}
}

// Cut off after any of its steps and done again, a close ends as one that was
// never cut off; also with an archive.
func TestCutOff(t *testing.T) {
	t.Parallel()
	var want []accounting.Close
	for step := 0; ; step++ {
		s, now := few(t)
		dir := t.TempDir()
		l := &cut{Store: s, left: step}
		q := query("2026-10", now)
		q.Archive = dir
		_, err := closing.Close(t.Context(), l, q)
		whole := err == nil
		if !whole && !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		if _, err := closing.Close(t.Context(), s, q); err != nil {
			t.Fatalf("cut off at step %d, then: %v", step, err)
		}
		if _, err := closing.Close(t.Context(), s, query("2026-11", now)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Closes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].Archive = strings.TrimPrefix(got[i].Archive, dir)
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("cut off at step %d: %+v, want %+v", step, got, want)
		}
		if err := s.RecordsOf(t.Context(), "c1", "2026-10", func(accounting.Record) error { return errors.New("a record") }); err != nil {
			t.Fatalf("cut off at step %d: what was archived is in the store: %v", step, err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
			t.Fatalf("cut off at step %d: %q", step, left)
		}
		if whole {
			if step < 15 {
				t.Errorf("only %d steps were cut off", step)
			}
			return
		}
	}
}

// few is a small account of two months.
func few(t *testing.T) (*embedded.Store, time.Time) {
	t.Helper()
	now := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{SeenDays: 100, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var batch []accounting.Record
	for i := range 60 {
		at := time.Date(2026, 10, 2+i%50, 0, 0, 0, 0, time.UTC)
		batch = append(batch, storetest.Usage(i, fmt.Sprintf("c%d", i%3), "a@example.org", at, 10, 10))
	}
	if err := errors.Join(s.Put(t.Context(), batch), s.Heartbeat(t.Context(), "mx1", 0)); err != nil {
		t.Fatal(err)
	}
	return s, now
}

var errCut = errors.New("cut off")

// cut is a store that is away after some steps.
type cut struct {
	*embedded.Store
	left int
}

func (c *cut) step() error {
	if c.left--; c.left < 0 {
		return errCut
	}
	return nil
}

func (c *cut) Closes(ctx context.Context) ([]accounting.Close, error) {
	if err := c.step(); err != nil {
		return nil, err
	}
	return c.Store.Closes(ctx)
}

func (c *cut) ClosePeriod(ctx context.Context, client, period string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.Store.ClosePeriod(ctx, client, period)
}

func (c *cut) RecordsOf(ctx context.Context, client, period string, fn func(accounting.Record) error) error {
	return c.Store.RecordsOf(ctx, client, period, func(r accounting.Record) error {
		if strings.HasSuffix(r.QueueID, "7") && c.left < 12 {
			if err := c.step(); err != nil {
				return err
			}
		}
		return fn(r)
	})
}

func (c *cut) SetClose(ctx context.Context, seal accounting.Close) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.Store.SetClose(ctx, seal)
}

func (c *cut) DropRecords(ctx context.Context, client, period string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.Store.DropRecords(ctx, client, period)
}

// A store that was set back behind a close does not forget it: nothing else is
// closed before, and it is closed again with what it had, or not at all.
func TestSetBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "account.db")
	now := time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	opened := func() *embedded.Store {
		t.Helper()
		s, err := embedded.Open(path, embedded.Options{SeenDays: 100, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Heartbeat(t.Context(), "mx1", 0); err != nil {
			t.Fatal(err)
		}
		return s
	}
	at := func(month time.Month) time.Time { return time.Date(2026, month, 15, 0, 0, 0, 0, time.UTC) }
	first, last := storetest.Usage(1, "sales", "a@example.org", at(10), 10, 10), storetest.Usage(2, "sales", "a@example.org", at(10), 200, 200)
	s := opened()
	if err := s.Put(t.Context(), []accounting.Record{first, storetest.Usage(3, "sales", "a@example.org", at(11), 7, 7)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s = opened()
	if err := s.Put(t.Context(), []accounting.Record{last}); err != nil {
		t.Fatal(err)
	}
	seal, err := closing.Close(t.Context(), s, query("2026-10", now))
	if err != nil {
		t.Fatal(err)
	}
	keeper := closing.NewKeeper(dir)
	keep := func(want int) []accounting.Close {
		t.Helper()
		list, err := s.Closes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lost, err := keeper.Keep(list)
		if err != nil || len(lost) != want {
			t.Fatalf("lost %+v, %v", lost, err)
		}
		kept, err := keeper.Seals()
		if err != nil || len(kept) != 1 || kept[0] != seal {
			t.Fatalf("kept %+v, %v", kept, err)
		}
		return kept
	}
	keep(0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The file is set back.
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s = opened()
	defer s.Close()
	if list, err := s.Closes(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("the store has not forgotten: %+v, %v", list, err)
	}
	q := query("2026-11", now)
	q.Kept = keep(1)
	if _, err := closing.Close(t.Context(), s, q); !errors.Is(err, closing.ErrSetBack) {
		t.Errorf("another period is closed in its place: %v", err)
	}
	q.Period = "2026-10"
	if _, err := closing.Close(t.Context(), s, q); !errors.Is(err, closing.ErrChanged) {
		t.Errorf("closed again with less than it had: %v", err)
	}
	// The spool brings what was lost: it still finds the period open.
	if err := s.Put(t.Context(), []accounting.Record{last}); err != nil {
		t.Fatal(err)
	}
	if again, err := closing.Close(t.Context(), s, q); err != nil || again != seal {
		t.Errorf("%+v, %v; want %+v", again, err, seal)
	}
	keep(0)
	if c, err := s.CounterOf(t.Context(), "sales", "2026-10"); err != nil || !c.Closed || c.Charged != 210 {
		t.Errorf("%+v, %v", c, err)
	}
	// A store that has another seal in its place is said.
	other := seal
	other.Hash = strings.Repeat("0", 64)
	if _, err := keeper.Keep([]accounting.Close{other}); !errors.Is(err, closing.ErrChanged) {
		t.Error(err)
	}
}

// An archive is read as if its records were in the store.
func TestArchived(t *testing.T) {
	t.Parallel()
	s, book, now := months(t)
	if err := s.Heartbeat(t.Context(), "mx1", 0); err != nil {
		t.Fatal(err)
	}
	type view struct {
		rows       []report.Row
		statement  *report.Statement
		verified   *report.Verification
		everything int
	}
	look := func() (v view) {
		t.Helper()
		b, err := archive.Over(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		from, to := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		if v.rows, err = report.Run(t.Context(), b, report.Query{By: []report.Column{report.Day, report.Client}, From: from, To: to}); err != nil {
			t.Fatal(err)
		}
		if v.statement, err = report.StatementOf(t.Context(), b, book, "c1", "2026-10", storetest.Now.AddDate(0, 6, 0)); err != nil {
			t.Fatal(err)
		}
		v.statement.Closed = false
		if v.verified, err = report.Verify(t.Context(), b, "", from, to); err != nil {
			t.Fatal(err)
		}
		if err := b.Records(t.Context(), "", from, to, func(accounting.Record) error { v.everything++; return nil }); err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := look()
	q := query("2026-10", *now)
	q.Archive = t.TempDir()
	seal, err := closing.Close(t.Context(), s, q)
	if err != nil {
		t.Fatal(err)
	}
	after := look()
	if d := cmp.Diff(before, after, cmp.AllowUnexported(view{}, report.UsageLine{}, price.Amount{})); d != "" {
		t.Errorf("(-before +after):\n%s", d)
	}
	if err := closing.Check(t.Context(), s, seal, ""); err != nil {
		t.Error(err)
	}
	// Whatever is done to the file is noticed.
	text, err := os.ReadFile(seal.Archive)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for name, other := range map[string]string{
		"an octet":       strings.Replace(string(text), `"charged":`, `"charged":1`, 1),
		"a line less":    strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""),
		"a line twice":   strings.Join(append(append([]string{}, lines[:3]...), lines[2:]...), ""),
		"cut":            string(text[:len(text)-20]),
		"without end":    string(text[:len(text)-1]),
		"empty":          "",
		"another period": strings.Replace(string(text), `"period":"2026-10"`, `"period":"2026-09"`, 1),
	} {
		if err := os.WriteFile(seal.Archive, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := closing.Check(t.Context(), s, seal, ""); err == nil {
			t.Errorf("%s: passes", name)
		}
		b, err := archive.Over(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.RecordsOf(t.Context(), "c1", "2026-10", func(accounting.Record) error { return nil }); err == nil {
			t.Errorf("%s: its records are read", name)
		}
	}
	if err := os.Remove(seal.Archive); err != nil {
		t.Fatal(err)
	}
	b, err := archive.Over(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.StatementOf(t.Context(), b, book, "c1", "2026-10", storetest.Now.AddDate(0, 6, 0)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an archive that is away: %v", err)
	}
}

// Where fees were not looked after since a period was over, the refusal says since
// when they are to be.
func TestDoubtOfFees(t *testing.T) {
	s, _, now := months(t)
	if err := s.Heartbeat(t.Context(), "mx1", 0); err != nil {
		t.Fatal(err)
	}
	over := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, through := range []time.Time{over.Add(-time.Minute), over} {
		refused := through.Before(over)
		if err := s.SetFeesThrough(t.Context(), through); err != nil {
			t.Fatal(err)
		}
		_, err := closing.Close(t.Context(), s, query("2026-10", *now))
		if errors.Is(err, closing.ErrDoubt) != refused || refused && !strings.Contains(err.Error(), "2026-11-01T12:00:00Z") {
			t.Errorf("%s: %v", through, err)
		}
	}
}
