package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// list is a source of records.
type list map[string][]accounting.Record

func (l list) RecordsOf(_ context.Context, client, period string, fn func(accounting.Record) error) error {
	for _, r := range l[client] {
		r.Period = period
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// What does not fit into memory comes out in the same order.
func TestSorting(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var records []accounting.Record
		for i := range random.IntN(200) {
			records = append(records, storetest.Usage(i, "sales", fmt.Sprintf("u%d@example.org", random.IntN(9)), storetest.Now.Add(time.Duration(random.IntN(1e9))), 1, 1))
		}
		random.Shuffle(len(records), func(i, k int) { records[i], records[k] = records[k], records[i] })
		var texts [2]string
		for i, most := range []int{1 << 30, 1 + random.IntN(20_000)} {
			s := sorter{dir: t.TempDir(), most: most}
			for k := range records {
				if err := s.add(&records[k]); err != nil {
					t.Fatal(err)
				}
			}
			var b bytes.Buffer
			if err := s.write(&b); err != nil {
				t.Fatal(err)
			}
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			texts[i] = b.String()
			if left, _ := os.ReadDir(s.dir); len(left) > 0 {
				t.Fatalf("%s is left", left[0].Name())
			}
		}
		if texts[0] != texts[1] || strings.Count(texts[0], "\n") != len(records) {
			t.Fatalf("in memory\n%s\nin files\n%s", texts[0], texts[1])
		}
	}
}

func TestFile(t *testing.T) {
	from := list{
		"a": {storetest.Usage(2, "a", "x@example.org", storetest.Now, 10, 10), storetest.Usage(1, "a", "y@example.org", storetest.Now, 20, 20)},
		"b": {storetest.Usage(3, "b", "x@example.org", storetest.Now, 30, 30)},
	}
	dir := t.TempDir()
	h := Header{Period: "2026-11", Number: 3, Before: "abc"}
	sum, err := Create(t.Context(), from, h, []string{"a", "b"}, dir)
	if err != nil || sum.Clients != 2 || sum.Records != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	f, err := Open(Path(dir, "2026-11"))
	if err != nil || f.Sum() != sum || f.Header() != h {
		t.Fatalf("%+v, %v", f, err)
	}
	for client, want := range map[string][]string{"a": {"y@example.org", "x@example.org"}, "b": {"x@example.org"}, "c": nil} {
		var got []string
		if err := f.Records(t.Context(), client, func(r accounting.Record) error {
			got = append(got, r.Recipient)
			return nil
		}); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, %v", client, got, err)
		}
	}
	// Two records of one id are no archive: nothing is left of it.
	from["b"] = append(from["b"], from["b"][0])
	other := t.TempDir()
	if _, err := Create(t.Context(), from, h, []string{"a", "b"}, other); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	if _, err := Create(t.Context(), from, h, nil, filepath.Join(other, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(other); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}
