package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// lacking is a server whose user lacks one thing after the other.
type lacking struct {
	t               *testing.T
	admin           *Store
	o               Options
	rule            []any // what the documentation lets the user do
	old             bool  // the server cannot be asked what a user may do
	weekly, monthly *price.Tariff
}

// forget makes scripts run as on a server before Redis 7.
func (l *lacking) forget(s *Store) {
	if !l.old {
		return
	}
	for _, sc := range []*script{&s.scripts.apply, &s.scripts.park, &s.scripts.enter, &s.scripts.plans, &s.scripts.drop, &s.scripts.redefine} {
		body := strings.TrimPrefix(sc.text, mayScript)
		mayBefore := strings.Replace(mayScript, "redis.acl_check_cmd", "nil", 1)
		if mayBefore == mayScript {
			l.t.Fatal("may.lua does not ask")
		}
		*sc = newScript(body)
		sc.text = mayBefore + body
		sc.sha = shaOf(sc.text)
	}
}

func (l *lacking) acl(words ...any) {
	l.t.Helper()
	if err := l.admin.db.Do(context.Background(), append([]any{"ACL", "SETUSER", "tollgate"}, words...)...).Err(); err != nil {
		l.t.Fatal(words, err)
	}
}

// allow gives all that the documentation says, and takes something away.
func (l *lacking) allow(but ...any) {
	l.t.Helper()
	l.acl(append(append([]any{"reset"}, l.rule...), but...)...)
}

// dump is what stands under the keys of clients, octet for octet.
func (l *lacking) dump() map[string]string {
	l.t.Helper()
	keys, err := l.admin.db.Keys(context.Background(), "tg:{c:[^_]*").Result()
	if err != nil {
		l.t.Fatal(err)
	}
	all := map[string]string{}
	for _, k := range keys {
		if all[k], err = l.admin.db.Dump(context.Background(), k).Result(); err != nil {
			l.t.Fatal(err)
		}
	}
	return all
}

// sums is what stands there in words, without the names that the server gives.
func (l *lacking) sums() map[string]string {
	ctx, all := context.Background(), map[string]string{}
	for k := range l.dump() {
		switch l.admin.db.Type(ctx, k).Val() {
		case "hash":
			all[k] = fmt.Sprint(l.admin.db.HGetAll(ctx, k).Val())
		case "set":
			members := l.admin.db.SMembers(ctx, k).Val()
			slices.Sort(members)
			all[k] = fmt.Sprint(members)
		case "stream":
			for _, e := range entries(l.t, l.admin, k) {
				all[k] += fmt.Sprintln(e.Fields)
			}
		default:
			all[k] = l.admin.db.Get(ctx, k).Val()
		}
	}
	return all
}

// step is one thing that the store is asked to do.
type step struct {
	name string
	do   func(ctx context.Context, s *Store) error
}

// steps use all that the scripts have: tariffs by the week and by the month, voids
// before and after their records, what is parked, applied and given up, money.
func (l *lacking) steps() []step {
	now := storetest.Now
	under := func(r accounting.Record, t *price.Tariff) accounting.Record {
		r.Tariff, r.TariffVersion, r.Currency = t.Name, t.Version(), t.Currency
		return r
	}
	a := under(storetest.Usage(1, "a", "x@example.org", now, 5000, 5000), l.weekly)
	b := under(storetest.Usage(2, "b", "x@example.org", now, 5000, 5000), l.monthly)
	c := storetest.Usage(3, "c", "x@example.org", now, 7, 7)
	d := under(storetest.Usage(4, "d", "x@example.org", now, 7, 7), l.weekly)
	old := storetest.Usage(5, "a", "x@example.org", now.AddDate(0, 0, -100), 1, 1)
	older := storetest.Usage(6, "a", "x@example.org", now.AddDate(0, 0, -101), 1, 1)
	put := func(name string, list ...accounting.Record) step {
		return step{name, func(ctx context.Context, s *Store) error { return s.Put(ctx, list) }}
	}
	enter := func(name string, r accounting.Record) step {
		return step{name, func(ctx context.Context, s *Store) error { return second(s.Enter(ctx, r)) }}
	}
	money := func(id, kind, client, amount, reverses string) accounting.Record {
		return accounting.Record{ID: id, Kind: kind, Time: now, Gateway: "mx1", Client: client, Amount: amount, Currency: "RUB", By: "root", Reverses: reverses}
	}
	return []step{
		put("usage by the week", a), put("usage by the month", b), put("void", accounting.VoidOf(a, now)),
		put("void before its record", accounting.VoidOf(d, now)), put("record after its void", d), put("usage without a tariff", c), put("parked", old, older),
		{"apply what is parked", func(ctx context.Context, s *Store) error { return s.ApplyParked(ctx, old.ID) }},
		{"drop what is parked", func(ctx context.Context, s *Store) error { return s.DropParked(ctx, older.ID) }},
		enter("payment by the week", money("p1", accounting.Payment, "a", "100", "")), enter("payment by the month", money("p2", accounting.Payment, "b", "100", "")),
		enter("reversal", money("p3", accounting.Payment, "a", "-100", "p1")),
		enter("first entry of a week", func() accounting.Record {
			r := money("f1", accounting.Fee, "e", "100", "")
			r.Period = "2026-W48"
			return r
		}()),
		{"plans", func(ctx context.Context, s *Store) error {
			was, err := s.Plans(ctx, "b")
			if err != nil {
				return err
			}
			return second(s.SetPlans(ctx, "b", was, ""))
		}},
		{"define", func(ctx context.Context, s *Store) error {
			return s.Define(ctx, []accounting.Definition{{ID: "a", Text: "{}"}})
		}},
		{"redefine", func(ctx context.Context, s *Store) error {
			err := s.Redefine(ctx, "a", "{}", "{ }")
			if errors.Is(err, accounting.ErrChanged) {
				return nil
			}
			return err
		}},
	}
}

// open opens a store of the user's.
func (l *lacking) open() *Store {
	l.t.Helper()
	s, err := Open(l.t.Context(), l.o)
	if err != nil {
		l.t.Fatal(err)
	}
	l.forget(s)
	return s
}

// run lets the user lack something at each step: an error leaves nothing half written,
// and once it is allowed the step does what it does.
func (l *lacking) run(what string, want map[string]string, words []string, but ...any) (refused int) {
	l.t.Helper()
	ctx := l.t.Context()
	if err := l.admin.db.FlushDB(ctx).Err(); err != nil {
		l.t.Fatal(err)
	}
	l.allow()
	s := l.open()
	defer s.Close()
	for _, st := range l.steps() {
		before := l.dump()
		l.allow(but...)
		err := st.do(ctx, s)
		after := l.dump()
		l.allow()
		if err != nil {
			refused++
			if !maps.Equal(before, after) {
				l.t.Errorf("%s: %s: half written: %v\nbefore %q\nafter %q", what, st.name, err, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
			if !strings.Contains(err.Error(), noPermission) {
				l.t.Errorf("%s: %s: %v", what, st.name, err)
			}
			for _, w := range words {
				if !strings.Contains(strings.ToUpper(err.Error()), strings.ToUpper(w)) {
					l.t.Errorf("%s: %s: does not name %s: %v", what, st.name, w, err)
				}
			}
		}
		if err := st.do(ctx, s); err != nil && !errors.Is(err, accounting.ErrNotParked) {
			l.t.Errorf("%s: %s, allowed: %v", what, st.name, err)
		}
	}
	if got := l.sums(); !maps.Equal(got, want) {
		for _, k := range slices.Sorted(maps.Keys(got)) {
			if got[k] != want[k] {
				l.t.Errorf("%s: %s\ngot  %s\nwant %s", what, k, got[k], want[k])
			}
		}
		l.t.Errorf("%s: keys %q, want %q", what, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	return refused
}

// Whatever one command, key or channel the user lacks: nothing is written of what it
// could not write whole, what lacks is named, and once it is allowed all is as if it
// had been from the start. Commands are those that the scripts say.
func TestLacking(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "redis.md"))
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^    ACL SETUSER tollgate (.*)$`).FindStringSubmatch(string(doc))
	if rule == nil {
		t.Fatal("docs/redis.md has no rule")
	}
	srv := startServer(t, "--save", "")
	l := &lacking{t: t, admin: mustOpen(t, srv.options()), o: srv.options()}
	for _, word := range strings.Fields(strings.ReplaceAll(rule[1], "PASSWORD", "secret")) {
		l.rule = append(l.rule, word)
	}
	l.weekly = storetest.Tariff(t, price.Terms{Name: "w", Period: "week", PerMiB: 1_500_000, PerDelivery: 1, Included: 2000})
	l.monthly = storetest.Tariff(t, price.Terms{Name: "m", PerMiB: 1_500_000, PerDelivery: 1})
	l.o.Username, l.o.Password, l.o.Book = "tollgate", "secret", price.NewBook(l.weekly, l.monthly)
	l.o.Standing = func([]accounting.Standing) {}
	sets := newScripts()
	all := map[string]bool{}
	for _, sc := range []script{sets.apply, sets.park, sets.enter, sets.plans, sets.drop, sets.redefine} {
		if len(sc.commands) < 2 {
			t.Error(sc.commands)
		}
		for _, c := range sc.commands {
			all[c] = true
		}
	}
	if len(all) < 14 {
		t.Fatal(slices.Sorted(maps.Keys(all)))
	}
	want := func() map[string]string {
		ctx := t.Context()
		l.allow()
		if err := l.admin.db.FlushDB(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		s := l.open()
		defer s.Close()
		for _, st := range l.steps() {
			if err := st.do(ctx, s); err != nil {
				t.Fatal(st.name, err)
			}
		}
		return l.sums()
	}()
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%v", old), func(t *testing.T) {
			l.t, l.old = t, old
			l.run("nothing", want, nil)
			for _, c := range slices.Sorted(maps.Keys(all)) {
				var words []string
				if !old {
					words = []string{c}
				}
				if n := l.run("-"+c, want, words, "-"+strings.ToLower(c)); n == 0 && c != "GET" {
					t.Errorf("without %s nothing was refused", c)
				}
			}
			if n := l.run("no channel", want, nil, "resetchannels", "&other"); n == 0 {
				t.Error("without its channel nothing was refused")
			}
			kinds := []string{"seen", "use", "rcpt", "day", "rec", "acct", "periods", "applied", "entries", "dropped", "parked", "def"}
			for i, kind := range kinds {
				words := []any{"resetkeys", "~tg:{c:_*", "~tg:[^{]*"}
				for k, other := range kinds {
					if k != i {
						words = append(words, "~tg:{c:*}:"+other+"*")
					}
				}
				if n := l.run("no "+kind, want, nil, words...); n == 0 {
					t.Errorf("without %s nothing was refused", kind)
				}
			}
			if old {
				return // what follows is none of its users
			}
			// A command for some keys alone.
			for _, c := range []string{"sadd", "hset", "hincrby", "expire", "xadd", "hsetnx"} {
				for _, kind := range kinds {
					words := []any{"-" + c, "(+" + c + " ~tg:[^{]*)"}
					for _, other := range kinds {
						if other != kind {
							words = append(words, "(+"+c+" ~tg:{c:*}:"+other+"*)")
						}
					}
					l.run(c+" but of "+kind, want, nil, words...)
				}
			}
		})
	}
}

// A user that loses a permission while a session runs is told so at the next record.
func TestLackingInSession(t *testing.T) {
	srv := startServer(t, "--save", "")
	s := mustOpen(t, srv.options())
	se, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer se.Close()
	if err := s.db.Do(t.Context(), "ACL", "SETUSER", "default", "-xadd").Err(); err != nil {
		t.Fatal(err)
	}
	r := storetest.Usage(1, "a", "x@example.org", storetest.Now.Add(-time.Hour), 1, 1)
	if err := se.Put(t.Context(), []accounting.Record{r}, "m"); err == nil || !strings.Contains(err.Error(), "may not run XADD on tg:{c:a}:rec:2026-11") {
		t.Error(err)
	}
	if n, err := s.db.Exists(t.Context(), "tg:{c:a}:use:2026-11", "tg:{c:a}:seen:2026-11-28", "tg:{c:a}:applied").Result(); err != nil || n != 0 {
		t.Error(n, err)
	}
	if _, err := s.Session(t.Context()); err == nil || !strings.Contains(err.Error(), "may not run XADD") {
		t.Error(err)
	}
	if err := s.db.Do(t.Context(), "ACL", "SETUSER", "default", "+xadd").Err(); err != nil {
		t.Fatal(err)
	}
	if err := se.Put(t.Context(), []accounting.Record{r}, "m"); err != nil {
		t.Error(err)
	}
}
