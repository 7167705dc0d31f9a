package list

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// parseRange reads "192.168.1.10-192.168.1.20", both ends included. It is not a
// range when one end is no address.
func parseRange(s string) (low, high netip.Addr, is bool, err error) {
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		return low, high, false, nil
	}
	low, errLow := netip.ParseAddr(strings.TrimSpace(first))
	high, errHigh := netip.ParseAddr(strings.TrimSpace(last))
	if errLow != nil || errHigh != nil || low.Zone() != "" || high.Zone() != "" {
		return low, high, false, nil
	}
	low, high = low.Unmap(), high.Unmap()
	if low.BitLen() != high.BitLen() || high.Less(low) {
		return low, high, true, fmt.Errorf("the range %s goes down", s)
	}
	return low, high, true, nil
}

// cover are the prefixes that a range consists of, at most two for each bit of
// an address.
func cover(low, high netip.Addr) []netip.Prefix {
	var all []netip.Prefix
	for {
		// The widest prefix that begins at low and does not pass high.
		length := low.BitLen() - trailingZeros(low)
		for length < low.BitLen() && high.Less(lastOf(low, length)) {
			length++
		}
		all = append(all, netip.PrefixFrom(low, length))
		last := lastOf(low, length)
		if last == high {
			return all
		}
		low = last.Next()
	}
}

func trailingZeros(a netip.Addr) int {
	n := 0
	b := a.AsSlice()
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0 {
			return n + bits.TrailingZeros8(b[i])
		}
		n += 8
	}
	return n
}

// lastOf is the last address of a prefix.
func lastOf(a netip.Addr, length int) netip.Addr {
	b := a.AsSlice()
	for bit := length; bit < len(b)*8; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}
