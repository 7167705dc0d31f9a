package test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/test/script"
)

// openStore opens the gateway's store as a billing system would; with the
// embedded one the daemon must have ended.
func (g *gateway) openStore(t *testing.T) accounting.Store {
	t.Helper()
	if g.redis != nil {
		store, err := redis.Open(t.Context(), redis.Options{Addr: g.redis.Addr, Gateway: "the test"})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	files, err := filepath.Glob(filepath.Join(g.gate.State, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the embedded store: %v %v", files, err)
	}
	store, err := embedded.Open(files[0], embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// records are all that the store holds, in order of time, then of share.
// Nothing may be parked.
func (g *gateway) records(t *testing.T) []accounting.Record {
	t.Helper()
	store := g.openStore(t)
	defer store.Close()
	var all []accounting.Record
	from, to := time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, 2, 0)
	err := store.Records(t.Context(), "", from, to, func(r accounting.Record) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b accounting.Record) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.ShareIndex, b.ShareIndex))
	})
	err = store.Parked(t.Context(), func(r accounting.Record, reason string) error {
		t.Errorf("parked: %v: %s", r, reason)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return all
}

// checkRecords compares the store with records.jsonl.
func (s *session) checkRecords() {
	s.t.Helper()
	want, err := script.ReadObjects(filepath.Join(s.dir, "records.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	var got []script.Object
	for _, r := range s.records(s.t) {
		text, err := json.Marshal(r)
		if err != nil {
			s.t.Fatal(err)
		}
		got = append(got, objects(s.t, string(text))...)
	}
	s.compare("records.jsonl", want, got)
}

// drained waits until nothing waits in the spool any more.
func (g *gateway) drained(ctx context.Context, limit time.Duration) error {
	return eventually(limit, func() error {
		out, err := g.gate.Command(ctx, "status", "--json")
		if err != nil {
			return err
		}
		return waitingNothing(out.Stdout)
	})
}

// waitingNothing looks at the spool in what tollgate status --json prints.
func waitingNothing(text string) error {
	var status struct {
		Spool struct {
			Waiting *int64 `json:"waiting"`
		} `json:"spool"`
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		return fmt.Errorf("%w in %q", err, text)
	}
	if status.Spool.Waiting == nil {
		return fmt.Errorf("no waiting in %q", text)
	}
	if *status.Spool.Waiting != 0 {
		return fmt.Errorf("%d records wait in the spool", *status.Spool.Waiting)
	}
	return nil
}
