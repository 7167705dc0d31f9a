package config

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/config/document"
	"github.com/tollgate-mail/tollgate/rules"
)

// is tells whether a value is of a kind, and reports it when not.
func (d *decoder) is(n *node, k document.Kind) bool {
	if n.Kind != k {
		d.errorf(n, "%s must be %s, not %s", document.QuoteKey(n.Key), [...]string{"one value", "a table", "an array"}[k], n.What())
	}
	return n.Kind == k
}

// readString returns the text of a string.
func (d *decoder) readString(n *node) (string, bool) {
	s, ok := n.Value.(string)
	if !ok {
		d.errorf(n, "%s must be a string, not %s", document.QuoteKey(n.Key), n.What())
	}
	return s, ok
}

// textNodes are the elements of an array of strings that are strings.
func (d *decoder) textNodes(n *node) []*node {
	if n.Kind != document.Array {
		d.errorf(n, "%s must be an array of strings, not %s", document.QuoteKey(n.Key), n.What())
		return nil
	}
	var texts []*node
	for _, c := range n.Children {
		if _, ok := c.Value.(string); !ok {
			d.errorf(c, "%s must have strings in its array, not %s", document.QuoteKey(n.Key), c.What())
			continue
		}
		texts = append(texts, c)
	}
	return texts
}

// text reads a string.
func (d *decoder) text(into *string) func(*node) {
	return func(n *node) {
		if s, ok := d.readString(n); ok {
			*into = s
		}
	}
}

// path reads the name of a file or folder, which must be there.
func (d *decoder) path(into *string) func(*node) {
	return func(n *node) {
		s, ok := d.readString(n)
		if ok && s == "" {
			d.errorf(n, "%s is empty: it needs a path", n.Key)
		}
		if ok {
			*into = resolve(n)
		}
	}
}

// pathOrNone is path, but that "" is for none.
func (d *decoder) pathOrNone(into *string) func(*node) {
	return func(n *node) {
		if n.Value != "" {
			d.path(into)(n)
		}
	}
}

// boolean reads true or false.
func (d *decoder) boolean(into *bool) func(*node) {
	return func(n *node) {
		b, ok := n.Value.(bool)
		if !ok {
			d.errorf(n, "%s must be true or false, not %s", document.QuoteKey(n.Key), n.What())
			return
		}
		*into = b
	}
}

// choice reads one of two names: into is whether it is the second.
func (d *decoder) choice(into *bool, first, second string) func(*node) {
	return func(n *node) {
		s, ok := d.readString(n)
		if ok && d.among(n, s, []string{first, second}) {
			*into = s == second
		}
	}
}

// among tells whether a name is a valid one, and reports it when not.
func (d *decoder) among(n *node, name string, valid []string) bool {
	if slices.Contains(valid, name) {
		return true
	}
	d.errorf(n, "%s cannot be %q%s", n.Key, name, hint(name, valid))
	return false
}

// networks reads addresses and CIDR prefixes.
func (d *decoder) networks(into *[]netip.Prefix) func(*node) {
	return func(n *node) {
		for _, c := range d.textNodes(n) {
			if p, ok := d.prefix(c); ok {
				*into = append(*into, p)
			}
		}
	}
}

func (d *decoder) prefix(n *node) (netip.Prefix, bool) {
	s := n.Value.(string)
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			d.errorf(n, "%s: %q is neither an address nor a prefix such as 10.0.0.0/8", n.Key, s)
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		d.errorf(n, "%s: %q is neither an address nor a prefix such as 10.0.0.0/8", n.Key, s)
		return netip.Prefix{}, false
	}
	if p != p.Masked() {
		d.errorf(n, "%s: %s has bits set behind its length; did you mean %s?", n.Key, s, p.Masked())
		return netip.Prefix{}, false
	}
	// IPv4-mapped prefixes (RFC 4291 §2.5.5.2) are the IPv4 ones: that is how
	// clients are compared.
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, true
}

// maxWeight bounds one weight, so that no sum of them can overflow.
const maxWeight = 1_000_000_000

// weight reads a number in thousandths.
func (d *decoder) weight(into *rules.Weight) func(*node) {
	return func(n *node) {
		var text string
		switch v := n.Value.(type) {
		case int64:
			text = strconv.FormatInt(v, 10)
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				d.errorf(n, "%s must be a finite number", n.Key)
				return
			}
			// The shortest form is the one that was written, but for zeros.
			text = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			d.errorf(n, "%s must be a number, not %s", document.QuoteKey(n.Key), n.What())
			return
		}
		whole, fraction, _ := strings.Cut(text, ".")
		if len(fraction) > 3 {
			d.errorf(n, "%s %s has more than three decimals", n.Key, text)
			return
		}
		w, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
		if err != nil || w > 1000*maxWeight || w < -1000*maxWeight {
			d.errorf(n, "%s is out of range: at most %d either way", n.Key, maxWeight)
			return
		}
		*into = rules.Weight(w)
	}
}
