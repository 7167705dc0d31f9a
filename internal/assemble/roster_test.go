package assemble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/rules"
)

// billing is a store whose clients somebody else writes.
type billing struct {
	version int
	server  string
	defs    map[string]string
	err     error
	between func() // is called when definitions were read
}

func (b *billing) ClientsVersion(context.Context) (string, error) {
	if b.version == 0 {
		return "", b.err
	}
	return strconv.Itoa(b.version), b.err
}

func (b *billing) ServedBy(context.Context) (string, error) { return b.server, nil }

func (b *billing) Definitions(context.Context) ([]accounting.Definition, error) {
	var list []accounting.Definition
	for id, text := range b.defs {
		d := accounting.Definition{ID: id, Text: text}
		if text == "WRONGTYPE" {
			d = accounting.Definition{ID: id, Err: errors.New("another type")}
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(x, y accounting.Definition) int { return strings.Compare(x.ID, y.ID) })
	if f := b.between; f != nil {
		b.between = nil
		f()
	}
	return list, b.err
}

func (b *billing) Define(context.Context, []accounting.Definition) error {
	return errors.ErrUnsupported
}
func (b *billing) Redefine(context.Context, string, string, string) error {
	return errors.ErrUnsupported
}

func (b *billing) set(id, text string) {
	b.defs[id] = text
	b.version++
}

const rosterPolicy = `[gateway]
name = "mx1"
state_dir = "."
[redis]
addrs = ["127.0.0.1:1"]
[clients]
redis = true
[[client]]
id = "house"
addresses = ["house@example.org"]
[[tariff]]
name = "office"
currency = "RUB"
`

type rosterWorld struct {
	t   *testing.T
	dir string
	*billing
	*Accounts
	running *Running
}

func newRosterWorld(t *testing.T) *rosterWorld {
	w := &rosterWorld{t: t, dir: t.TempDir(), billing: &billing{defs: map[string]string{}}}
	w.restart()
	return w
}

// restart is another daemon on the same state folder.
func (w *rosterWorld) restart() {
	w.t.Helper()
	if w.Accounts != nil {
		if err := w.Accounts.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	if w.Accounts, err = NewAccounts(w.dir, slog.New(slog.DiscardHandler)); err != nil {
		w.t.Fatal(err)
	}
	w.Env.Store = w.billing
	if err := w.LoadStandings(); err != nil {
		w.t.Fatal(err)
	}
	w.running = New(w.Accounts)
	if err := w.policy(rosterPolicy); err != nil {
		w.t.Fatal(err)
	}
}

func (w *rosterWorld) policy(text string) error {
	w.t.Helper()
	path := filepath.Join(w.dir, "policy.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cfg, problems := config.Load(path)
	if err := problems.Err(); err != nil {
		w.t.Fatal(err)
	}
	change, err := Prepare(w.t.Context(), cfg, w.running)
	if err == nil {
		change.Commit()
	}
	return err
}

func (w *rosterWorld) refresh() error {
	_, err := w.Refresh(w.t.Context())
	return err
}

// is checks whose an address is: "?" when nobody can tell, "-" when it is
// nobody's.
func (w *rosterWorld) is(want string) {
	w.t.Helper()
	var got []string
	for pair := range strings.SplitSeq(want, " ") {
		addr, _, _ := strings.Cut(pair, "=")
		who := "-"
		d := w.Live.Snapshot()
		if d == nil {
			who = "?"
		} else if a := d.Lookup(addr + "@example.org"); a.Standing == directory.Ours {
			who = a.Client.ID
		} else if d.Incomplete() {
			who = "?"
		}
		got = append(got, addr+"="+who)
	}
	if s := strings.Join(got, " "); s != want {
		w.t.Errorf("%s, want %s; %+v", s, want, w.Status())
	}
}

func (w *rosterWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *rosterWorld) problem(want ...string) {
	w.t.Helper()
	got := w.Status().Problems
	if len(got) != len(want) {
		w.t.Fatalf("%q, want %q", got, want)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			w.t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

func TestClientsFollowTheStore(t *testing.T) {
	w := newRosterWorld(t)
	w.is("a=? house=?")
	if err := w.refresh(); err == nil || !strings.Contains(err.Error(), "no clients have been written") {
		t.Error(err)
	}
	w.is("a=? house=?")
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.must(w.refresh())
	w.is("a=a house=house b=-")
	// Nothing is read without another version.
	w.defs["b"] = `{"addresses":["b@example.org"]}`
	w.must(w.refresh())
	w.must(w.refresh()) // after the failure it was once
	w.set("b", `{"addresses":["b@example.org"],"tariff":"office"}`)
	w.must(w.refresh())
	w.is("a=a b=b")
	// It goes away, and the daemon is started anew.
	w.err = errors.New("away")
	if err := w.refresh(); err == nil {
		t.Error("no error")
	}
	w.is("a=a b=b c=-")
	w.restart()
	w.is("a=a b=b c=- house=house")
	if err := w.refresh(); err == nil || w.Status().Error != "away" || w.Status().Read.IsZero() {
		t.Errorf("%v %+v", err, w.Status())
	}
	w.is("a=a b=b c=-")
	// It comes back empty.
	w.err, w.version, w.defs = nil, 0, map[string]string{}
	if err := w.refresh(); err == nil {
		t.Error("no error")
	}
	w.is("a=a b=b c=-")
	// And with others, under the version it had: nobody has removed the first ones.
	w.version, w.defs = 2, map[string]string{"c": `{"addresses":["c@example.org"]}`}
	w.must(w.refresh())
	w.must(w.refresh())
	w.is("a=a b=b c=c")
	w.problem(`a: its definition is gone, and version "2" is as it was`, `b: its definition is gone`)
	if w.Status().Error != "" {
		t.Errorf("%+v", w.Status())
	}
	w.version++
	w.must(w.refresh())
	w.problem()
	w.is("a=- b=- c=c")
	// A client that is gone and comes again, an address that moves.
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.must(w.refresh())
	w.set("c", `{"addresses":["c@example.org","a@example.org"]}`)
	w.must(w.refresh())
	w.problem(`c: address "a@example.org" of client "c" belongs to client "a" already`)
	w.is("a=a c=c")
	w.set("a", `{}`)
	w.must(w.refresh())
	w.problem()
	w.is("a=c c=c")
	delete(w.defs, "c")
	w.version++
	w.must(w.refresh())
	w.is("a=- c=-")
}

// A server that takes another's place may have less, and the same version: it is
// read, and what it has lost stays in force until somebody says that something has
// changed.
func TestServerSetBack(t *testing.T) {
	w := newRosterWorld(t)
	w.server = "one"
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.set("b", `{"addresses":["b@example.org"]}`)
	w.must(w.refresh())
	w.is("a=a b=b x=-")
	w.server, w.defs = "two", map[string]string{"a": `{"addresses":["x@example.org"]}`}
	w.must(w.refresh())
	w.is("a=- b=b x=a")
	w.problem(`b: its definition is gone, and version "2" is as it was: it stays in force`)
	w.restart()
	w.problem(`b: its definition is gone`)
	w.is("a=- b=b x=a")
	w.server, w.version = "three", 1
	w.must(w.refresh())
	w.is("a=- b=b x=a")
	w.problem(`b: its definition is gone, and version "1" is older than "2"`)
	w.version = 0
	w.must(w.refresh())
	w.is("a=- b=b x=a")
	w.problem(`b: its definition is gone, and version "" is older than "2"`)
	// It was there all the time.
	w.defs["b"] = `{"addresses":["b@example.org"],"disabled":true}`
	w.server = "four"
	w.must(w.refresh())
	w.problem()
	w.is("b=b")
	// Who writes on counts from where the server was set back to: about other clients.
	delete(w.defs, "b")
	for w.version = 1; w.version <= 2; w.version++ {
		w.must(w.refresh())
		w.is("a=- b=b x=a")
		w.restart()
		w.problem(`b: its definition is gone`)
	}
	w.must(w.refresh())
	w.problem()
	w.is("a=- b=- x=a")
}

// What has changed is kept at once, however often: a daemon that is killed then starts
// with it.
func TestClientsAreKeptAtOnce(t *testing.T) {
	w := newRosterWorld(t)
	now := time.Now()
	for _, id := range []string{"a", "b", "c"} {
		w.set(id, `{"addresses":["`+id+`@example.org"]}`)
		w.must(w.refresh())
		now = now.Add(time.Second)
		w.saved.clients.took = 0 // however slow the disk is
		w.must(w.Save(now))
		text, err := os.ReadFile(filepath.Join(w.dir, rosterName))
		w.must(err)
		if !strings.Contains(string(text), id+"@example.org") {
			t.Errorf("%s is not kept: %s", id, text)
		}
	}
}

// After a start all is read, whatever the version says.
func TestServerSetBackWhileNobodyRan(t *testing.T) {
	w := newRosterWorld(t)
	w.server = "one"
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.must(w.refresh())
	w.defs["a"] = `{"addresses":["x@example.org"]}`
	w.restart()
	w.is("a=a x=-")
	w.must(w.refresh())
	w.is("a=- x=a")
}

// One client's mistake costs nobody his mail.
func TestBadDefinitionLeavesTheOneBefore(t *testing.T) {
	w := newRosterWorld(t)
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.set("b", `{"addresses":["b@example.org"]}`)
	w.must(w.refresh())
	w.set("a", `{"addresses":["a@example.org","x@example.org"],"tarif":"office"}`)
	w.set("b", "WRONGTYPE")
	w.must(w.refresh())
	w.problem("a: unknown key tarif", "b: another type")
	w.is("a=a b=b x=- c=-")
	w.restart()
	w.problem("a: unknown key tarif", "b: another type")
	w.is("a=a b=b x=- c=-")
	// Of one that never could be read nobody knows whose addresses it has.
	w.set("c", `{`)
	w.must(w.refresh())
	w.is("a=a b=b c=? x=?")
	w.restart()
	w.is("a=a b=b c=? x=?")
	w.set("a", `{"addresses":["a@example.org","x@example.org"]}`)
	w.set("b", `{"addresses":["b@example.org"]}`)
	w.set("c", `{"addresses":["c@example.org"]}`)
	w.must(w.refresh())
	w.problem()
	w.is("a=a b=b c=c x=a d=-")
	// The same id in the policy and in the store, and an address of the policy's.
	w.set("house", `{"addresses":["elsewhere@example.org"]}`)
	w.set("c", `{"addresses":["c@example.org","house@example.org"]}`)
	w.must(w.refresh())
	w.problem("c: address", "house: a client of the policy has this id already")
	w.is("house=house elsewhere=- c=c")
}

// Clients that change while they are read are read again.
func TestChangeWhileReading(t *testing.T) {
	w := newRosterWorld(t)
	w.set("a", `{"addresses":["x@example.org"]}`)
	w.between = func() {
		w.set("a", `{}`)
		w.set("b", `{"addresses":["x@example.org"]}`)
	}
	w.must(w.refresh())
	w.is("x=b")
	if w.Status().Version != "3" {
		t.Errorf("%+v", w.Status())
	}
	// Another policy comes in force meanwhile.
	w.set("b", `{"addresses":["y@example.org"]}`)
	w.between = func() { w.must(w.policy(rosterPolicy + "[accounting]\ntimezone = \"Europe/Moscow\"\n")) }
	w.must(w.refresh())
	w.must(w.refresh())
	w.is("x=- y=b")
	if zone := w.Live.Snapshot().Client("b").Location.String(); zone != "Europe/Moscow" {
		t.Error(zone)
	}
}

// A policy that takes away what clients name is refused; one that brings what
// they lacked mends them.
func TestPolicyAndDefinitions(t *testing.T) {
	w := newRosterWorld(t)
	w.set("a", `{"addresses":["a@example.org"],"tariff":"office"}`)
	w.set("b", `{"addresses":["b@example.org"],"tariff":"home"}`)
	w.must(w.refresh())
	w.problem(`b: client b: there is no tariff "home"`)
	w.is("a=a b=?")
	without := strings.Replace(rosterPolicy, `"office"`, `"home"`, 1)
	if err := w.policy(without); err == nil || !strings.Contains(err.Error(), `a: client a: there is no tariff "office"`) {
		t.Error(err)
	}
	w.is("a=a b=?")
	w.must(w.policy(rosterPolicy + "[[tariff]]\nname = \"home\"\ncurrency = \"RUB\"\n"))
	w.problem()
	w.is("a=a b=b c=-")
	w.must(w.refresh())
	w.is("a=a b=b c=-")
	// Without clients in Redis those of the policy are all.
	w.must(w.policy(strings.Replace(rosterPolicy, "redis = true", "redis = false", 1)))
	w.is("a=- house=house")
	if w.Status() != nil {
		t.Error("a status of nothing")
	}
	w.must(w.policy(rosterPolicy))
	w.is("a=a b=? house=house")
}

// What is kept and cannot be read is not nobody.
func TestDamagedRoster(t *testing.T) {
	w := newRosterWorld(t)
	for _, id := range []string{"a", "b", "c"} {
		w.set(id, fmt.Sprintf(`{"addresses":["%s@example.org"]}`, id))
	}
	w.must(w.refresh())
	w.must(w.Accounts.Close())
	path := filepath.Join(w.dir, rosterName)
	whole, err := os.ReadFile(path)
	w.must(err)
	w.err = errors.New("away")
	for n := range len(whole) - 1 {
		if _, err := loadRoster(w.dir, w.cfg); n > 0 && err == nil {
			t.Fatalf("%d octets of %d are read", n-1, len(whole))
		}
		w.must(os.WriteFile(path, whole[:n], 0o600))
	}
	w.Accounts = nil
	w.restart()
	w.is("a=? house=?")
}

// What was kept of one source is nobody of another; a version that knew of Redis alone
// named none.
func TestRosterOfAnotherSource(t *testing.T) {
	w := newRosterWorld(t)
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.must(w.refresh())
	w.must(w.Accounts.Close())
	path := filepath.Join(w.dir, rosterName)
	whole, err := os.ReadFile(path)
	w.must(err)
	w.err = errors.New("away")
	for with, want := range map[string]string{"": "a=a house=house", `"source":"ldap",`: "a=? house=?", `"source":"redis",`: "a=a house=house"} {
		text := strings.Replace(string(whole), `"source":"redis",`, with, 1)
		if with != `"source":"redis",` && text == string(whole) {
			t.Fatal(text)
		}
		w.must(os.WriteFile(path, []byte(text), 0o600))
		w.Accounts = nil
		w.restart()
		w.is(want)
	}
}

func TestCheckOfDefinitions(t *testing.T) {
	w := newRosterWorld(t)
	w.set("a", `{"addresses":["a@example.org"]}`)
	w.must(w.refresh())
	check := func(texts ...string) string {
		var list []config.Definition
		for i, text := range texts {
			list = append(list, config.Definition{Text: text, Pos: rules.Pos{File: "f", Line: i + 1}})
		}
		out, problems := w.Check(list)
		var said []string
		for _, p := range problems {
			said = append(said, p.String())
		}
		return fmt.Sprint(len(out), " ", strings.Join(said, "\n"))
	}
	for _, c := range []struct {
		want  string
		texts []string
	}{
		{"1 ", []string{`{"id":"b","addresses":["b@example.org"]}`}},
		{"2 ", []string{`{"id":"a","addresses":["b@example.org"]}`, `{"id":"b","addresses":["a@example.org"]}`}}, // they change places
		{`1 f:1: address "A@example.org" of client "b" belongs to client "a" already`, []string{`{"id":"b","addresses":["A@example.org"]}`}},
		{`2 f:2: address "x@example.org" of client "c" belongs to client "b" already`, []string{`{"id":"b","addresses":["x@example.org"]}`, `{"id":"c","addresses":["x@example.org"]}`}},
		{`1 f:1: address "house@example.org" of client "b" belongs to client "house" already`, []string{`{"id":"b","addresses":["house@example.org"]}`}},
		{`1 f:1: client "house" stands in the policy`, []string{`{"id":"house","addresses":["h@example.org"]}`}},
		{`1 f:2: client b stands there twice: here and at f:1`, []string{`{"id":"b","addresses":["h@example.org"]}`, `{"id":"b","addresses":["i@example.org"]}`}},
		{`0 f:1: id "B": 'B' is not one of a-z 0-9 . _ -`, []string{`{"id":"B","addresses":["h@example.org"]}`}},
	} {
		if got := check(c.texts...); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// How accounts stand is known after a start without the store.
func TestStandingsAreKept(t *testing.T) {
	w := newRosterWorld(t)
	w.set("a", `{"addresses":["a@example.org"],"mode":"prepaid"}`)
	w.must(w.refresh())
	w.Live.Tell([]accounting.Standing{{Client: "a", Balance: 0, Change: [2]uint64{5, 6}}})
	at := time.Now()
	w.must(w.Save(at))
	w.Live.Tell([]accounting.Standing{{Client: "a", Balance: -3, Change: [2]uint64{5, 7}}})
	w.must(w.Save(at)) // too soon
	w.restart()
	a := w.Live.Snapshot().Client("a")
	if b := w.Live.Blocks(a, at); b != accounting.OutOfBalance {
		t.Error(b)
	}
	if s := w.Live.Standings(); len(s) != 1 || s[0].Balance != -3 || s[0].Change != [2]uint64{5, 7} {
		t.Errorf("%+v", s)
	}
	if asked := w.Live.Unread(at); len(asked.List) != 1 {
		t.Error("what was kept is taken for what the store says")
	}
}

// Who is removed is named, however many there are.
func TestMissingIn(t *testing.T) {
	r, next := &roster{}, &roster{entries: []entry{{id: "c03"}, {id: "x"}}}
	for n := range 25 {
		r.entries = append(r.entries, entry{id: fmt.Sprintf("c%02d", n)})
	}
	got := r.missingIn(next)
	if !strings.HasPrefix(got, "c00, c01, c02, c04, ") || !strings.HasSuffix(got, ", c20, and 4 more") {
		t.Error(got)
	}
	if got := next.missingIn(r); got != "x" {
		t.Error(got)
	}
}
