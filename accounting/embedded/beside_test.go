package embedded

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var writeOld = flag.String("write-old", "", "write a database of this release, and what it holds, into testdata/old/`NAME`")

// oldMail is what the databases in testdata/old were filled with: mail of two
// tariffs with voids, some of which came first, entries, a closed month, what
// is parked. It does not change.
func oldMail(t testing.TB) (book *price.Book, mail []accounting.Record) {
	office := storetest.Tariff(t, price.Terms{Name: "office", PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 1 << 20})
	weekly := storetest.Tariff(t, price.Terms{Name: "weekly", PerMiB: 7_777_777, Increment: 1, Period: accounting.ByWeek})
	for i := range 600 {
		at := storetest.Now.Add(time.Duration(i-500) * time.Hour / 4).Add(time.Duration(i) * time.Millisecond)
		r := storetest.Usage(i, fmt.Sprintf("client-%d", i%5), fmt.Sprintf("u%d@example.org", i%11), at, int64(1000+7919*i%90000), int64(500+104729*i%80000))
		switch i % 5 {
		case 1, 2:
			r.Tariff, r.TariffVersion = office.Name, office.Version()
		case 3:
			r.Tariff, r.TariffVersion = weekly.Name, weekly.Version()
		}
		if i == 77 {
			r.TariffVersion = "unheard of"
		}
		if i%17 == 3 { // its void comes first
			mail = append(mail, accounting.VoidOf(r, at.Add(time.Second)))
		}
		mail = append(mail, r)
		if i%13 == 5 {
			mail = append(mail, accounting.VoidOf(r, at.Add(time.Hour)))
		}
	}
	return price.NewBook(office, weekly), mail
}

func oldNow() time.Time { return storetest.Now.Add(25 * time.Hour) }

// fillOld does with a store what was done with those in testdata/old.
func fillOld(t *testing.T, s *Store, mail []accounting.Record) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	session, err := s.Session(ctx)
	must(err)
	for i := 0; i < len(mail); i += 50 {
		must(session.Put(ctx, mail[i:min(i+50, len(mail))], fmt.Sprint("mark ", i)))
	}
	for i, kind := range []string{accounting.Payment, accounting.Adjust, accounting.Fee} {
		_, err := s.Enter(ctx, accounting.Record{ID: "entry-" + kind, Kind: kind, Time: storetest.Now, Gateway: "mx1", Client: "client-1", Amount: fmt.Sprint(100_000_000 * (i + 1)), Currency: "RUB", By: "root"})
		must(err)
	}
	must(s.ClosePeriod(ctx, "client-0", "2026-11"))
	must(s.Put(ctx, []accounting.Record{storetest.Usage(9000, "client-0", "late@example.org", storetest.Now, 77, 77)}))
	must(session.Close())
}

// holds is all that a store says of its clients, as text.
func holds(t *testing.T, s *Store) string {
	var all struct {
		Clients  []string
		Counters []accounting.Counter
		Accounts []accounting.Account
		Periods  map[string][]string
		Records  []accounting.Record
		Parked   map[string]string
		Taken    accounting.Taken
		Mark     string
	}
	ctx := t.Context()
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	var err error
	all.Clients, err = s.Clients(ctx)
	note(err)
	for _, period := range []string{"2026-10", "2026-11", "2026-12", "2026-11-22", "2026-11-23"} {
		list, err := s.Counters(ctx, period)
		note(err)
		all.Counters = append(all.Counters, list...)
	}
	all.Periods, all.Parked = map[string][]string{}, map[string]string{}
	for _, c := range all.Clients {
		a, err := s.Account(ctx, c)
		note(err)
		a.Period, a.Zone = "", "" // are of the tariff, and were not told when the files were written
		all.Accounts = append(all.Accounts, a)
		all.Periods[c], err = s.Periods(ctx, c)
		note(err)
		for _, p := range all.Periods[c] {
			n, err := s.CounterOf(ctx, c, p)
			note(err)
			all.Counters = append(all.Counters, n)
			note(s.RecordsOf(ctx, c, p, func(r accounting.Record) error {
				all.Records = append(all.Records, r)
				return nil
			}))
		}
	}
	note(s.Parked(ctx, func(r accounting.Record, why string) error {
		all.Parked[r.ID] = why
		return nil
	}))
	all.Taken, err = s.Taken(ctx, "mx1")
	note(err)
	session, err := s.Session(ctx)
	note(err)
	all.Mark = session.Marks()[0].Text
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func gzipped(t *testing.T, file string, content []byte) {
	t.Helper()
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(content)
	}
	if err := errors.Join(err, z.Close(), os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, packed.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func gunzipped(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestOld: databases of releases that kept records in bbolt say what they said,
// and go on as if nothing had changed.
func TestOld(t *testing.T) {
	book, mail := oldMail(t)
	if *writeOld != "" {
		path := filepath.Join(t.TempDir(), "account.db")
		s := mustOpen(t, path, Options{Now: oldNow, Book: book})
		fillOld(t, s, mail)
		said := holds(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		gzipped(t, filepath.Join("testdata", "old", *writeOld+".db.gz"), raw)
		gzipped(t, filepath.Join("testdata", "old", *writeOld+".json.gz"), []byte(said))
	}
	files, err := filepath.Glob("testdata/old/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "account.db")
			if err := os.WriteFile(path, gunzipped(t, file), 0o600); err != nil {
				t.Fatal(err)
			}
			said := string(gunzipped(t, file[:len(file)-len(".db.gz")]+".json.gz"))
			s := mustOpen(t, path, Options{Now: oldNow, Book: price.NewBook()})
			if got := holds(t, s); got != said {
				t.Fatalf("it holds\n%s\nand held\n%s", got, said)
			}
		})
	}
}
