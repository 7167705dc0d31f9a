package redis

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// What the documentation says a user needs is enough for all that the store
// does.
func TestDocumentedUserIsEnough(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "redis.md"))
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^    (ACL SETUSER tollgate .*)$`).FindStringSubmatch(string(doc))
	if rule == nil {
		t.Fatal("docs/redis.md has no rule")
	}
	srv := startServer(t, "--save", "")
	admin := mustOpen(t, srv.options())
	var args []any
	for _, word := range strings.Fields(strings.ReplaceAll(rule[1], "PASSWORD", "secret")) {
		args = append(args, word)
	}
	if err := admin.db.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	o := srv.options()
	o.Username, o.Password = "tollgate", "secret"
	s := mustOpen(t, o)
	se, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := storetest.Usage(900, "sales", "a@example.org", storetest.Now.AddDate(0, 0, -100), 1, 1)
	older := storetest.Usage(901, "sales", "a@example.org", storetest.Now.AddDate(0, 0, -101), 1, 1)
	first := storetest.Usage(1, "sales", "a@example.org", storetest.Now, 1, 1)
	for name, do := range map[string]func() error{
		"put": func() error {
			return se.Put(t.Context(), []accounting.Record{first, accounting.VoidOf(first, storetest.Now), old, older}, "a")
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := func(accounting.Record) error { return nil }
	_, counters := s.Counters(t.Context(), "2026-11")
	_, parked := s.ParkedCount(t.Context())
	for name, err := range map[string]error{
		"claim": s.Claim(t.Context(), accounting.Claim{Gateway: "mx1", Instance: "A"}), "taken": second(s.Taken(t.Context(), "mx1")),
		"definitions": s.Define(t.Context(), []accounting.Definition{{ID: "a", Text: "{}"}}), "redefine": s.Redefine(t.Context(), "a", "{}", "{ }"),
		"version": second(s.ClientsVersion(t.Context())), "defined": second(s.Definitions(t.Context())), "plans": second(s.SetPlans(t.Context(), "a", "", "")),
		"move": se.Move(t.Context(), "b"), "check": se.Check(t.Context()), "counters": counters, "parked": parked,
		"records": s.Records(t.Context(), "", storetest.Now.AddDate(0, -1, 0), storetest.Now.AddDate(0, 1, 0), none),
		"list":    s.Parked(t.Context(), func(accounting.Record, string) error { return nil }),
		"apply":   s.ApplyParked(t.Context(), old.ID), "drop": s.DropParked(t.Context(), older.ID),
		"ping": s.Ping(t.Context()), "heartbeat": s.Heartbeat(t.Context(), "mx1", 1), "close": se.Close(),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w := s.Warnings(t.Context()); len(w) > 0 && strings.Contains(w[0], "cannot be told") {
		t.Error(w)
	}

	// And what is missing is said in words.
	if err := admin.db.Do(t.Context(), "ACL", "SETUSER", "tollgate", "-evalsha").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), []accounting.Record{first}); err == nil || !strings.Contains(err.Error(), "the user may not do that") {
		t.Error(err)
	}
	denied(t, o, "tollgate", "wrong", "wrong password or user name")
}

// denied opens the store as somebody, and wants to hear why that does not do.
// What is logged at the start says it too.
func denied(t *testing.T, o Options, user, password, want string) {
	t.Helper()
	var log strings.Builder
	o.Username, o.Password, o.Log = user, password, slog.New(slog.NewTextHandler(&log, nil))
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ping(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "redis store: "+want) {
		t.Errorf("%q %q: %v", user, password, err)
	}
	if !strings.Contains(log.String(), want) {
		t.Errorf("%q %q: the log says %q", user, password, log.String())
	}
}

func TestDenied(t *testing.T) {
	locked := startServer(t, "--save", "", "--requirepass", "secret").options()
	denied(t, locked, "", "", "the server wants a password")
	denied(t, locked, "", "wrong", "wrong password or user name")
	denied(t, locked, "nobody", "secret", "wrong password or user name")
}

func TestMeaning(t *testing.T) {
	for text, want := range map[string]string{
		"ERR invalid password":                        "wrong password",
		"dial tcp 127.0.0.1:6379: connection refused": "",
		"all sentinels specified in configuration are unreachable: NOAUTH HELLO must be called": "the server wants a password",
	} {
		if got := Meaning(errors.New(text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func second[T any](_ T, err error) error { return err }
