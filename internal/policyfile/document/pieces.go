package document

import (
	"slices"
	"strings"
)

const (
	// manyOctets of a text are decoded in pieces.
	manyOctets = 1 << 20
	// piece is about how many octets of tables are decoded at a time.
	piece = 256 << 10
)

// fillInPieces gives the places found by scan the values that toml reads, piece by
// piece: of a text with very many [[name]] toml's own tree would take ten times the
// text. A run of such tables means the same whether it stands by itself or among
// others. It reports false where anything is not so simple, or wrong: then the whole
// text has to be read, which says what.
func (n *Node) fillInPieces(text string, heads []head, octets int) bool {
	name := mostTables(heads)
	if at := slices.IndexFunc(heads, func(h head) bool { return h.folded }); at >= 0 {
		name = heads[at].first
	}
	list := n.Child(name)
	if list == nil || list.Kind != Array || !startLines(text, heads) {
		return false
	}
	var rest strings.Builder
	filled := 0
	for i := 0; i < len(heads); {
		end := runEnd(heads, i, name)
		if end == i { // of another table
			i++
			continue
		}
		// Pieces end where a table of that name begins.
		for from := i; from < end; {
			if heads[from].folded {
				if filled == len(list.Children) {
					return false
				}
				filled++
				from++
				continue
			}
			to := from + 1
			for to < end && !heads[to].folded && (!heads[to].many || heads[to].at-heads[from].at < octets) {
				to++
			}
			tables, ok := onlyTables(text[heads[from].at:start(text, heads, to)], name)
			if !ok || filled+len(tables) > len(list.Children) {
				return false
			}
			for i, t := range tables {
				list.Children[filled+i].fill(text, t)
				tables[i] = nil
			}
			filled += len(tables)
			from = to
		}
		i = end
	}
	if filled != len(list.Children) {
		return false
	}
	at := 0
	for i := 0; i < len(heads); {
		end := runEnd(heads, i, name)
		if end == i {
			i++
			continue
		}
		rest.WriteString(text[at:heads[i].at])
		at = start(text, heads, end)
		i = end
	}
	rest.WriteString(text[at:])
	values, err := decode(rest.String())
	if _, again := values[name]; err != nil || again {
		return false
	}
	// What is filled stays; fill does not look into it again.
	values[name] = filledAlready{}
	n.fill(text, values)
	return true
}

// filledAlready stands for a value that its node has.
type filledAlready struct{}

// onlyTables are the tables of a text that has nothing but [[name]].
func onlyTables(text, name string) ([]map[string]any, bool) {
	values, err := decode(text)
	if err != nil || len(values) != 1 {
		return nil, false
	}
	tables, ok := values[name].([]map[string]any)
	return tables, ok
}

// mostTables is the name of which there are the most.
func mostTables(heads []head) string {
	counts := make(map[string]int)
	most := ""
	for _, h := range heads {
		if h.many {
			if counts[h.first]++; counts[h.first] > counts[most] {
				most = h.first
			}
		}
	}
	return most
}

// mostWritten is the name of which the most [[name]] stand alone at the beginning of a
// line, before anything is known of the text.
func mostWritten(text string) string {
	var heads []head
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "[[")
		if name, _, closed := strings.Cut(rest, "]]"); ok && closed {
			heads = append(heads, head{first: name, many: true})
		}
	}
	return mostTables(heads)
}

// runEnd is where a run of tables of that name ends that begins with head i; i where
// none begins there.
func runEnd(heads []head, i int, name string) int {
	if !heads[i].many || heads[i].first != name {
		return i
	}
	for i++; i < len(heads) && heads[i].first == name; i++ {
	}
	return i
}

// start is where a head stands, the end of the text behind the last.
func start(text string, heads []head, i int) int {
	if i == len(heads) {
		return len(text)
	}
	return heads[i].at
}

// startLines tells whether each head is the first on its line: text before one would
// stand by itself without it.
func startLines(text string, heads []head) bool {
	for _, h := range heads {
		line := strings.TrimRight(text[:h.at], " \t")
		if line != "" && line[len(line)-1] != '\n' {
			return false
		}
	}
	return true
}
