package document

import "strings"

// maxDepth bounds how deep tables and arrays may stand in each other, and how
// many parts a key may have: toml reads both by recursion.
const maxDepth = 24

// scanner finds where the keys and values of a TOML text stand. It does not
// judge the text: that is toml's, and what toml does not take is lost anyway.
// Of a text that toml takes it finds every key and every element.
type scanner struct {
	file string
	text string
	at   int

	line    int // at counted
	counted int

	deep int // the line where something stands deeper than maxDepth; 0: nowhere

	heads []head

	// Plain tables [[folding]] are left folded; "" for none.
	folding string
	sheet   *sheet
	room    Room
}

// head is where a [table] or [[table]] begins.
type head struct {
	at    int
	first string // part of its name
	many  bool   // [[first]], and no more parts

	folded bool // its table is
}

// scan returns the places of a text, still without values. deep is the first
// line at which nesting goes too far; nothing is known behind it.
func scan(file, text string) (root *Node, heads []head, deep int) {
	return scanFolding(file, text, "")
}

// scanFolding is scan that leaves plain tables [[folding]] folded.
func scanFolding(file, text, folding string) (root *Node, heads []head, deep int) {
	s := &scanner{file: file, text: text, line: 1, folding: folding}
	root = &Node{File: file, Line: 1, Kind: Table}
	current := root
	for s.skipSpace(true); s.at < len(text); s.skipSpace(true) {
		start := s.at
		switch {
		case text[s.at] == '[' && s.fold(root):
		case text[s.at] == '[':
			current = s.header(root)
		default:
			s.pair(current, 0)
		}
		if s.deep > 0 {
			return root, nil, s.deep
		}
		if s.at == start {
			s.at++
		}
	}
	return root, s.heads, 0
}

// here is the line of what stands at s.at, which only ever grows.
func (s *scanner) here() int {
	s.line += strings.Count(s.text[s.counted:s.at], "\n")
	s.counted = s.at
	return s.line
}

// is tells whether c stands here.
func (s *scanner) is(c byte) bool { return s.at < len(s.text) && s.text[s.at] == c }

// skipSpace passes over space and, where lines may end, over line ends and
// comments.
func (s *scanner) skipSpace(lines bool) {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == ' ', c == '\t', lines && (c == '\n' || c == '\r'):
			s.at++
		case c == '#' && lines:
			s.skipTo("\n")
		default:
			return
		}
	}
}

// skipTo passes over everything up to one of chars, or the end.
func (s *scanner) skipTo(chars string) {
	if n := strings.IndexAny(s.text[s.at:], chars); n >= 0 {
		s.at += n
	} else {
		s.at = len(s.text)
	}
}

// header reads [key] and [[key]] and returns the table that begins there.
func (s *scanner) header(root *Node) *Node {
	line, start := s.here(), s.at
	s.at++
	many := s.is('[')
	if many {
		s.at++
	}
	parts := s.key()
	s.skipTo("\n")
	if len(parts) == 0 {
		s.heads = append(s.heads, head{at: start}) // none: toml says so
		return root
	}
	s.heads = append(s.heads, head{at: start, first: parts[0], many: many && len(parts) == 1})
	n := root
	for _, p := range parts[:len(parts)-1] {
		n = s.enter(n, p, line)
	}
	last := parts[len(parts)-1]
	if many {
		list := n.Child(last)
		if list == nil {
			list = &Node{File: s.file, Line: line, Key: last, Kind: Array}
			n.Add(list)
		}
		element := &Node{File: s.file, Line: line, Key: last, Kind: Table}
		list.Children, list.named = append(list.Children, element), nil
		return element
	}
	n = s.enter(n, last, line)
	n.Line = line // [a.b] may have made [a]: its own header says where it is
	return n
}

// enter returns the table under a key: of an array of tables the last one.
func (s *scanner) enter(n *Node, key string, line int) *Node {
	c := n.Child(key)
	if c == nil {
		c = &Node{File: s.file, Line: line, Key: key, Kind: Table}
		n.Add(c)
	}
	if c.Kind == Array && len(c.Children) > 0 {
		return c.Children[len(c.Children)-1]
	}
	return c
}

// pair reads key = value into a table.
func (s *scanner) pair(n *Node, depth int) {
	line := s.here()
	parts := s.key()
	if len(parts) == 0 || !s.is('=') {
		s.skipTo(",}\n")
		return
	}
	s.at++
	for _, p := range parts[:len(parts)-1] {
		n = s.enter(n, p, line)
	}
	last := parts[len(parts)-1]
	c := n.Child(last)
	if c == nil {
		c = &Node{File: s.file, Key: last}
		n.Add(c)
	}
	c.Line = line
	s.value(c, depth+len(parts))
}

// value reads what follows = or stands in an array.
func (s *scanner) value(n *Node, depth int) {
	s.skipSpace(false)
	if depth > maxDepth {
		s.deep = s.here()
		return
	}
	switch {
	case s.is('['):
		n.Kind = Array
		s.inside(']', func() {
			element := &Node{File: s.file, Line: s.here(), Key: n.Key}
			s.value(element, depth+1)
			n.Children = append(n.Children, element)
		})
	case s.is('{'):
		n.Kind = Table
		s.inside('}', func() { s.pair(n, depth+1) })
	case s.is('"'), s.is('\''):
		n.at = int32(s.at) // texts are shorter than MaxFile
		s.quoted()
	default:
		s.skipTo(",]}#\n")
	}
}

// inside reads what stands between brackets, with commas between.
func (s *scanner) inside(end byte, one func()) {
	s.at++
	for s.skipSpace(true); s.at < len(s.text) && s.deep == 0; s.skipSpace(true) {
		switch s.text[s.at] {
		case end:
			s.at++
			return
		case ',':
			s.at++
			continue
		}
		start := s.at
		one()
		if s.at == start {
			s.at++
		}
	}
}

// control tells characters that stand in no text and no comment of one line.
func control(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }
