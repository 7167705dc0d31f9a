package document

import "strings"

// A text may have very many [[name]] tables of a few plain lines each. Those stay
// folded: nothing is kept of them but where they stand, and who wants to see one
// reads it again, into room that is used for the next.

// sheet is the text that folded tables stand in; it is the Value of their nodes.
type sheet struct{ text string }

// Room is where folded tables are opened.
type Room struct {
	nodes []Node
	used  int
}

// roomSize is how many values a table has room for at first.
const roomSize = 64

// node is one without anything; what was opened before is lost.
func (r *Room) node() *Node {
	if r.used == len(r.nodes) {
		// Those that are given out stay where they are.
		r.nodes, r.used = make([]Node, max(roomSize, 2*len(r.nodes))), 0
	}
	n := &r.nodes[r.used]
	r.used++
	*n = Node{Children: n.Children[:0]}
	return n
}

// Open is n with what stands in it. A table that was left folded is read again into
// room, where it is good until the next is opened there.
func (n *Node) Open(room *Room) *Node {
	folded, ok := n.Value.(*sheet)
	if !ok || n.Kind != Table {
		return n
	}
	room.used = 0
	open := room.node()
	open.File, open.Line, open.Key, open.Kind = n.File, n.Line, n.Key, Table
	p := plain{file: n.File, text: folded.text, at: int(n.at), line: n.Line, room: room}
	p.table(open) // it was read before, and reads alike
	return open
}

// fold passes over a [[name]] table if it is made of nothing but plain lines, and
// enters it folded.
func (s *scanner) fold(root *Node) bool {
	p := plain{file: s.file, text: s.text, at: s.at, room: &s.room}
	if s.folding == "" || !p.header(s.folding) {
		return false
	}
	line := s.here()
	p.line = line
	s.room.used = 0
	start := p.at
	if !p.table(s.room.node()) || !p.ends(s.folding) {
		return false
	}
	list := root.Child(s.folding)
	if list == nil {
		list = &Node{File: s.file, Line: line, Key: s.folding, Kind: Array}
		root.Add(list)
	}
	if list.Kind != Array {
		return false
	}
	if s.sheet == nil {
		s.sheet = &sheet{s.text}
	}
	list.Children = append(list.Children, &Node{
		File: s.file, Line: line, Key: s.folding, Kind: Table, at: int32(start), Value: s.sheet,
	})
	s.heads = append(s.heads, head{at: s.at, first: s.folding, many: true, folded: true})
	s.at = p.at
	return true
}

// header passes over [[name]] and what follows on its line.
func (p *plain) header(name string) bool {
	rest, ok := strings.CutPrefix(p.text[p.at:], "[[")
	if !ok || !strings.HasPrefix(rest, name) || !strings.HasPrefix(rest[len(name):], "]]") {
		return false
	}
	p.at += len(name) + len("[[]]")
	// The line end stays, to be counted.
	p.space()
	return p.comment() && p.atLineEnd()
}

// ends tells whether the table before ends where p stands: what follows may be part
// of it otherwise.
func (p *plain) ends(name string) bool {
	if p.at == len(p.text) {
		return true
	}
	rest := strings.TrimLeft(p.text[p.at:], "[ \t")
	n := 0
	for n < len(rest) && Bare(rest[n]) {
		n++
	}
	return n > 0 && rest[:n] != name || strings.HasPrefix(p.text[p.at:], "[["+name+"]]")
}
