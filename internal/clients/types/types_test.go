package types_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/clients"
	"github.com/tollgate-mail/tollgate/internal/clients/types"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// specimen is a source with two clients: "a" with a@example.org, "b" with
// b@example.org, of which the first is disabled.
type specimen struct {
	policy string // from [clients] on; DIR is a folder that exists
	files  map[string]string
	store  *store // of Env; nil: none

	// Of one that is read with the policy: how the first line of what is wrong looks
	// after DIR/, where a file is broken, and how it is broken.
	broken map[string]string
	wrong  string
	// Of one that is followed.
	more func(t *testing.T, dir string) // adds a client "c" with c@example.org
	fail func(t *testing.T, dir string) // has nobody read any of it
}

func specimens() map[string]specimen {
	redis := &store{texts: map[string]string{
		"a": `{"addresses":["a@example.org"],"disabled":true}`, "b": `{"addresses":["b@example.org"]}`,
	}}
	return map[string]specimen{
		"file": {
			policy: "[clients]\nfile = \"DIR/clients.toml\"\n",
			files: map[string]string{
				"clients.toml": "[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\ndisabled = true\n[[client]]\nid = \"b\"\naddresses = [\"b@example.org\"]\n",
			},
			broken: map[string]string{"clients.toml": "[[client]]\nid = \"a\"\naddresses = [\n"},
			wrong:  "clients.toml:3: ",
		},
		"redis": {
			policy: "[clients]\nredis = true\n[redis]\naddrs = [\"127.0.0.1:1\"]\n",
			store:  redis,
			more:   func(*testing.T, string) { redis.texts["c"] = `{"addresses":["c@example.org"]}` },
			fail:   func(*testing.T, string) { redis.err = errors.New("away") },
		},
	}
}

// Every source is held to the same: add a row to specimens with one.
func TestSources(t *testing.T) {
	t.Parallel()
	all := specimens()
	keys := map[string]string{}
	for _, kind := range types.Sources() {
		into, _ := kind.Settings()
		for _, k := range settings.Keys(into) {
			if other, ok := keys[k.Name]; ok {
				t.Errorf("%s and %s have the key %s", other, kind.Name, k.Name)
			}
			keys[k.Name] = kind.Name
		}
		s, ok := all[kind.Name]
		if !ok {
			t.Errorf("%s has no row in specimens", kind.Name)
			continue
		}
		delete(all, kind.Name)
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			if found, ok := types.Find(kind.Name); !ok || found.Followed() != kind.Followed() {
				t.Errorf("%+v", found)
			}
			if kind.Defaults.Named() || kind.Defaults.Check() != nil {
				t.Error("where the policy says nothing it is named, or wrong")
			}
			if kind.Followed() {
				s.followed(t, kind)
			} else {
				s.read(t, kind)
			}
		})
	}
	for name := range all {
		t.Errorf("there is no %s", name)
	}
	if found, ok := types.Find("none"); ok {
		t.Errorf("%+v", found)
	}
}

const before = "[gateway]\nname = \"mx1\"\nstate_dir = \"DIR\"\n"

// load reads the policy with the specimen in it.
func (s specimen) load(t *testing.T, dir string, files map[string]string) (*config.Config, string) {
	t.Helper()
	files = mapWith(files, "policy.toml", strings.ReplaceAll(before+s.policy, "DIR", dir))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, problems := config.Load(filepath.Join(dir, "policy.toml"))
	var said []string
	for _, p := range problems {
		said = append(said, strings.TrimPrefix(p.String(), dir+"/"))
	}
	return cfg, strings.Join(said, "\n")
}

func mapWith(m map[string]string, key, value string) map[string]string {
	all := map[string]string{key: value}
	for k, v := range m {
		all[k] = v
	}
	return all
}

// read: its clients are clients of the policy, and its mistakes are the policy's.
func (s specimen) read(t *testing.T, kind types.Type) {
	dir := t.TempDir()
	cfg, said := s.load(t, dir, s.files)
	if cfg == nil || said != "" {
		t.Fatal(said)
	}
	var got []string
	for _, c := range cfg.Clients {
		got = append(got, c.ID+" "+strings.Join(c.Addresses, " "))
		if c.Disabled != (c.ID == "a") {
			t.Errorf("client %s is disabled: %v", c.ID, c.Disabled)
		}
	}
	if want := []string{"a a@example.org", "b b@example.org"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if cfg.ClientSource != nil {
		t.Errorf("%+v is followed", cfg.ClientSource)
	}
	for name := range s.files {
		// A history of policies, and a backup, would not have it.
		if !slices.ContainsFunc(cfg.Sources, func(f source.File) bool { return f.Path == filepath.Join(dir, name) }) {
			t.Errorf("%s is not kept with the policy", name)
		}
	}
	if cfg, said := s.load(t, dir, s.broken); cfg != nil || !strings.HasPrefix(said, s.wrong) {
		t.Errorf("%q, want %q and no policy", said, s.wrong)
	}
	// A file that is cut off, or is something else, is read or refused.
	for name, text := range s.files {
		for n := range len(text) {
			for _, odd := range []string{text[:n], text[:n] + "\x00\xff\n," + text[n:]} {
				into, now := kind.Settings()
				for _, k := range settings.Keys(into) {
					if file, ok := k.Into.(*settings.ClientFile); ok {
						*file = settings.ClientFile{Path: name, Text: odd}
					}
				}
				if all, problem := kind.Read(now()); all == nil && problem == nil {
					t.Errorf("%q is neither read nor refused", odd)
				}
			}
		}
	}
	if _, err := kind.Make(kind.Defaults, clients.Env{}); err == nil {
		t.Error("it is followed, too")
	}
	if _, problem := kind.Read(other{}); problem == nil {
		t.Error("read by settings of another source")
	}
}

// followed: its definitions are those of its clients, by id, each once; a change has
// another version; and what cannot be read is not nobody.
func (s specimen) followed(t *testing.T, kind types.Type) {
	dir := t.TempDir()
	cfg, said := s.load(t, dir, s.files)
	if cfg == nil || said != "" {
		t.Fatal(said)
	}
	if cfg.ClientSource == nil || cfg.ClientSource.Type != kind.Name || !cfg.ClientSource.Settings.Named() || len(cfg.Clients) > 0 {
		t.Fatalf("%+v, clients of the policy: %v", cfg.ClientSource, cfg.Clients)
	}
	var env clients.Env
	if s.store != nil {
		env.Store = s.store
	}
	from, err := kind.Make(cfg.ClientSource.Settings, env)
	if err != nil {
		t.Fatal(err)
	}
	read := func(want ...string) (version string) {
		t.Helper()
		version, err := from.ClientsVersion(t.Context())
		if err != nil || version == "" {
			t.Fatalf("version %q, %v", version, err)
		}
		list, err := from.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		definer := cfg.Definer()
		for _, d := range list {
			c, problems := definer.Client(config.Definition{ID: d.ID, Text: d.Text})
			if d.Err != nil || c == nil {
				t.Fatalf("%+v: %v", d, problems)
			}
			got = append(got, c.ID+" "+strings.Join(c.Addresses, " "))
			if c.Disabled != (c.ID == "a") {
				t.Errorf("client %s is disabled: %v", c.ID, c.Disabled)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		return version
	}
	first := read("a a@example.org", "b b@example.org")
	if again := read("a a@example.org", "b b@example.org"); again != first {
		t.Errorf("version %q, then %q, and nothing has changed", first, again)
	}
	s.more(t, dir)
	if s.store != nil {
		s.store.version++
	}
	if next := read("a a@example.org", "b b@example.org", "c c@example.org"); next == first {
		t.Errorf("version %q, and there is one client more", next)
	}
	s.fail(t, dir)
	list, err := from.Definitions(t.Context())
	if _, also := from.ClientsVersion(t.Context()); err == nil && also == nil {
		t.Errorf("nothing of it can be read, and it is no error: %+v", list)
	}
	if err := from.Close(); err != nil {
		t.Error(err)
	}
	if _, problem := kind.Read(kind.Defaults); problem == nil {
		t.Error("it is read with the policy, too")
	}
	if _, err := kind.Make(other{}, env); err == nil {
		t.Error("made of settings of another source")
	}
}

type other struct{}

func (other) Named() bool  { return true }
func (other) Check() error { return nil }

// store is one of accounts in which clients are defined.
type store struct {
	texts   map[string]string
	version int
	err     error
}

func (s *store) ClientsVersion(context.Context) (string, error) {
	return strings.Repeat("i", s.version+1), s.err
}

func (s *store) Definitions(context.Context) (list []accounting.Definition, err error) {
	for id, text := range s.texts {
		list = append(list, accounting.Definition{ID: id, Text: text})
	}
	slices.SortFunc(list, func(a, b accounting.Definition) int { return strings.Compare(a.ID, b.ID) })
	return list, s.err
}

func (s *store) Define(context.Context, []accounting.Definition) error { return errors.ErrUnsupported }

func (s *store) Redefine(context.Context, string, string, string) error {
	return errors.ErrUnsupported
}
