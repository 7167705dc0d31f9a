package metrics_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const repo = "../.."

var (
	named  = regexp.MustCompile(`\btollgate_[a-z_]+`)
	series = regexp.MustCompile(`(?m)^(tollgate_[a-z_]+)(?:\{| )`)
)

// shown are the names of all series that a daemon with everything shows.
func shown(t *testing.T) []string {
	t.Helper()
	r, addr := start(t), free(t)
	if err := r.load(policy(t, addr, "one")); err != nil {
		t.Fatal(err)
	}
	r.m.Attach(everything())
	_, page := get(t, addr, "/metrics")
	var all []string
	for _, m := range series.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// expressions are what a value asks under these keys, at any depth.
func expressions(v any, keys ...string) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if s, ok := inner.(string); ok && slices.Contains(keys, k) {
				all = append(all, s)
			}
			all = append(all, expressions(inner, keys...)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, expressions(inner, keys...)...)
		}
	}
	return all
}

func readContrib(t *testing.T, name string, decode func([]byte, any) error) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repo, "contrib/metrics", name))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := decode(text, &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// The dashboard and the alerts ask for nothing that does not exist.
func TestContrib(t *testing.T) {
	t.Parallel()
	all := shown(t)
	for file, asked := range map[string][]string{
		"alerts.yml":     expressions(readContrib(t, "alerts.yml", yaml.Unmarshal), "expr"),
		"dashboard.json": expressions(readContrib(t, "dashboard.json", json.Unmarshal), "expr", "query", "definition"),
	} {
		found := 0
		for _, expr := range asked {
			for _, name := range named.FindAllString(expr, -1) {
				found++
				if !slices.Contains(all, name) {
					t.Errorf("%s asks for %s, which nothing shows: %s", file, name, expr)
				}
			}
		}
		if found < 10 {
			t.Errorf("%s asks for %d figures", file, found)
		}
	}
}

// The page on metrics names every one, and no other.
func TestDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repo, "docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "| `tollgate_"); ok {
			rows = append(rows, "tollgate_"+named.FindString("tollgate_" + name)[len("tollgate_"):])
		}
	}
	slices.Sort(rows)
	part := regexp.MustCompile(`^(tollgate_(?:message_weight|(?:message|stage|wait)_seconds))_(bucket|sum|count)$`)
	var want []string
	for _, name := range shown(t) {
		want = append(want, part.ReplaceAllString(name, "$1"))
	}
	if want = slices.Compact(want); !slices.Equal(rows, want) {
		t.Errorf("documented: %q\nshown: %q", rows, want)
	}
}
