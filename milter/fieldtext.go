package milter

import "strings"

// chunkSize is how much of a header is kept in one piece.
const chunkSize = 4 << 10

// fieldText keeps header fields as strings, many in one allocation: a string
// for each would be a third of all allocations of a message.
type fieldText struct {
	chunk *strings.Builder
}

// keep returns the concatenation of parts, which together have n octets.
func (t *fieldText) keep(n int, parts ...[]byte) string {
	// A chunk never grows: the strings in it stay what they are.
	if t.chunk == nil || t.chunk.Cap()-t.chunk.Len() < n {
		t.chunk = new(strings.Builder)
		t.chunk.Grow(max(chunkSize, n))
	}
	from := t.chunk.Len()
	for _, p := range parts {
		t.chunk.Write(p)
	}
	return t.chunk.String()[from:]
}
