package history_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
)

const policy = `include = ["rules.d/*.toml"]
[gateway]
name = "mx1.example.org"
[lists]
partners = { file = "partners.txt" }
[clients]
file = "clients.toml"
[[rule]]
name = "partners"
stage = "connect"
match = { client_ip = "list:partners" }
action = "accept"
[[module]]
name = "web"
type = "http"
url = "http://scanner:very-secret@127.0.0.1:8080/"
`

type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder {
	f := folder{t, t.TempDir()}
	f.write("policy.toml", policy)
	f.write("partners.txt", "192.0.2.1\n")
	f.write("clients.toml", "[[client]]\nid = \"ivan\"\naddresses = [\"ivan@example.org\"]\n")
	f.write("rules.d/1.toml", "[[rule]]\nname = \"more\"\nstage = \"headers\"\nmatch.subject = 'x'\n")
	return f
}

func (f folder) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) load() *config.Config {
	f.t.Helper()
	cfg, problems := config.Load(filepath.Join(f.dir, "policy.toml"))
	if err := problems.Err(); err != nil {
		f.t.Fatal(err)
	}
	return cfg
}

func keep(t *testing.T, s *history.Store, c *config.Config, how string) (history.Entry, bool) {
	t.Helper()
	e, added, err := s.Keep(c, history.Entry{How: how, Time: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return e, added
}

// A version is what the policy means: neither comments nor the division into
// files make another, every content that counts does.
func TestVersion(t *testing.T) {
	f := newFolder(t)
	first := f.load().Gate.Version
	same := func(name, text string) {
		t.Helper()
		f.write(name, text)
		if v := f.load().Gate.Version; v != first {
			t.Errorf("%s: %s, was %s", name, v, first)
		}
	}
	same("policy.toml", "# a remark\n"+strings.ReplaceAll(policy, `name = "partners"
stage = "connect"`, `stage = "connect"
name   = "partners"`))
	same("policy.toml", policy)
	seen := map[string]string{first: "the first"}
	for name, text := range map[string]string{
		"partners.txt":   "192.0.2.2\n",
		"clients.toml":   "[[client]]\nid = \"ivan\"\naddresses = [\"ivan@example.net\"]\n",
		"rules.d/1.toml": "[[rule]]\nname = \"more\"\nstage = \"headers\"\nmatch.subject = 'y'\n",
		"policy.toml":    policy + "[[threshold]]\nabove = 5\naction = \"reject\"\n",
	} {
		f.write(name, text)
		v := f.load().Gate.Version
		if was, there := seen[v]; there {
			t.Errorf("%s changed, and the version is that of %s", name, was)
		}
		seen[v] = name
	}
}

func TestKeep(t *testing.T) {
	f := newFolder(t)
	s := history.New(f.dir, history.Bounds{})
	e, added := keep(t, s, f.load(), history.Start)
	if !added || e.Number != 1 || e.Version != f.load().Gate.Version || len(e.Files) != 4 {
		t.Fatalf("%+v", e)
	}
	if _, added := keep(t, s, f.load(), history.Reload); added {
		t.Error("the same content is a new entry")
	}
	f.write("partners.txt", "192.0.2.9\n")
	if e, added = keep(t, s, f.load(), history.Reload); !added || e.Number != 2 {
		t.Errorf("%+v", e)
	}
	all, err := s.Log()
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for _, file := range all[0].Files {
		text, err := s.Content(file.Kept)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "very-secret") {
			t.Errorf("%s: a password is kept", file.Path)
		}
		if file.Role == source.List && string(text) != "192.0.2.1\n" {
			t.Errorf("the list is kept as %q", text)
		}
	}
	if text, err := s.Content(all[0].Canonical); err != nil || strings.Contains(string(text), "very-secret") {
		t.Errorf("%s, %v", text, err)
	}
	for name, want := range map[string]int{"": 2, "-1": 1, "1": 1, "2": 2, all[0].Version: 1, all[1].Version[:6]: 2, "previous": 1} {
		if e, err := history.Find(all, name); err != nil || e.Number != want {
			t.Errorf("%q is %d, %v", name, e.Number, err)
		}
	}
	for _, name := range []string{"-2", "3", "zzzzzz", "000000"} {
		if e, err := history.Find(all, name); err == nil {
			t.Errorf("%q is %d", name, e.Number)
		}
	}
}

// What was in force for a part of the mail is no policy of before, nor is the same
// policy that was told of again.
func TestPreviousSkipsCanaries(t *testing.T) {
	var all []history.Entry
	add := func(how, hash string) {
		all = append(all, history.Entry{Number: len(all) + 1, How: how, Hash: hash})
	}
	check := func(last, previous int) {
		t.Helper()
		for name, want := range map[string]int{"": last, "previous": previous, "-1": previous} {
			switch e, err := history.Find(all, name); {
			case want == 0 && err == nil:
				t.Errorf("%q is %d", name, e.Number)
			case want != 0 && (err != nil || e.Number != want):
				t.Errorf("%q is %d, %v; want %d", name, e.Number, err, want)
			}
		}
	}
	add(history.Start, "aaaa")
	check(1, 0)
	add(history.Canary, "cccc")
	check(1, 0)
	add(history.CanaryEnd, "aaaa")
	check(1, 0)
	add(history.Reload, "bbbb")
	check(4, 1)
	add(history.Canary, "cccc")
	check(4, 1)
	add(history.CanaryEnd, "bbbb")
	check(4, 1)
	add(history.Reload, "bbbb")
	check(7, 1)
	add(history.Canary, "cccc")
	add(history.Promote, "cccc")
	check(9, 7)
}

// A reload of the policy that is in force again after a canary is no new entry.
func TestKeepAfterCanary(t *testing.T) {
	f := newFolder(t)
	s := history.New(f.dir, history.Bounds{})
	first := f.load()
	keep(t, s, first, history.Start)
	f.write("partners.txt", "192.0.2.9\n")
	keep(t, s, f.load(), history.Canary)
	if _, _, err := s.Again(first.Hash, history.Entry{How: history.CanaryEnd}); err != nil {
		t.Fatal(err)
	}
	if e, added := keep(t, s, first, history.Reload); added || e.Number != 3 {
		t.Errorf("%+v", e)
	}
	keep(t, s, f.load(), history.Canary)
	if e, added := keep(t, s, f.load(), history.Promote); !added || e.Number != 5 {
		t.Errorf("%+v", e)
	}
}

// Passwords come back from the file that is there.
func TestUnmask(t *testing.T) {
	for _, tt := range []struct {
		present string
		whole   bool
	}{
		{policy, true},
		{strings.ReplaceAll(policy, "very-secret", "newer"), true},
		{strings.ReplaceAll(policy, "127.0.0.1", "127.0.0.2"), false},
		{"", false},
	} {
		text, whole := history.Unmask(history.Mask([]byte(policy)), []byte(tt.present))
		if whole != tt.whole || whole && !strings.Contains(tt.present, strings.SplitN(string(text), "url =", 2)[1]) {
			t.Errorf("%v: %s", whole, text)
		}
	}
}

// What is too large is known by its hash.
func TestLargeList(t *testing.T) {
	f := newFolder(t)
	var b strings.Builder
	for i := 0; b.Len() <= source.MostText; i++ {
		fmt.Fprintf(&b, "user%d@a-long-domain-name-that-fills-the-file-quickly-%d.example.com\n", i, i%10)
	}
	f.write("partners.txt", b.String())
	f.write("policy.toml", strings.Replace(policy, "client_ip", "client_host", 1))
	s := history.New(f.dir, history.Bounds{})
	e, _ := keep(t, s, f.load(), history.Start)
	for _, file := range e.Files {
		if (file.Role == source.List) != (file.Kept == "") {
			t.Errorf("%+v", file)
		}
		if file.Role != source.List {
			continue
		}
		if same, err := history.Unchanged(file); err != nil || !same {
			t.Error(same, err)
		}
		f.write("partners.txt", "192.0.2.1\n")
		if same, err := history.Unchanged(file); err != nil || same {
			t.Error(same, err)
		}
	}
}

// The oldest go, with what they alone had; the last stays.
func TestBounds(t *testing.T) {
	for _, b := range []history.Bounds{{Entries: 3}, {Octets: 1}, {Octets: 8000}} {
		t.Run(fmt.Sprint(b), func(t *testing.T) {
			f := newFolder(t)
			s := history.New(f.dir, b)
			for i := range 10 {
				f.write("partners.txt", addresses(i))
				f.write("history/.000001.json.new123", "half")
				keep(t, s, f.load(), history.Reload)
			}
			all, err := s.Log()
			if err != nil || len(all) == 0 || all[len(all)-1].Number != 10 || len(all) > 9 || b.Entries > 0 && len(all) != 3 {
				t.Fatalf("%d entries, %v", len(all), err)
			}
			used := map[string]bool{}
			for _, e := range all {
				for _, file := range e.Files {
					if _, err := s.Content(file.Kept); err != nil {
						t.Errorf("entry %d: %s: %v", e.Number, file.Path, err)
					}
					used[file.Kept] = true
				}
				used[e.Canonical] = true
			}
			objects, err := os.ReadDir(filepath.Join(f.dir, "history/objects"))
			if err != nil || len(objects) != len(used) {
				t.Errorf("%d objects, %d in use, %v", len(objects), len(used), err)
			}
			if left, err := filepath.Glob(filepath.Join(f.dir, "history/.*")); err != nil || len(left) > 0 {
				t.Error(left, err)
			}
		})
	}
}

// An entry that cannot be read is told, by its number; the others stay, new ones come
// behind it, and nothing that it may have is removed.
func TestDamagedEntry(t *testing.T) {
	f := newFolder(t)
	s := history.New(f.dir, history.Bounds{Entries: 4})
	for i := range 4 {
		f.write("partners.txt", addresses(i))
		keep(t, s, f.load(), history.Reload)
	}
	from := f.dir
	whole, err := s.Log()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, "history/000003.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"nothing": "", "cut": string(text[:len(text)/2]), "zeros": strings.Repeat("\x00", len(text)), "another": strings.Replace(string(text), `"number": 3`, `"number": 2`, 1), "no entry": "{}", "a list": "[]"} {
		for _, n := range []int{3, 4} {
			if n == 4 && name == "another" {
				continue
			}
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				f := folder{t, t.TempDir()}
				if err := os.CopyFS(f.dir, os.DirFS(from)); err != nil {
					t.Fatal(err)
				}
				f.write(fmt.Sprintf("history/%06d.json", n), bad)
				s := history.New(f.dir, history.Bounds{Entries: 4})
				all, err := s.Log()
				if err != nil || len(all) != 4 || all[n-1].Problem == "" || all[0].Problem != "" || all[n-1].Number != n {
					t.Fatalf("%+v, %v", all, err)
				}
				for name, want := range map[string]int{"1": 1, "2": 2, "3": 3, "4": 4, "-3": 1, "-2": 2, "-1": 3, "": 4} {
					if e, err := history.Find(all, name); (err == nil) != (want != n) || err == nil && e.Number != want {
						t.Errorf("%q is %d, %v", name, e.Number, err)
					}
				}
				f.write("partners.txt", addresses(9))
				if e, added := keep(t, s, f.load(), history.Reload); !added || e.Number != 5 {
					t.Errorf("%+v %v", e, added)
				}
				for _, e := range whole { // of the first, too, while one may have it
					if _, err := s.Content(e.Canonical); err != nil {
						t.Error(e.Number, err)
					}
				}
			})
		}
	}
}

// A damaged content is told, not used.
func TestDamage(t *testing.T) {
	f := newFolder(t)
	s := history.New(f.dir, history.Bounds{})
	e, _ := keep(t, s, f.load(), history.Start)
	for _, file := range e.Files {
		path := filepath.Join(f.dir, "history/objects", file.Kept+".gz")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Content(file.Kept); err == nil {
			t.Error("a damaged content was read")
		}
	}
}

// addresses are a list that hardly packs.
func addresses(seed int) string {
	var b strings.Builder
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	for range 200 {
		n := r.Uint32()
		fmt.Fprintf(&b, "10.%d.%d.%d\n", byte(n), byte(n>>8), byte(n>>16))
	}
	return b.String()
}
