package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func TestDefinitions(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	ctx := t.Context()
	version := func(want string) {
		t.Helper()
		if v, err := s.ClientsVersion(ctx); err != nil || v != want {
			t.Errorf("version %q, %v; want %q", v, err, want)
		}
	}
	list := func() []accounting.Definition {
		t.Helper()
		got, err := s.Definitions(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	version("")
	if got := list(); len(got) != 0 {
		t.Error(got)
	}
	// One that only ever had records is not defined.
	if err := s.Put(ctx, []accounting.Record{storetest.Usage(1, "old", "a@example.org", storetest.Now, 1, 1)}); err != nil {
		t.Fatal(err)
	}
	want := []accounting.Definition{{ID: "a", Text: `{"name":"A"}`}, {ID: "b", Text: "{}"}}
	if err := s.Define(ctx, []accounting.Definition{want[1], want[0]}); err != nil {
		t.Fatal(err)
	}
	version("1")
	if d := cmp.Diff(want, list()); d != "" {
		t.Error(d)
	}
	if err := s.Redefine(ctx, "a", "{}", "x"); !errors.Is(err, accounting.ErrChanged) {
		t.Error(err)
	}
	if err := s.Redefine(ctx, "none", "", "x"); !errors.Is(err, accounting.ErrChanged) {
		t.Error(err)
	}
	version("1")
	if err := s.Redefine(ctx, "a", want[0].Text, `{"name":"B"}`); err != nil {
		t.Error(err)
	}
	version("2")
	// A key of another type under one name is that client's problem; under that
	// of all, everybody's.
	if err := s.db.HSet(ctx, "tg:{c:c}:def", "name", "C").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.db.SAdd(ctx, "tg:clients", "c").Err(); err != nil {
		t.Fatal(err)
	}
	got := list()
	if len(got) != 3 || got[2].ID != "c" || got[2].Err == nil || !strings.Contains(got[2].Err.Error(), "tg:{c:c}:def: redis store: a key of another type stands under one of our names") {
		t.Errorf("%+v", got)
	}
	if err := s.db.Set(ctx, "tg:clients:version", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Define(ctx, want); err == nil || !strings.Contains(err.Error(), "tg:clients:version: ") {
		t.Error(err)
	}
	if err := s.db.Del(ctx, "tg:clients").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Set(ctx, "tg:clients", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Definitions(ctx); err == nil || !strings.Contains(err.Error(), "tg:clients: redis store: a key of another type") {
		t.Error(err)
	}
	if err := s.Define(ctx, want); err == nil || !strings.Contains(err.Error(), "tg:clients: redis store: a key of another type") {
		t.Error(err)
	}
}
