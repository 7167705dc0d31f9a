package closing_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// months is storetest.Months in the embedded store.
func months(t *testing.T) (*embedded.Store, *price.Book, *time.Time) {
	t.Helper()
	return storetest.Months(t, func(book *price.Book, now func() time.Time) *embedded.Store {
		s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	})
}

// Closed periods, their archives, and what comes late; a verifier that was written
// from the docs alone agrees.
func TestClose(t *testing.T) {
	s, book, now := months(t)
	if err := s.Heartbeat(t.Context(), "mx1", 1); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var seals []byte
	for _, period := range []string{"2026-10", "2026-11"} {
		q := query(period, *now)
		q.Force, q.Archive = period == "2026-10", dir
		if err := s.Heartbeat(t.Context(), "mx1", int64(len(period)-7)); err != nil {
			t.Fatal(err)
		}
		seal, err := closing.Close(t.Context(), s, q)
		if err != nil {
			t.Fatal(err)
		}
		again, err := closing.Close(t.Context(), s, query(period, *now))
		if err != nil || again != seal {
			t.Errorf("closed again: %+v, %v; want %+v", again, err, seal)
		}
		line, err := json.Marshal(seal)
		if err != nil {
			t.Fatal(err)
		}
		seals = append(append(seals, line...), '\n')
	}
	before, err := s.CounterOf(t.Context(), "c1", "2026-10")
	if err != nil {
		t.Fatal(err)
	}
	// What comes late counts in the open period.
	late := storetest.Usage(900, "c1", "a@example.org", time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC), 500, 500)
	late.Tariff, late.TariffVersion = book.All()[0].Name, book.All()[0].Version()
	if err := s.Put(t.Context(), []accounting.Record{late}); err != nil {
		t.Fatal(err)
	}
	after, err := s.CounterOf(t.Context(), "c1", "2026-10")
	if err != nil || after.Charged != before.Charged || !after.Closed {
		t.Errorf("%+v, %v; was %+v", after, err, before)
	}
	st, err := report.StatementOf(t.Context(), s, book, "c1", "2026-12", storetest.Now.AddDate(0, 6, 0))
	if err != nil || len(st.Usage) != 1 || !st.Usage[0].Late || st.Usage[0].Charged != 500 || st.Sum() != nil {
		t.Errorf("%+v, %v", st, err)
	}
	verifyByPython(t, dir, seals, book, s)
}

// verifyByPython has the archives verified by a program that shares nothing
// with the product.
func verifyByPython(t *testing.T, dir string, seals []byte, book *price.Book, s *embedded.Store) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for name, content := range map[string][]byte{"closes.jsonl": seals, "tariffs": book.Encode()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func() (string, error) {
		out, err := exec.Command("python3", "../../contrib/audit/verify.py", filepath.Join(dir, "closes.jsonl"), filepath.Join(dir, "tariffs"),
			filepath.Join(dir, "2026-10.jsonl"), filepath.Join(dir, "2026-11.jsonl")).CombinedOutput()
		return string(out), err
	}
	out, err := run()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, period := range []string{"2026-10", "2026-11"} {
		for _, client := range []string{"c0", "c1", "c2"} {
			c, err := s.CounterOf(t.Context(), client, period)
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintln(client, period, c.Deliveries, c.Included, c.Cost, c.Frac, c.Paid, c.Adjusted, c.Fee)
			if !strings.Contains(out, want) {
				t.Errorf("%s is not in\n%s", want, out)
			}
		}
	}
	// An octet of an archive is changed.
	path := filepath.Join(dir, "2026-11.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(`"charged":1`), []byte(`"charged":2`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err == nil || !strings.Contains(out, "hash") {
		t.Errorf("a changed archive passes: %v\n%s", err, out)
	}
}
