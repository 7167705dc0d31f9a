package document

import (
	"strings"
	"testing"
)

// Whatever is nested, toml is not asked to follow.
func TestDeepNesting(t *testing.T) {
	for name, text := range map[string]string{
		"arrays":        "a = " + strings.Repeat("[", 1<<20),
		"inline tables": "a = " + strings.Repeat("{a=", 1<<20),
		"keys":          strings.Repeat("a.", 1<<20) + "a = 1",
		"header":        "[" + strings.Repeat("a.", 1<<20) + "a]",
		"both":          "a = " + strings.Repeat("[{a.a=", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			root, problem := Parse("file", text, nil)
			if root != nil || problem == nil || !strings.Contains(problem.Msg, "deep in each other") || problem.Pos.Line != 1 {
				t.Errorf("%v", problem)
			}
		})
	}
}

// A time without its TOML type says what it is.
func TestWhat(t *testing.T) {
	root, problem := Parse("file", "a = 2026-01-01\nb = 10:00:00\nc = 2026-01-01T10:00:00\nd = 2026-01-01T10:00:00Z\ne = 1.5\nf = {}\ng = []\nh = ''\ni = true\n", nil)
	if problem != nil {
		t.Fatal(problem)
	}
	want := map[string]string{
		"a": "a date", "b": "a time of day", "c": "a date with a time", "d": "a date with a time", "e": "a number",
		"f": "a table", "g": "an array", "h": "a string", "i": "a boolean",
	}
	for _, c := range root.Children {
		if got := c.What(); got != want[c.Key] {
			t.Errorf("%s is %s", c.Key, got)
		}
	}
}
