//go:build !race

package milter

// awaitingMost is what a connection that waits for content may hold, in octets.
const awaitingMost = 16 << 10
