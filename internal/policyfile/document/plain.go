package document

import (
	"strconv"
	"strings"
)

// plain reads TOML as nearly every policy writes it: keys, texts on one line without
// escapes, numbers, true and false, arrays and inline tables of those. Where it says
// yes, toml reads the same; where it says no, nothing is known, and toml is asked.
type plain struct {
	file     string
	text     string
	at, line int
	room     *Room
}

const (
	// plainDepth is how deep values stand in each other at most.
	plainDepth = 8
	// ofDots is the place of a table that keys with dots made: these may add to it.
	ofDots = -1
	// plainDigits fit in every number.
	plainDigits = 15
)

// table reads pairs up to the next header or the end.
func (p *plain) table(into *Node) bool {
	for {
		p.space()
		switch {
		case !p.comment():
			return false
		case p.at == len(p.text) || p.text[p.at] == '[':
			return true
		case p.lineEnd():
			continue
		}
		if !p.pair(into, 0) {
			return false
		}
		p.space()
		if !p.comment() || p.at < len(p.text) && !p.lineEnd() {
			return false
		}
	}
}

// pair reads key = value.
func (p *plain) pair(n *Node, depth int) bool {
	line := p.line
	for ; depth < plainDepth; depth++ {
		key, ok := p.key()
		if !ok {
			return false
		}
		p.space()
		c := n.Child(key)
		switch {
		case p.take('.'):
			p.space()
			if c == nil {
				c = p.add(n, key, line)
				c.Kind, c.at = Table, ofDots
			} else if c.at != ofDots {
				return false
			}
			n = c
		case c == nil && p.take('='):
			p.space()
			return p.value(p.add(n, key, line), depth+1)
		default:
			return false
		}
	}
	return false
}

// add is a new value under a key.
func (p *plain) add(n *Node, key string, line int) *Node {
	c := p.room.node()
	c.File, c.Line, c.Key = p.file, line, key
	n.Add(c)
	return c
}

func (p *plain) key() (string, bool) {
	if p.is('"') || p.is('\'') {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.text) && Bare(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at], p.at > start
}

func (p *plain) value(n *Node, depth int) bool {
	if depth > plainDepth || p.at == len(p.text) {
		return false
	}
	switch c := p.text[p.at]; {
	case c == '"' || c == '\'':
		s, ok := p.quoted()
		n.Value = s
		return ok
	case c == '[':
		return p.array(n, depth)
	case c == '{':
		return p.inline(n, depth)
	case c == 't' || c == 'f':
		return p.truth(n)
	}
	return p.number(n)
}

// quoted reads a text on one line without escapes.
func (p *plain) quoted() (string, bool) {
	q := p.text[p.at]
	for i := p.at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == q:
			s := p.text[p.at+1 : i]
			p.at = i + 1
			return s, s != "" || !p.is(q) // three open another kind
		case c == '\\' && q == '"', control(c):
			return "", false
		}
	}
	return "", false
}

func (p *plain) truth(n *Node) bool {
	word := p.word()
	n.Value = word == "true"
	return word == "true" || word == "false"
}

// word passes over everything up to what may follow a value.
func (p *plain) word() string {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n,]}#", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[start:p.at]
}

// number reads an integer or a decimal fraction.
func (p *plain) number(n *Node) bool {
	word := p.word()
	whole, fraction, dot := strings.Cut(strings.TrimLeft(word, "+-"), ".")
	if len(word)-len(whole)-len(fraction) > 2 || !digits(whole) || whole[0] == '0' && len(whole) > 1 || len(whole)+len(fraction) > plainDigits {
		return false
	}
	if !dot {
		i, err := strconv.ParseInt(word, 10, 64)
		n.Value = i
		return err == nil
	}
	f, err := strconv.ParseFloat(word, 64)
	n.Value = f
	return digits(fraction) && err == nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// array reads values with commas between, over lines.
func (p *plain) array(n *Node, depth int) bool {
	n.Kind = Array
	p.at++
	for {
		if !p.gap() {
			return false
		}
		if p.take(']') {
			return true
		}
		c := p.room.node()
		c.File, c.Line, c.Key = p.file, p.line, n.Key
		n.Children = append(n.Children, c)
		if !p.value(c, depth+1) || !p.gap() {
			return false
		}
		if !p.take(',') && !p.is(']') {
			return false
		}
	}
}

// inline reads { key = value, ... } on one line.
func (p *plain) inline(n *Node, depth int) bool {
	n.Kind = Table
	p.at++
	p.space()
	if p.take('}') {
		return true
	}
	for {
		if !p.pair(n, depth) {
			return false
		}
		p.space()
		if p.take('}') {
			return true
		}
		if !p.take(',') {
			return false
		}
		p.space()
	}
}

// gap passes over space, comments and line ends.
func (p *plain) gap() bool {
	for {
		p.space()
		if !p.comment() {
			return false
		}
		if !p.lineEnd() {
			return true
		}
	}
}

func (p *plain) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// comment passes over one, if it stands here.
func (p *plain) comment() bool {
	if !p.is('#') {
		return true
	}
	for ; p.at < len(p.text) && !p.atLineEnd(); p.at++ {
		if control(p.text[p.at]) {
			return false
		}
	}
	return true
}

func (p *plain) atLineEnd() bool {
	return p.at == len(p.text) || p.text[p.at] == '\n' || strings.HasPrefix(p.text[p.at:], "\r\n")
}

// lineEnd passes over the end of a line.
func (p *plain) lineEnd() bool {
	if p.at == len(p.text) || !p.atLineEnd() {
		return false
	}
	p.at += strings.IndexByte(p.text[p.at:], '\n') + 1
	p.line++
	return true
}

func (p *plain) is(c byte) bool { return p.at < len(p.text) && p.text[p.at] == c }

func (p *plain) take(c byte) bool {
	if !p.is(c) {
		return false
	}
	p.at++
	return true
}
