package text

import "github.com/tollgate-mail/tollgate/internal/css"

// standing is whether an element stands in a page, or goes without saying.
type standing int

const (
	given standing = iota
	impliedRow
	impliedBody // of a table
	impliedPage // what all of a page is in
	impliedRoot
)

// node is an element for a style sheet, or one that goes without saying between it and
// what it stands in (HTML §13.2.6.4).
type node struct {
	p    *page
	at   int // of the element that it is, or that stands in it
	here standing
}

var _ css.Element = (*node)(nil)

// node is an open element for a style sheet. It is valid until another is opened.
func (p *page) node(at int) *node {
	n := &p.open[at].node
	*n = node{p, at, given}
	return n
}

// Name is in lower case.
func (n *node) Name() string {
	switch n.here {
	case impliedRow:
		return "tr"
	case impliedBody:
		return "tbody"
	case impliedPage:
		return "body"
	case impliedRoot:
		return "html"
	}
	return n.p.open[n.at].name
}

// Attr is an attribute that was kept.
func (n *node) Attr(name string) (css.Cased, bool) {
	if n.here != given {
		return css.Cased{}, false
	}
	return attributeOf(n.p.open[n.at].attrs, name)
}

// Before is the element that stands before it in the same one.
func (n *node) Before() css.Element {
	if s := n.p.open[n.at].beside; n.here == given && s != nil {
		return aside{s, n.p, n.at}.Before()
	}
	return nil
}

// Place is which of the elements in the same one it is, 0 where that is not known.
func (n *node) Place(ofName bool) int {
	if s := n.p.open[n.at].beside; n.here == given && s != nil {
		return aside{s, n.p, n.at}.Place(ofName)
	}
	return 0
}

// Parent is the element around it.
func (n *node) Parent() css.Element {
	around := ""
	if n.at > 0 {
		around = n.p.open[n.at-1].name
	}
	switch name := n.Name(); {
	case (name == "td" || name == "th") && around != "" && around != "tr":
		if n.here == given {
			return &node{n.p, n.at, impliedRow}
		}
	case name == "tr" && around == "table":
		return &node{n.p, n.at, impliedBody}
	case around == "html" && name != "head" && name != "body":
		return &node{n.p, n.at, impliedPage}
	case n.at > 0:
	case name == "html":
		return nil
	case name == "body" || name == "head":
		return &node{n.p, n.at, impliedRoot}
	default:
		return &node{n.p, n.at, impliedPage}
	}
	return n.p.node(n.at - 1)
}
