package spool

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var writeFixture = flag.String("write-fixture", "", "write a fixture of this release into testdata/`NAME`")

// keeper is a sink that keeps records as they come.
type keeper struct {
	want int
	list []accounting.Record
	full context.CancelFunc
}

func (k *keeper) Put(_ context.Context, batch []accounting.Record) error {
	if k.list = append(k.list, batch...); len(k.list) >= k.want {
		k.full()
	}
	return nil
}

// TestFixtures: the segments that earlier releases wrote are read.
func TestFixtures(t *testing.T) {
	if *writeFixture != "" {
		newFixture(t, filepath.Join("testdata", *writeFixture))
	}
	folders, err := filepath.Glob("testdata/*")
	folders = slices.DeleteFunc(folders, func(path string) bool { return filepath.Base(path) == "fuzz" || filepath.Base(path) == "rapid" })
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			k := &keeper{want: len(storetest.Fixture()), full: cancel}
			_ = s.Drain(ctx, k) // it ends when all have come
			if !reflect.DeepEqual(k.list, storetest.Fixture()) {
				t.Errorf("got  %+v\nwant %+v", k.list, storetest.Fixture())
			}
			if n := s.Status().SetAside; n != 0 {
				t.Errorf("%d set aside", n)
			}
		})
	}
}

func newFixture(t *testing.T, dir string) {
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range storetest.Fixture() {
		if err := s.Append(t.Context(), []accounting.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}
