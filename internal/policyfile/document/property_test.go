package document

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// writer makes a random TOML text in which every integer is the number of the
// line it stands on.
type writer struct {
	t    *rapid.T
	b    strings.Builder
	line int
	keys int
}

func (w *writer) put(s string) {
	w.b.WriteString(s)
	w.line += strings.Count(s, "\n")
}

func (w *writer) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(w.t, what)
}

// key is one that was not used before.
func (w *writer) key() string {
	w.keys++
	form := w.pick("key", "k%d", "\"k %d\"", "'k.%d'", "\"\\u006b=%d\"", "a%[1]d.b", "a%[1]d . \"*\" .c", "'#'.k%d")
	return fmt.Sprintf(form, w.keys)
}

// gap is what may stand between the parts of a value in brackets.
func (w *writer) gap() {
	w.put(w.pick("gap", "", " ", "\n", "\r\n  ", " # ] } ' \"\n", "\n\n\t"))
}

func (w *writer) value(depth int) {
	kinds := []string{"int", "int", "text", "block", "raw", "date"}
	if depth < 4 {
		kinds = append(kinds, "array", "table")
	}
	switch w.pick("value", kinds...) {
	case "int":
		w.put(fmt.Sprint(w.line))
	case "text":
		w.put(w.pick("text", `"]"`, `"\"}"`, `'\'`, `"# \\"`, `""`, `''`, `"'"`))
	case "block":
		w.put(w.pick("block", "\"\"\"\n]\n\"\"\"", "\"\"\"a\\\"\"\"\\\n b\"\"\"\"\"", "\"\"\"\"\"\""))
	case "raw":
		w.put(w.pick("raw", "'''\n[x]\n\\'''", "''''}'''", "''''''"))
	case "date":
		w.put(w.pick("date", "2026-01-01", "2026-01-01 10:00:00", "10:00:00", "1.5e3", "-inf", "true"))
	case "array":
		w.list("[", "]", func() { w.value(depth + 1) })
	case "table":
		w.list("{", "}", func() { w.pair(depth + 1) })
	}
}

func (w *writer) list(open, end string, one func()) {
	w.put(open)
	for range rapid.IntRange(0, 3).Draw(w.t, "elements") {
		w.gap()
		one()
		w.gap()
		w.put(",")
	}
	w.gap()
	w.put(end)
}

func (w *writer) pair(depth int) {
	w.put(w.key() + w.pick("equals", "=", " = ", "\t=  "))
	w.value(depth)
}

func (w *writer) document() string {
	for range rapid.IntRange(0, 12).Draw(w.t, "statements") {
		switch w.pick("statement", "pair", "pair", "pair", "table", "array", "again", "space") {
		case "pair":
			w.pair(0)
		case "table":
			w.put("[" + w.key() + "]")
		case "array":
			w.put("[[" + w.key() + "]]")
		case "again":
			w.put("[[ again ]]")
		case "space":
			w.put(w.pick("space", "", "  ", "# [x]"))
		}
		w.put(w.pick("end", "\n", " \r\n", " # a = [\n"))
	}
	return w.b.String()
}

func TestValuesStandWhereTheyAreSaidTo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t, line: 1}
		text := w.document()
		root, problem := Parse("file", text, nil)
		if problem != nil {
			t.Fatalf("%v\n%s", problem, text)
		}
		checkIntegers(t, root, text)
	})
}

func checkIntegers(t *rapid.T, n *Node, text string) {
	if line, ok := n.Value.(int64); ok && int(line) != n.Line {
		t.Fatalf("%s = %d is said to stand at line %d of\n%s", n.Key, line, n.Line, text)
	}
	for _, c := range n.Children {
		checkIntegers(t, c, text)
	}
}
