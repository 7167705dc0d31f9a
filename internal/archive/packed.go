package archive

import (
	"bytes"
	"encoding/binary"
)

// isPacked recognises archives, and images of disks, that are not read here.
func isPacked(has func(at int, magic string) bool, head []byte) bool {
	for _, magic := range []string{
		"\x28\xb5\x2f\xfd",                     // zstd
		"\x04\x22\x4d\x18", "\x02\x21\x4c\x18", // lz4
		"LZIP", "\x1f\x9d", "RE~^", "MSCF\x00", "xar!\x00", "\xed\xab\xee\xdb", "!<arch>\n",
		"MSWIM\x00\x00\x00", "vhdxfile", "conectix", "QFI\xfb", "KDMV", "<<< Oracle VM", "<<< QEMU", "ITSF", "7kSt\xa0", "zPQ", "SIT!", "StuffIt (c)", "ALZ\x01", "EGGA", "hsqs",
		"\x89LZO\x00\r\n\x1a\n", "SZDD\x88\xf0'3", "SZ \x88\xf0'3", "KWAJ\x88\xf0'\xd1", "EVF\x09\x0d\x0a\xff\x00", "IsZ!", "DAA\x00", "ISc(", "ArC\x01", "UFA\xc6\xd2\xc1",
		"(This file must be converted with BinHex", "\x00\x05\x16\x00", // AppleSingle
	} {
		if has(0, magic) {
			return true
		}
	}
	switch {
	case has(7, "**ACE**"), has(0, "\x60\xea") && len(head) > 10 && head[10] <= 2:
		return true
	case has(20, "\xdc\xa7\xc4\xfd"): // zoo
		return true
	case has(0, "070701"), has(0, "070702"): // cpio
		return digits(head, 110, "0123456789abcdefABCDEF")
	case has(0, "070707"):
		return digits(head, 76, "01234567")
	case (has(2, "-lh") || has(2, "-lz")) && has(6, "-"):
		return true
	case has(510, "\x55\xaa"): // a disk: its first sector, or that of a file system
		return has(3, "MSDOS") || has(3, "MSWIN") || has(3, "mkfs") || has(3, "NTFS ") || has(3, "EXFAT") || partitioned(head)
	}
	return isLZMA(head)
}

// partitioned tells the first sector of a disk with partitions.
func partitioned(head []byte) bool {
	const table, each, kind = 446, 16, 4
	some := false
	for e := head[table : table+4*each]; len(e) > 0; e = e[each:] {
		if e[0]&0x7f != 0 {
			return false
		}
		some = some || e[kind] != 0
	}
	return some
}

// isLZMA tells a file of LZMA alone, which has no signature: its properties, a
// dictionary of a power of two or half as much again, and a length that is not
// known or likely.
func isLZMA(head []byte) bool {
	const usual, length = 0x5d, 13
	if len(head) < length || head[0] != usual {
		return false
	}
	dictionary, full := binary.LittleEndian.Uint32(head[1:]), binary.LittleEndian.Uint64(head[5:])
	for dictionary > 3 && dictionary%2 == 0 {
		dictionary /= 2
	}
	return dictionary > 0 && dictionary <= 3 && (full == 1<<64-1 || full < 1<<38)
}

// digits tells whether a header of so many octets has nothing else.
func digits(head []byte, n int, set string) bool {
	return len(head) >= n && len(bytes.Trim(head[:n], set)) == 0
}
