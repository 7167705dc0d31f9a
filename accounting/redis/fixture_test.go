package redis

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

var writeFixture = flag.String("write-fixture", "", "write a fixture of this release into testdata/`NAME`")

func fixedNow() time.Time { return storetest.Now }

// dumped is one key, written in such a way that neither the version of a
// server nor the date matters.
type dumped struct {
	Key    string            `json:"key"`
	Text   string            `json:"text,omitempty"`
	Hash   map[string]string `json:"hash,omitempty"`
	Set    []string          `json:"set,omitempty"`
	Stream []entry           `json:"stream,omitempty"`
}

type entry struct {
	ID     string   `json:"id"`
	Fields []string `json:"fields"` // names and values, in their order
}

// TestFixtures: what earlier releases wrote is read.
func TestFixtures(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	o := srv.options()
	o.Now = fixedNow
	if *writeFixture != "" {
		newFixture(t, mustOpen(t, o), filepath.Join("testdata", *writeFixture+".json"))
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := mustOpen(t, o)
			if err := s.db.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var keys []dumped
			if err := json.Unmarshal(raw, &keys); err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				restore(t, s, k)
			}
			storetest.CheckFixture(t, s)
		})
	}
}

func restore(t *testing.T, s *Store, k dumped) {
	t.Helper()
	var errs []error
	if k.Text != "" {
		errs = append(errs, s.db.Set(t.Context(), k.Key, k.Text, 0).Err())
	}
	for name, value := range k.Hash {
		errs = append(errs, s.db.HSet(t.Context(), k.Key, name, value).Err())
	}
	for _, m := range k.Set {
		errs = append(errs, s.db.SAdd(t.Context(), k.Key, m).Err())
	}
	for _, e := range k.Stream {
		errs = append(errs, s.db.XAdd(t.Context(), &redis.XAddArgs{Stream: k.Key, ID: e.ID, Values: e.Fields}).Err())
	}
	for _, err := range errs {
		if err != nil {
			t.Fatalf("%s: %v", k.Key, err)
		}
	}
}

func newFixture(t *testing.T, s *Store, file string) {
	if err := s.Put(t.Context(), storetest.Fixture()); err != nil {
		t.Fatal(err)
	}
	names, err := s.db.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var keys []dumped
	for _, name := range names {
		k := dumped{Key: name}
		kind, err := s.db.Type(t.Context(), name).Result()
		if err != nil {
			t.Fatal(err)
		}
		switch kind {
		case "string":
			k.Text, err = s.db.Get(t.Context(), name).Result()
		case "hash":
			k.Hash, err = s.db.HGetAll(t.Context(), name).Result()
		case "set":
			k.Set, err = s.db.SMembers(t.Context(), name).Result()
			slices.Sort(k.Set)
		case "stream":
			k.Stream = entries(t, s, name)
		default:
			t.Fatalf("%s is a %s", name, kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	raw, err := json.MarshalIndent(keys, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// entries of a stream, with their fields in the order in which they stand.
func entries(t *testing.T, s *Store, key string) []entry {
	t.Helper()
	reply, err := s.db.Do(t.Context(), "XRANGE", key, "-", "+").Slice()
	if err != nil {
		t.Fatal(err)
	}
	var list []entry
	for _, one := range reply {
		pair := one.([]any)
		e := entry{ID: pair[0].(string)}
		for _, f := range pair[1].([]any) {
			e.Fields = append(e.Fields, f.(string))
		}
		list = append(list, e)
	}
	return list
}
