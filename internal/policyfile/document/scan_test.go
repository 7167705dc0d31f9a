package document

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

// listing has a line for each value of a tree: its line and its path.
func listing(n *Node, path string) []string {
	var lines []string
	for i, c := range n.Children {
		p := strings.TrimPrefix(path+"."+QuoteKey(c.Key), ".")
		if n.Kind == Array {
			p = fmt.Sprintf("%s[%d]", path, i)
		}
		lines = append(lines, fmt.Sprintf("%d %s", c.Line, p))
		lines = append(lines, listing(c, p)...)
	}
	return lines
}

func TestScan(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"sections": {
			"# a comment\n\n[a]\nx = 1\n[a.b]\ny = 2\n  [ c . \"d e\" ] # here\nz=3",
			[]string{"3 a", "4 a.x", "5 a.b", "6 a.b.y", "7 c", "7 c.\"d e\"", "8 c.\"d e\".z"},
		},
		"super-table afterwards": {
			"[a.b]\nx = 1\n[a]\ny = 2\n",
			[]string{"3 a", "1 a.b", "2 a.b.x", "4 a.y"},
		},
		"arrays of tables": {
			"[[r]]\nn = 'x'\n[[r]]\nn = 'y'\n[r.m]\ns = 1\n[[r]]\n",
			[]string{"1 r", "1 r[0]", "2 r[0].n", "3 r[1]", "4 r[1].n", "5 r[1].m", "6 r[1].m.s", "7 r[2]"},
		},
		"dotted and quoted keys": {
			"m.h.Precedence = 'x'\nm.\"h\".'*' = 'y'\n\"a\\u0041\\x42\\\"\" = 1\n",
			[]string{"1 m", "1 m.h", "1 m.h.Precedence", `2 m.h."*"`, `3 "aAB\""`},
		},
		"inline tables": {
			"m = { a = 1, b.c = [ 2,\n 3 ], d = { e = 4 } }\nn = {\n x = 1, # one\n y = 2,\n}\n",
			[]string{"1 m", "1 m.a", "1 m.b", "1 m.b.c", "1 m.b.c[0]", "2 m.b.c[1]", "2 m.d", "2 m.d.e", "3 n", "4 n.x", "5 n.y"},
		},
		"arrays over lines": {
			"a = [ # [\n 'x', # ]\n\n \"y\",\n { k = 1 },\n [\n2]]\nb = []\n",
			[]string{"1 a", "2 a[0]", "4 a[1]", "5 a[2]", "5 a[2].k", "6 a[3]", "7 a[3][0]", "8 b"},
		},
		"strings over lines": {
			"a = '''\n[x]\n''''\nb = \"\"\"\\\"\"\"\n\\\n]\"\"\"\"\"\nc = [\"\"\"\n\"\"\", 2]\nd = \"\\\"\" # \"\ne = 1\n",
			[]string{"1 a", "4 b", "7 c", "7 c[0]", "8 c[1]", "9 d", "10 e"},
		},
		"line ends of other systems": {
			"[a]\r\nx = 1 \r\n\r\ny = [\r\n2\r\n]\r\n",
			[]string{"1 a", "2 a.x", "4 a.y", "5 a.y[0]"},
		},
		"dates with spaces": {
			"a = [1979-05-27 07:32:00Z,\n2000-01-01]\n",
			[]string{"1 a", "1 a[0]", "2 a[1]"},
		},
		"many keys": {
			"k1=1\nk2=1\nk3=1\nk4=1\nk5=1\nk6=1\nk7=1\nk8=1\nk9=1\nk10=1\nk11=1\nk12=1\nk13=1\nk14=1\nk15=1\nk16=1\nk17=1\nk18=1\n",
			func() (want []string) {
				for i := range 18 {
					want = append(want, fmt.Sprintf("%d k%d", i+1, i+1))
				}
				return want
			}(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			root, _, deep := scan("file", c.text)
			if deep > 0 {
				t.Fatalf("too deep at %d", deep)
			}
			if d := cmp.Diff(c.want, listing(root, "")); d != "" {
				t.Error(d)
			}
			checkPlaces(t, c.text)
		})
	}
}

// checkPlaces holds what is true of every text: all lines are in it, and where
// toml takes the text, scan has found exactly its keys and elements.
func checkPlaces(t *testing.T, text string) {
	t.Helper()
	root, _, deep := scan("file", text)
	last := strings.Count(text, "\n") + 1
	if deep < 0 || deep > last {
		t.Fatalf("too deep at line %d of %d", deep, last)
	}
	checkLines(t, root, last)
	if deep > 0 {
		return
	}
	var values map[string]any
	meta, err := toml.Decode(text, &values)
	if err != nil {
		return
	}
	same(t, root, values, "")
	// MetaData has the order of the document.
	var want []string
	for _, key := range meta.Keys() {
		if !slices.Contains(want, key[0]) {
			want = append(want, key[0])
		}
	}
	var got []string
	for _, c := range root.Children {
		got = append(got, c.Key)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("order of keys: %s", d)
	}
}

func checkLines(t *testing.T, n *Node, last int) {
	t.Helper()
	for _, c := range n.Children {
		if c.Line < 1 || c.Line > last {
			t.Fatalf("%q at line %d of %d", c.Key, c.Line, last)
		}
		checkLines(t, c, last)
	}
}

func same(t *testing.T, n *Node, v any, path string) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			c := n.Child(key)
			if c == nil {
				t.Fatalf("%s.%s was not found", path, key)
			}
			same(t, c, inner, path+"."+key)
		}
		if len(n.Children) != len(v) {
			t.Fatalf("%s: %d keys found of %d", path, len(n.Children), len(v))
		}
	case []any:
		if len(n.Children) != len(v) {
			t.Fatalf("%s: %d elements found of %d", path, len(n.Children), len(v))
		}
		for i, inner := range v {
			same(t, n.Children[i], inner, fmt.Sprintf("%s[%d]", path, i))
		}
	case []map[string]any:
		if len(n.Children) != len(v) {
			t.Fatalf("%s: %d tables found of %d", path, len(n.Children), len(v))
		}
		for i, inner := range v {
			same(t, n.Children[i], inner, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		if len(n.Children) != 0 {
			t.Fatalf("%s: found %d values in %v", path, len(n.Children), v)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range []string{
		"", "a", "=", "[", "[[", "[a", "[a]", "[[a]]\n[[a]]", "a.b.c = {d = [1, {e = 2}]}", "a = '''x''''", "a = \"\"\"\\\"\"\"\"",
		"\"a\\", "a = [1,\n,", "a = {,}", "'", "\"\"\"\\", "a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]", "a = {b = {c = 1}}", "a = 1979-05-27 07:32:00Z # x",
		"[a]\nb.c = 1\n[a.d]\n[[a.e]]\nf = {}\n[[a.e]]\n", "\"\" = 1", "'' = {}", "a=1\r\nb=2", "a = [ 'x' # ]\n ]", "x.'y z'.\"\\u00e9\" = true",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if line, _ := foreign(text); line > 0 || strings.HasPrefix(text, "\ufeff") {
			t.Skip()
		}
		checkPlaces(t, text)
	})
}

// Parse never panics, and whatever it returns has a line of the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "\ufeff[a]\n", "\xff\xfea\x00", "a = \x00", "[[rule]]\nname = 'x'", "a = \xff", "a = 1\n\na = 2", "[a\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, problem := Parse("file", text, nil)
		last := strings.Count(text, "\n") + 1
		if problem != nil {
			if root != nil || problem.Msg == "" || problem.Pos.File != "file" || problem.Pos.Line < 0 || problem.Pos.Line > last {
				t.Fatalf("%+v of %d lines", problem, last)
			}
			return
		}
		checkLines(t, root, last)
	})
}
