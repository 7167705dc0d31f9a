//go:build race

package milter

// awaitingMost is what a connection that waits for content may hold, in octets; the
// race detector doubles what is counted.
const awaitingMost = 2 * (16 << 10)
