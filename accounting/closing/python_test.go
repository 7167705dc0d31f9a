package closing_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// months is an account of two months: three clients, voids, entries, and two
// versions of a tariff.
func months(t *testing.T) (*embedded.Store, *price.Book, *time.Time) {
	t.Helper()
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	terms := price.Terms{PerMiB: 1_500_001, PerDelivery: 20_000, Increment: 1000, Included: 1 << 20, IncludedDeliveries: 3, Timezone: "Europe/Moscow",
		Bands: []price.Band{{When: "Sa-Su 00:00-24:00", Percent: 50}, {When: "Mo-Tu,Th 22:00-06:00", Percent: 33}}}
	old := storetest.Tariff(t, terms)
	terms.PerMiB++
	book := price.NewBook(old, storetest.Tariff(t, terms))
	s, err := embedded.Open(filepath.Join(t.TempDir(), "account.db"), embedded.Options{Book: book, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	random := rand.New(rand.NewPCG(7, 7))
	for i := range 600 {
		now = now.Add(time.Duration(random.IntN(280)) * time.Minute)
		size := random.Int64N(1 << 20)
		r := storetest.Usage(i, fmt.Sprintf("c%d", i%3), "a@example.org", now, size, size)
		if i%3 > 0 {
			v := book.All()[i/300]
			r.Tariff, r.TariffVersion = v.Name, v.Version()
		}
		batch := []accounting.Record{r}
		if i%7 == 0 {
			batch = append(batch, accounting.VoidOf(r, now))
		}
		if err := s.Put(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			kind := []string{accounting.Payment, accounting.Adjust, accounting.Fee}[i/50%3]
			if _, err := s.Enter(t.Context(), accounting.Record{ID: "e" + strconv.Itoa(i), Kind: kind, Time: now, Gateway: "mx1", Client: "c1", Amount: strconv.Itoa(1000 * (i + 1)), Currency: "RUB", By: "root"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	now = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)
	return s, book, &now
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
	st, err := report.StatementOf(t.Context(), s, book, "c1", "2026-12")
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
