package values

import (
	"net/netip"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// IPv4-mapped prefixes are compared as IPv4.
func TestPrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "192.0.2.1": "192.0.2.1/32", "2001:db8::/32": "2001:db8::/32", "::1": "::1/128",
		"::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:192.0.2.1": "192.0.2.1/32", "0.0.0.0/0": "0.0.0.0/0", "::/0": "::/0",
	} {
		d := &Reader{}
		if p, ok := d.Prefix(&document.Node{Value: text}); !ok || p != netip.MustParsePrefix(want) {
			t.Errorf("%s: %v %v", text, p, d.Problems)
		}
	}
}
