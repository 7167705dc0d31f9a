package redis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// slotCount is how many slots the keys of a Cluster fall into.
const slotCount = 16384

// Slot is the slot of a key: of the part in braces where there is one.
func Slot(key string) int {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	// CRC-16/XMODEM, as the Cluster specification has it.
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % slotCount
}

// Slots are ranges of slots, both ends included, in order. Nil are those of a
// server that is no part of a Cluster: all.
type Slots [][2]int

// Has reports whether the slot is one of them.
func (s Slots) Has(slot int) bool {
	return s == nil || slices.ContainsFunc(s, func(r [2]int) bool { return r[0] <= slot && slot <= r[1] })
}

// String is such as "0-5460,9000"; "" for all.
func (s Slots) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		if parts[i] = strconv.Itoa(r[0]); r[1] != r[0] {
			parts[i] += "-" + strconv.Itoa(r[1])
		}
	}
	return strings.Join(parts, ",")
}

// ownSlots are the slots that a node says it owns, of its answer to CLUSTER
// NODES. A slot on its way to or from the node counts where it is until it has
// moved.
func ownSlots(nodes string) (Slots, error) {
	for line := range strings.Lines(nodes) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !slices.Contains(strings.Split(fields[2], ","), "myself") {
			continue
		}
		if !slices.Contains(strings.Split(fields[2], ","), "master") {
			return nil, fmt.Errorf("%w: node %s is no master", ErrTopology, fields[1])
		}
		slots := Slots{}
		for _, f := range fields[8:] {
			if strings.HasPrefix(f, "[") {
				continue
			}
			first, last, more := strings.Cut(f, "-")
			if !more {
				last = first
			}
			from, err := strconv.Atoi(first)
			to, err2 := strconv.Atoi(last)
			if err != nil || err2 != nil || from < 0 || to < from || to >= slotCount {
				return nil, fmt.Errorf("%w: slots %q", ErrReply, f)
			}
			slots = append(slots, [2]int{from, to})
		}
		slices.SortFunc(slots, func(a, b [2]int) int { return a[0] - b[0] })
		return slots, nil
	}
	return nil, fmt.Errorf("%w: CLUSTER NODES without the node itself", ErrReply)
}
