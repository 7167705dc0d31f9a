package gate

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// refs makes references: short, unique, easy to read over the telephone.
type refs struct {
	now  func() time.Time
	next atomic.Uint32
}

func newRefs(now func() time.Time) *refs {
	r := &refs{now: now}
	r.next.Store(rand.Uint32())
	return r
}

// refAlphabet is Crockford's base 32: no i, l, o or u to be misheard.
const refAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// refEpoch is 2026-01-01, in ms since 1970.
const refEpoch = 1767225600000

// make returns 12 characters: 41 bits of milliseconds, so that references
// sort by time, and 19 bits of a counter with a random start, so that neither
// one gateway nor several give the same one twice.
func (r *refs) make() string {
	ms := uint64(r.now().UnixMilli()-refEpoch) & (1<<41 - 1)
	v := ms<<19 | uint64(r.next.Add(1))&(1<<19-1)
	var b [12]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = refAlphabet[v&31]
		v >>= 5
	}
	return string(b[:])
}
