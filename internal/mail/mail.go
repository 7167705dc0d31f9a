// Package mail reads and marks messages: header decoding, trace addresses,
// Subject tagging, sizes. It is pure.
package mail

import "net/netip"

// Field is one header field as the milter protocol shows it with
// SMFIP_HDR_LEADSPC: Value is everything after the colon, leading space and
// folds (bare LF, sometimes CRLF) included, without the line end.
type Field struct {
	Name, Value string
}

// Size is the field's octets on the wire, line ends CRLF.
func (f Field) Size() int64 { return 0 }

// Header is a message's fields in their order.
type Header []Field

// Get returns the raw value of the first field of that name, in any case.
func (h Header) Get(name string) (value string, ok bool) { return "", false }

// FallbackCharset is the charset in which raw 8-bit octets of the header are
// read when they are not UTF-8: that of Content-Type, "" when there is none.
func (h Header) FallbackCharset() string { return "" }

// Decode unfolds a raw value and decodes its encoded-words (RFC 2047).
func Decode(raw, fallbackCharset string) string { return raw }

// Subject is the decoded first Subject.
func (h Header) Subject() (subject string, ok bool) { return "", false }

// TraceIPs are the addresses in Received fields (from clause) and
// X-Originating-IP, nearest hop first, without repeats.
func (h Header) TraceIPs() []netip.Addr { return nil }

// MessageID is the first Message-ID, trimmed; "" when there is none.
func (h Header) MessageID() string { return "" }

// TagSubject puts tag and a space before a Subject's raw value, whatever its
// encoding, unless an identical tag stands there already. The result is
// folded with bare LF and begins with a space.
func TagSubject(raw, tag string) (value string, changed bool) { return raw, false }

// FieldValue makes a header field's value of any text: control characters go,
// what is not ASCII is encoded (RFC 2047), long lines are folded with bare
// LF. It begins with a space.
func FieldValue(name, text string) string { return " " + text }

// FoldAddress is the form under which addresses compare: case folded, domain
// as A-labels where IDNA allows. Source routes and quotes that are not needed
// go. An address without domain stays without.
func FoldAddress(addr string) string { return addr }

// SplitAddress cuts at the last @: local part and domain ("" without @).
func SplitAddress(addr string) (local, domain string) { return addr, "" }

// FoldDomain is a domain in lower-case A-labels, without a trailing dot.
func FoldDomain(domain string) string { return domain }
