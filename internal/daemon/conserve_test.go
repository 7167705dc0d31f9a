package daemon

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// retained is a spool that has these records.
type retained []accounting.Record

func (r retained) Find(_ context.Context, _ time.Time, fn func([]accounting.Record) error) error {
	return fn(r)
}
func (r retained) Flush(context.Context) error { return nil }
func (r retained) Counts() (int64, int64)      { return int64(len(r)), 0 }
func (r retained) Name() string                { return "SPOOL" }

// Records that the spool still retains are not missing for having been moved to an
// archive: a month is closed on the day after its last.
func TestAuditReadsArchives(t *testing.T) {
	now := time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC)
	dir := t.TempDir()
	s, err := embedded.Open(filepath.Join(dir, "account.db"), embedded.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	records := retained{
		storetest.Usage(1, "a", "a@example.org", now, 100, 100),
		storetest.Usage(2, "b", "b@example.org", now.Add(time.Hour), 100, 100),
	}
	now = now.Add(2 * time.Hour)
	if err := s.Put(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	if _, err := closing.Close(t.Context(), s, closing.Query{Period: "2026-10", Now: now, By: "root", Force: true, Archive: dir, Temp: dir}); err != nil {
		t.Fatal(err)
	}
	still := 0
	if err := s.Records(t.Context(), "a", now.AddDate(0, -1, 0), now, func(accounting.Record) error { still++; return nil }); err != nil || still != 0 {
		t.Fatalf("%d records of the archive are in the store: %v", still, err)
	}
	a, err := auditor(t.Context(), records, s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Run(t.Context())
	if err != nil || !r.Proven() || r.Records != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	gone := append(retained{storetest.Usage(3, "a", "a@example.org", records[0].Time, 100, 100)}, records...)
	if a, err = auditor(t.Context(), gone, s); err != nil {
		t.Fatal(err)
	}
	if r, err = a.Run(t.Context()); err != nil || r.Missing != 1 || r.FirstMissing[0].ID != gone[0].ID {
		t.Errorf("%+v, %v", r, err)
	}
}
