package embedded

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"github.com/tollgate-mail/tollgate/internal/state"
)

// The kinds of keys: their first octet.
const (
	tripletKey = 't'
	networkKey = 'n'
	pairKey    = 'p'
)

// Marks of a triplet.
const (
	waiting = 'w'
	passed  = 'p'
)

var errEntry = errors.New("not an entry of the state")

func idKey(kind byte, id state.ID) string { return string(kind) + string(id[:]) }

func netKey(p netip.Prefix) string {
	b := append([]byte{networkKey}, p.Addr().AsSlice()...)
	return string(append(b, byte(p.Bits())))
}

// An entry begins with the Unix milliseconds at which it expires.

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMilli()))
}

// maxTime is past all times that are kept (the year 5138), and far from where
// sums would turn over.
const maxTime = 1e14

func readTime(b []byte) (t time.Time, rest []byte, err error) {
	if len(b) < 8 {
		return t, nil, errEntry
	}
	ms := binary.BigEndian.Uint64(b)
	if ms == 0 || ms > maxTime {
		return t, nil, errEntry
	}
	return time.UnixMilli(int64(ms)).UTC(), b[8:], nil
}

// expired tells whether an entry is over; what is no entry is, too.
func expired(entry []byte, now time.Time) bool {
	at, _, err := readTime(entry)
	return err != nil || !now.Before(at)
}

// isWaiting tells whether it is a triplet that has not passed.
func isWaiting(key, entry []byte) bool {
	return len(key) > 0 && key[0] == tripletKey && len(entry) > 16 && entry[16] == waiting
}

func encodeTriplet(t state.Triplet, terms state.Terms) []byte {
	life, mark := terms.Window, byte(waiting)
	if t.Passed {
		life, mark = terms.Life, passed
	}
	return append(appendTime(appendTime(make([]byte, 0, 17), t.Since.Add(life)), t.Since), mark)
}

func decodeTriplet(b []byte) (t state.Triplet, err error) {
	if _, b, err = readTime(b); err != nil {
		return t, err
	}
	if t.Since, b, err = readTime(b); err != nil {
		return state.Triplet{}, err
	}
	if len(b) != 1 || b[0] != waiting && b[0] != passed {
		return state.Triplet{}, errEntry
	}
	t.Passed = b[0] == passed
	return t, nil
}

func encodeNetwork(n state.Network, terms state.Terms) []byte {
	b := appendTime(appendTime(make([]byte, 0, 16+len(n.Passed)*len(state.ID{})), n.Last.Add(terms.Life)), n.Last)
	for _, id := range n.Passed {
		b = append(b, id[:]...)
	}
	return b
}

func decodeNetwork(b []byte) (n state.Network, err error) {
	if _, b, err = readTime(b); err != nil {
		return n, err
	}
	if n.Last, b, err = readTime(b); err != nil {
		return state.Network{}, err
	}
	const size = len(state.ID{})
	if len(b)%size != 0 {
		return state.Network{}, errEntry
	}
	n.Passed = make([]state.ID, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		n.Passed = append(n.Passed, state.ID(b[:size]))
	}
	return n, nil
}

func encodePair(at time.Time, life time.Duration) []byte {
	return appendTime(appendTime(make([]byte, 0, 16), at.Add(life)), at)
}

func decodePair(b []byte) (at time.Time, err error) {
	if _, b, err = readTime(b); err != nil {
		return at, err
	}
	if at, b, err = readTime(b); err != nil || len(b) != 0 {
		return time.Time{}, errEntry
	}
	return at, nil
}
