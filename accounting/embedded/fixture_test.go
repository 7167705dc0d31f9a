package embedded

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var writeFixture = flag.String("write-fixture", "", "write a fixture of this release into testdata/`NAME`")

func fixedNow() time.Time { return storetest.Now }

// TestFixtures: what earlier releases wrote is read.
func TestFixtures(t *testing.T) {
	if *writeFixture != "" {
		newFixture(t, filepath.Join("testdata", *writeFixture+".db.gz"))
	}
	files, err := filepath.Glob("testdata/*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			packed, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer packed.Close()
			z, err := gzip.NewReader(packed)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "account.db")
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			storetest.CheckFixture(t, mustOpen(t, path, Options{Now: fixedNow}))
		})
	}
}

func newFixture(t *testing.T, file string) {
	path := filepath.Join(t.TempDir(), "account.db")
	s := mustOpen(t, path, Options{Now: fixedNow})
	if err := s.Put(t.Context(), storetest.Fixture()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
