package values

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// Is tells whether a value is of a kind, and reports it when not.
func (r *Reader) Is(n *document.Node, k document.Kind) bool {
	if n.Kind != k {
		r.Errorf(n, "%s must be %s, not %s", document.QuoteKey(n.Key), [...]string{"one value", "a table", "an array"}[k], n.What())
	}
	return n.Kind == k
}

// ReadString returns the text of a string.
func (r *Reader) ReadString(n *document.Node) (string, bool) {
	s, ok := n.Value.(string)
	if !ok {
		r.Errorf(n, "%s must be a string, not %s", document.QuoteKey(n.Key), n.What())
	}
	return s, ok
}

// TextNodes are the elements of an array of strings that are strings.
func (r *Reader) TextNodes(n *document.Node) []*document.Node {
	if n.Kind != document.Array {
		r.Errorf(n, "%s must be an array of strings, not %s", document.QuoteKey(n.Key), n.What())
		return nil
	}
	var texts []*document.Node
	for _, c := range n.Children {
		if _, ok := c.Value.(string); !ok {
			r.Errorf(c, "%s must have strings in its array, not %s", document.QuoteKey(n.Key), c.What())
			continue
		}
		texts = append(texts, c)
	}
	return texts
}

// OneOrMore reads a string, or an array of strings; none is no nil.
func (r *Reader) OneOrMore(n *document.Node) (texts []string, ok bool) {
	if s, ok := n.Value.(string); ok {
		return []string{s}, true
	}
	if n.Kind != document.Array {
		r.Errorf(n, "%s must be a string or an array of strings, not %s", document.QuoteKey(n.Key), n.What())
		return nil, false
	}
	texts = []string{}
	for _, c := range r.TextNodes(n) {
		texts = append(texts, c.Value.(string))
	}
	return texts, len(texts) == len(n.Children)
}

// Text reads a string.
func (r *Reader) Text(into *string) func(*document.Node) {
	return func(n *document.Node) {
		if s, ok := r.ReadString(n); ok {
			*into = s
		}
	}
}

// Path reads the name of a file or folder that is opened by who reads the policy.
func (r *Reader) Path(into *string) func(*document.Node) {
	return func(n *document.Node) {
		path := ""
		if r.Place(&path)(n); path != "" {
			*into = path
			r.Named(n, path)
		}
	}
}

// Named notes a file that is named, and tells where it cannot be reached.
func (r *Reader) Named(n *document.Node, path string) {
	r.Files = append(r.Files, path)
	if r.Reach == nil {
		return
	}
	if err := r.Reach(path); err != nil {
		r.Errorf(n, "%s: %s: %v", document.QuoteKey(n.Key), path, err)
	}
}

// Place reads the name of a file or folder that others see to.
func (r *Reader) Place(into *string) func(*document.Node) {
	return func(n *document.Node) {
		s, ok := r.ReadString(n)
		if ok && s == "" {
			r.Errorf(n, "%s is empty: it needs a path", n.Key)
		}
		if ok {
			*into = Resolve(n)
		}
	}
}

// PathOrNone is path, but that "" is for none.
func (r *Reader) PathOrNone(into *string) func(*document.Node) {
	return func(n *document.Node) {
		if n.Value != "" {
			r.Path(into)(n)
		}
	}
}

// Boolean reads true or false.
func (r *Reader) Boolean(into *bool) func(*document.Node) {
	return func(n *document.Node) {
		b, ok := n.Value.(bool)
		if !ok {
			r.Errorf(n, "%s must be true or false, not %s", document.QuoteKey(n.Key), n.What())
			return
		}
		*into = b
	}
}

// Choice reads one of two names: into is whether it is the second.
func (r *Reader) Choice(into *bool, first, second string) func(*document.Node) {
	return func(n *document.Node) {
		s, ok := r.ReadString(n)
		if ok && r.Among(n, s, []string{first, second}) {
			*into = s == second
		}
	}
}

// Among tells whether a name is a valid one, and reports it when not.
func (r *Reader) Among(n *document.Node, name string, valid []string) bool {
	if slices.Contains(valid, name) {
		return true
	}
	r.Errorf(n, "%s cannot be %q%s", n.Key, name, Hint(name, valid))
	return false
}

// Networks reads addresses and CIDR prefixes.
func (r *Reader) Networks(into *[]netip.Prefix) func(*document.Node) {
	return func(n *document.Node) {
		for _, c := range r.TextNodes(n) {
			if p, ok := r.Prefix(c); ok {
				*into = append(*into, p)
			}
		}
	}
}

// Prefix reads an address or a CIDR prefix.
func (r *Reader) Prefix(n *document.Node) (netip.Prefix, bool) {
	p, err := ParseNetwork(n.Value.(string))
	if err != nil {
		r.Errorf(n, "%s: %v", n.Key, err)
	}
	return p, err == nil
}

// ParseNetwork reads an address or a CIDR prefix. Those of IPv4 mapped into IPv6
// (RFC 4291 §2.5.5.2) are the IPv4 ones: that is how clients are compared.
func ParseNetwork(s string) (netip.Prefix, error) {
	neither := fmt.Errorf("%q is neither an address nor a prefix such as 10.0.0.0/8", s)
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, neither
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, neither
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits set behind its length; did you mean %s?", s, p.Masked())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, nil
}

// OneOf reads one of some names.
func (r *Reader) OneOf(into *string, valid ...string) func(*document.Node) {
	return func(n *document.Node) {
		if s, ok := r.ReadString(n); ok && r.Among(n, s, valid) {
			*into = s
		}
	}
}
