package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
)

const defining = minimal + `
[clients]
redis = true
[redis]
addrs = ["127.0.0.1:6379"]
[accounting]
timezone = "Europe/Moscow"
[[tariff]]
name = "office"
currency = "RUB"
per_mib = "1.50"
`

func definer(t *testing.T) *Definer {
	t.Helper()
	cfg, problems, _ := loadText(t, defining, nil)
	if problems != nil {
		t.Fatal(problems)
	}
	return cfg.Definer()
}

// A definition reads as the same [[client]] in a policy.
func TestDefinitionIsAClient(t *testing.T) {
	const keys = `id = "sales"
name = "Sales <1>"
addresses = ["sales@example.org", '/^s-.*@example\.org$/']
tariff = "office"
disabled = false
valid_from = 2026-01-01
expires = 2027-02-28
quota = "2 GiB"
quota_day = 2000000
mode = "prepaid"
credit_limit = "100.00"
schedule = "Mo-Fr 08:00-20:00"
filter = false
`
	cfg, problems, dir := loadText(t, defining+"[[client]]\n"+keys, map[string]string{"clients.toml": "# one\n[[client]]\n" + keys})
	if problems != nil {
		t.Fatal(problems)
	}
	list, problems := ReadDefinitions(filepath.Join(dir, "clients.toml"))
	if problems != nil || len(list) != 1 || list[0].Pos.Line != 2 {
		t.Fatal(list, problems)
	}
	const text = `{"id":"sales","name":"Sales <1>","addresses":["sales@example.org","/^s-.*@example\\.org$/"],"tariff":"office","disabled":false,` +
		`"valid_from":"2026-01-01","expires":"2027-02-28","quota":"2 GiB","quota_day":2000000,"mode":"prepaid","credit_limit":"100.00",` +
		`"schedule":"Mo-Fr 08:00-20:00","filter":false}`
	if d := cmp.Diff(text, list[0].Compact()); d != "" {
		t.Error(d)
	}
	got, problems := definer(t).Client(list[0])
	if problems != nil {
		t.Fatal(problems)
	}
	same := cmp.Comparer(func(a, b *accounting.Client) bool {
		day := func(c *accounting.Client) string {
			return fmt.Sprint(c.ValidFrom.Date()) + fmt.Sprint(c.Expires.Date())
		}
		x, y := *a, *b
		x.ValidFrom, x.Expires, x.Schedule = y.ValidFrom, y.Expires, y.Schedule
		return day(a) == day(b) && a.Schedule.String() == b.Schedule.String() && fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y)
	})
	if d := cmp.Diff(cfg.Clients[0], got, same); d != "" {
		t.Error(d)
	}
	if again, err := WithDisabled(text, true); err != nil || again != strings.Replace(text, `"disabled":false`, `"disabled":true`, 1) {
		t.Error(again, err)
	}
	if again, err := WithDisabled(`{"a":null,"b":1.5}`, true); err != nil || again != `{"b":1.5,"disabled":true}` {
		t.Error(again, err)
	}
}

func TestBadDefinitions(t *testing.T) {
	r := definer(t)
	for text, want := range map[string]string{
		``:                         "not JSON: it ends too early",
		`{"name":`:                 "not JSON: it ends too early",
		`[1]`:                      "an object is needed",
		`"x"`:                      "an object is needed",
		`{} {}`:                    "something follows the object",
		`{"name":"a","name":"b"}`:  "name stands there twice",
		"{\"name\":\"\xff\"}":      "not UTF-8",
		`{"id":"other"}`:           `id is "other", but the definition is that of "sales"`,
		`{"nmae":"x"}`:             `unknown key nmae in [[client]]; did you mean name?`,
		`{"name":1}`:               `name must be a string, not a number`,
		`{"addresses":"x@y.z"}`:    `addresses must be an array of strings, not a string`,
		`{"expires":"2026-02-30"}`: `expires must be a date such as 2026-01-31, not "2026-02-30"`,
		`{"expires":20260228}`:     `expires must be a date such as 2026-01-31, not a number`,
		`{"tariff":"offcie"}`:      `client sales: there is no tariff "offcie"; did you mean office?`,
		`{"quota":1e400}`:          "number 1e400 is out of range",
		`{"quota":-1}`:             "quota must be",
		`{"credit_limit":1.5}`:     `credit_limit must be a sum in a string`,
		`{"valid_from":"2026-03-01","expires":"2026-03-01"}`: "client sales is never valid",
		strings.Repeat(`{"a":`, 2000):                        "deep in each other",
	} {
		c, problems := r.Client(Definition{ID: "sales", Text: text})
		if c != nil || problems.Err() == nil || !strings.Contains(fmt.Sprint(problems), want) {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
	// It goes on after each of them.
	if c, problems := r.Client(Definition{ID: "sales", Text: `{"addresses":["a@example.org"],"name":null}`}); c == nil || c.Location.String() != "Europe/Moscow" {
		t.Error(problems)
	}
}

func TestBadImports(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.jsonl": "{\"id\":\"a\"}\n\n{\"name\":\"b\"}\n{x\n",
		"b.toml":  "[[client]]\nname = \"no id\"\n[rule]\n",
		"c.toml":  "x",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	for name, want := range map[string]string{
		"a.jsonl": "a.jsonl:3: a client needs an id\na.jsonl:4: not JSON",
		"b.toml":  "b.toml:1: [[client]] needs id\nb.toml:3: unknown section",
		"c.toml":  "c.toml:1: not TOML",
		"none":    "none: no such file",
	} {
		_, problems := ReadDefinitions(filepath.Join(dir, name))
		said := ""
		for _, p := range problems {
			said += strings.TrimPrefix(p.String(), dir+"/") + "\n"
		}
		for line := range strings.SplitSeq(want, "\n") {
			if !strings.Contains(said, line) {
				t.Errorf("%s: %q, want %q", name, said, line)
			}
		}
	}
}

func TestClientsInRedisNeedRedis(t *testing.T) {
	_, problems, _ := loadText(t, minimal+"[clients]\nredis = true\n", nil)
	wantProblem(t, problems, 7, "the policy has no [redis]")
	cfg, problems, _ := loadText(t, "[gateway]\nname = \"mx1\"\n[redis]\naddrs = [\"127.0.0.1:6379\"]\n[clients]\nredis = true\n", nil)
	if problems != nil || cfg.ClientSource == nil || cfg.ClientSource.Type != "redis" {
		t.Error(problems)
	}
}

// Nothing that somebody writes into the store brings the reader down.
func FuzzDefinition(f *testing.F) {
	for _, s := range []string{`{"id":"a","addresses":["a@b.c"],"quota":1}`, `{"tariff":{"a":[1]},"schedule":"x"}`, `{`, `{"expires":"2026-01-02"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		(&Definer{d: newDecoder()}).Client(Definition{ID: "a", Text: text})
	})
}
