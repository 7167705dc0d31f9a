package proof_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/proof"
)

var now = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// strict is everything that a strict check says of a policy file.
func strict(t *testing.T, path string) diag.Problems {
	t.Helper()
	cfg, plain, problems := config.LoadPlain(path)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	p := proof.Policy{Source: plain.Source, Compiled: cfg.Gate.Rules}
	for _, e := range plain.Ends {
		p.Dates = append(p.Dates, proof.Date(e))
	}
	problems = append(problems, proof.Findings(p, now)...)
	problems.Sort()
	return problems
}

// A day is over by the calendar of the account's zone, not by that of UTC.
func TestGoneByInItsZone(t *testing.T) {
	for zone, want := range map[string]bool{"Pacific/Kiritimati": true, "UTC": false, "Atlantic/Azores": false} {
		path := filepath.Join(t.TempDir(), "policy.toml")
		text := "[gateway]\nname = \"mx1.example.org\"\n[accounting]\ntimezone = \"" + zone + "\"\n[[client]]\nid = \"ivan\"\naddresses = [\"ivan@example.org\"]\nexpires = 2026-11-29\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, plain, problems := config.LoadPlain(path)
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		p := proof.Policy{Source: plain.Source, Compiled: cfg.Gate.Rules}
		for _, e := range plain.Ends {
			p.Dates = append(p.Dates, proof.Date(e))
		}
		found := false
		for _, one := range proof.Findings(p, now.Add(12*time.Hour)) { // the 29th begins at +14
			found = found || strings.Contains(one.Msg, "is gone by (2026-11-29)")
		}
		if found != want {
			t.Errorf("%s: %v", zone, found)
		}
	}
}

// policies are those of a file, each under its name.
func policies(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, one := range strings.Split(string(text), "\n### ")[1:] {
		name, policy, _ := strings.Cut(one, "\n")
		all[name] = policy
	}
	return all
}

func put(t *testing.T, policy string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.toml")
	policy += "\n[gateway]\nname = \"mx1.example.org\"\n[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n"
	if err := os.WriteFile(path, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each thing that was planted is named, at its line and in its words, and
// nothing else is.
func TestSmells(t *testing.T) {
	all := policies(t, "smells.txt")
	if len(all) < 40 {
		t.Errorf("%d policies", len(all))
	}
	for name, policy := range all {
		t.Run(name, func(t *testing.T) {
			path := put(t, policy)
			var got []string
			for _, p := range strict(t, path) {
				got = append(got, strings.ReplaceAll(fmt.Sprintf("%d %s", p.Pos.Line, p.Msg), filepath.Dir(path)+"/", ""))
			}
			want := 0
			for i, line := range strings.Split(policy, "\n") {
				_, says, planted := strings.Cut(line, "# SMELL ")
				if !planted {
					continue
				}
				want++
				head := fmt.Sprintf("%d ", i+1)
				if len(got) < want || !strings.HasPrefix(got[want-1], head) || !strings.Contains(got[want-1], says) {
					t.Errorf("want %s%s, got %q", head, says, got)
				}
			}
			if want != 1 || len(got) != 1 {
				t.Errorf("%d planted, got %q", want, got)
			}
		})
	}
}

// Nothing is said where nothing is wrong, or where it cannot be decided.
func TestClean(t *testing.T) {
	for name, policy := range policies(t, "clean.txt") {
		t.Run(name, func(t *testing.T) {
			if got := strict(t, put(t, policy)); len(got) > 0 {
				t.Error(got)
			}
		})
	}
}

// The policies that operators begin with give no word.
func TestExamples(t *testing.T) {
	const repo = "../.."
	if got := strict(t, filepath.Join(repo, "contrib/policy.toml")); len(got) > 0 {
		t.Error(got)
	}
	dir := t.TempDir()
	for _, name := range []string{"contrib/starter.toml", "test/demo/policy.toml", "test/demo/clients.toml", "test/demo/blacklist.txt"} {
		text, err := os.ReadFile(filepath.Join(repo, name))
		if err != nil {
			t.Fatal(err)
		}
		s := strings.ReplaceAll(string(text), "{{clamd}}", "unix:/run/clamd.sock")
		s = strings.ReplaceAll(s, "domains = []", `domains = ["example.org"]`)
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"starter.toml", "policy.toml"} {
		if got := strict(t, filepath.Join(dir, name)); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
