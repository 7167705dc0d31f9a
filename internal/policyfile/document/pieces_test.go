package document

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// parts that texts are put together of: tables of the many, others, and what is no
// TOML at such a place.
var parts = []string{
	"[[rule]]\nname = \"a\"\nmatch.subject = 'x'\n",
	"[[rule]]\r\nname = 'esc'\nmatch = { header.From = [\"a\\tb\", '''\nlines\n'''] }\n",
	"  [[ rule ]] # indented\nweight = -1.5\n",
	"[[\"rule\"]]\nname = \"quoted\"\n",
	"[rule.match]\nsubject = \"y\"\n",
	"[[rule.any]]\nsubject = \"z\"\n",
	"[[threshold]]\nabove = 5\n",
	"[gateway.limits]\nx = 1\n",
	"[[rule]] # plain\nname = 'n'\nmatch.subject = ['a', \"b\", # one\n  'c',\n]\nmatch.\"x y\".z = { a = 1, b.c = [], b.d = {} }\nweight = -0.25\n",
	"[[rule]]\r\n\tlast = true\r\n  enabled=false # \tno\r\nn = +17\r\n",
	"[[rule]]\na.b = 1\na.c = 2\nempty = ''\nalso = \"\"\nz = 0\nf = 10.50\n",
	"# a comment with [[rule]] in it\n",
	"[[rule]]\ntext = \"\"\"\n[[rule]]\nnot = 'one'\n\"\"\"\n",
	"[[rule]] x = 1\n",
	"y = 2 [[rule]]\n",
	"[rule]\n",
	"rule = 3\n",
	"[[rule]]\na = 1\na = 2\n",
	"[[rule]]\na = 1\na.b = 2\n",
	"[[rule]]\na = {}\na.b = 2\n",
	"[[rule]]\na.b = 2\na = {}\n",
	"[[rule]]\na = 01\n",
	"[[rule]]\na = 1 b = 2\n",
	"[[rule]]\na = [1 2]\n",
	"[[rule]]\na = [,]\n",
	"[[rule]]\na = {b = 1,}\n",
	"[[rule]]\na = {\nb = 1}\n",
	"[[rule]]\na = 'b'c\n",
	"[[rule]]\na = 'b\x01'\n",
	"[[rule]]\na = 1 # \x02\n",
	"[[rule]]\na = 1.\n",
	"[[rule]]\na = .5\n",
	"[[rule]]\na = +-5\n",
	"[[rule]]\na =\n",
	"[[rule]]\na = 1_000\nb = 1e3\nc = 1979-05-27\nd = inf\ne = 0x1f\n",
	"[[rule]]\r",
	"[rule.x]\n",
	"[[\"rule\".y]]\n",
	"z = 'open\n",
	"\n",
}

// In pieces of any size a text has the same values as at once, or is given back.
func TestPieces(t *testing.T) {
	taken, folded := 0, 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range r.IntN(12) {
			n := len(parts)
			if seed%3 > 0 { // mostly good
				n = 13
			}
			b.WriteString(parts[r.IntN(n)])
		}
		text := b.String()
		whole, problem := Parse("f", text, []string{"rule"})
		root, heads, deep := scanFolding("f", text, []string{"", "rule"}[r.IntN(2)])
		if deep > 0 || !root.fillInPieces(text, heads, 1+r.IntN(100)) {
			continue
		}
		taken++
		for _, h := range heads {
			if h.folded {
				folded++
			}
		}
		if problem != nil {
			t.Fatalf("taken in pieces, and not at once: %v\n%s", problem, text)
		}
		if got, want := told(root), told(whole); !reflect.DeepEqual(got, want) {
			t.Fatalf("in pieces\n%v\nat once\n%v\nof\n%s", got, want, text)
		}
	}
	if taken < 500 || folded < 500 {
		t.Errorf("only %d texts were taken in pieces, with %d folded tables", taken, folded)
	}
}

// Tables are left folded where there are more of them than of others, which could not
// be decoded in pieces beside them.
func TestFoldsWhatIsMost(t *testing.T) {
	rule, client := "[[rule]]\nname = 'a'\nmatch.subject = 'x'\n", "[[client]]\nid = 'c'\naddresses = ['c@example.org']\n"
	for text, want := range map[string]bool{
		strings.Repeat(rule, 40000):                                 true,
		strings.Repeat(client, 20000) + strings.Repeat(rule, 20001): true,
		strings.Repeat(client, 40000) + rule:                        false,
		rule + strings.Repeat(client, 40000):                        false,
		strings.Repeat(client+rule+client, 20000):                   false,
	} {
		root, problem := ParseFolding("f", text, []string{"rule", "client"}, "rule")
		if problem != nil {
			t.Fatal(problem)
		}
		_, folded := root.Child("rule").Children[0].Value.(*sheet)
		if folded != want {
			t.Errorf("%d rules, %d clients: folded %v", strings.Count(text, "[[rule]]"), strings.Count(text, "[[client]]"), folded)
		}
	}
}

// told is a value with all places in it.
func told(n *Node) []string {
	n = n.Open(new(Room))
	all := []string{fmt.Sprintf("%s %d %d %T %v", n.Key, n.Line, n.Kind, n.Value, n.Value)}
	for _, c := range n.Children {
		all = append(all, told(c)...)
	}
	return all
}

// A text of a policy stands in memory once.
func TestTextsAreShared(t *testing.T) {
	text := "a = \"plain\"\nb = 'literal'\nc = \"\"\"three\"\"\"\nd = \"esc\\\"aped\"\n"
	root, problem := Parse("f", text, nil)
	if problem != nil {
		t.Fatal(problem)
	}
	for key, want := range map[string]string{"a": "plain", "b": "literal", "c": "three", "d": `esc"aped`} {
		if got := root.Child(key).Value; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

// FuzzPieces has any text read in pieces and at once.
func FuzzPieces(f *testing.F) {
	for _, p := range parts {
		f.Add("[[rule]]\na = 1\n"+p+"[[rule]]\nb = 2\n", uint8(20))
		f.Add("[[rule]]\na = 1\n"+p+"[[rule]]\nb = 2\n", uint8(21))
	}
	f.Fuzz(func(t *testing.T, text string, octets uint8) {
		if strings.HasPrefix(text, "\ufeff") {
			return // taken away before a text is scanned
		}
		whole, problem := Parse("f", text, []string{"rule"})
		root, heads, deep := scanFolding("f", text, []string{"", "rule"}[octets%2])
		if deep > 0 || !root.fillInPieces(text, heads, int(octets)) {
			return
		}
		if problem != nil {
			if strings.HasPrefix(problem.Msg, "not TOML") {
				t.Fatalf("taken in pieces, and not at once: %v", problem)
			}
			return // what is no UTF-8 has been told of before
		}
		if got, want := told(root), told(whole); !reflect.DeepEqual(got, want) {
			t.Fatalf("in pieces\n%v\nat once\n%v", got, want)
		}
	})
}
