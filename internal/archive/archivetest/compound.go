package archivetest

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
)

// Storage is one of a compound file ([MS-CFB]): streams and storages by name.
type Storage map[string]any

// CompoundOf writes a compound file: streams of less than 4096 octets among the
// small ones.
func CompoundOf(root Storage) []byte {
	const (
		sector, small, cutoff   = 512, 64, 4096
		free, end, table        = 0xffffffff, 0xfffffffe, 0xfffffffd
		entry, perTable, header = 128, sector / 4, 512
	)
	var body, mini []byte
	var fat, miniFAT []uint32
	chain := func(content []byte) uint32 {
		start := uint32(len(fat))
		for at := 0; at < len(content); at += sector {
			fat = append(fat, uint32(len(fat)+1))
			body = append(body, content[at:min(at+sector, len(content))]...)
			body = append(body, make([]byte, -len(body)&(sector-1))...)
		}
		if len(content) == 0 {
			return end
		}
		fat[len(fat)-1] = end
		return start
	}
	smallChain := func(content []byte) uint32 {
		start := uint32(len(miniFAT))
		for at := 0; at < len(content); at += small {
			miniFAT = append(miniFAT, uint32(len(miniFAT)+1))
			mini = append(mini, content[at:min(at+small, len(content))]...)
			mini = append(mini, make([]byte, -len(mini)&(small-1))...)
		}
		if len(content) == 0 {
			return end
		}
		miniFAT[len(miniFAT)-1] = end
		return start
	}
	var directory []byte
	add := func(name string, kind byte) int {
		e := make([]byte, entry)
		for i, u := range utf16.Encode([]rune(name)) {
			binary.LittleEndian.PutUint16(e[2*i:], u)
		}
		e[64], e[66], e[67] = byte(2*len([]rune(name))+2), kind, 1
		for _, at := range []int{68, 72, 76} {
			binary.LittleEndian.PutUint32(e[at:], free)
		}
		directory = append(directory, e...)
		return len(directory) - entry
	}
	var fill func(at int, s Storage)
	fill = func(at int, s Storage) {
		before := at + 76 // the child of the storage, then the right of each
		for _, name := range slices.Sorted(maps.Keys(s)) {
			what := s[name]
			kind := byte(1)
			if _, ok := what.([]byte); ok {
				kind = 2
			}
			n := add(name, kind)
			binary.LittleEndian.PutUint32(directory[before:], uint32(n/entry))
			before = n + 72
			switch what := what.(type) {
			case []byte:
				start := uint32(0)
				if len(what) < cutoff {
					start = smallChain(what)
				} else {
					start = chain(what)
				}
				binary.LittleEndian.PutUint32(directory[n+116:], start)
				binary.LittleEndian.PutUint32(directory[n+120:], uint32(len(what)))
			case Storage:
				fill(n, what)
			}
		}
	}
	fill(add("Root Entry", 5), root)
	binary.LittleEndian.PutUint32(directory[116:], chain(mini))
	binary.LittleEndian.PutUint32(directory[120:], uint32(len(mini)))
	for len(directory)%sector != 0 {
		directory = append(directory, make([]byte, entry)...)
	}
	first := chain(directory)
	words := func(list []uint32) []byte {
		var b []byte
		for _, v := range list {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		for len(b)%sector != 0 {
			b = binary.LittleEndian.AppendUint32(b, free)
		}
		return b
	}
	smalls := chain(words(miniFAT))
	h := make([]byte, header)
	copy(h, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	binary.LittleEndian.PutUint16(h[24:], 0x3e)
	binary.LittleEndian.PutUint16(h[26:], 3)
	copy(h[28:], "\xfe\xff\x09\x00\x06\x00")
	binary.LittleEndian.PutUint32(h[48:], first)
	binary.LittleEndian.PutUint32(h[56:], cutoff)
	binary.LittleEndian.PutUint32(h[60:], smalls)
	binary.LittleEndian.PutUint32(h[64:], uint32((len(miniFAT)+perTable-1)/perTable))
	binary.LittleEndian.PutUint32(h[68:], end)
	tables := 1
	for (len(fat)+tables+perTable-1)/perTable > tables {
		tables++
	}
	binary.LittleEndian.PutUint32(h[44:], uint32(tables))
	for i := range 109 {
		binary.LittleEndian.PutUint32(h[76+4*i:], free)
	}
	for i := range tables {
		binary.LittleEndian.PutUint32(h[76+4*i:], uint32(len(fat)))
		fat = append(fat, table)
	}
	return append(append(h, body...), words(fat)...)
}

// MSGOf is a message of Outlook ([MS-OXMSG]) with one file attached, whose name
// is in Unicode or in octets.
func MSGOf(name string, content []byte, unicode bool) Storage {
	attachment := Storage{"__properties_version1.0": make([]byte, 8), "__substg1.0_37010102": content}
	if unicode {
		attachment["__substg1.0_3707001F"] = utf16Of(name)
		attachment["__substg1.0_3704001F"] = utf16Of("INVOIC~1" + name[max(strings.LastIndexByte(name, '.'), 0):])
	} else {
		attachment["__substg1.0_3707001E"] = []byte(name)
	}
	return Storage{
		"__properties_version1.0":       make([]byte, 32),
		"__substg1.0_0037001F":          utf16Of("subject.exe"),
		"__recip_version1.0_#00000000":  Storage{"__substg1.0_3001001F": utf16Of("Someone.exe")},
		"__attach_version1.0_#00000000": attachment,
		"__nameid_version1.0":           Storage{"__substg1.0_00020102": []byte("x")},
	}
}

// MSGWithin is a message of Outlook with a message in it.
func MSGWithin(message Storage) Storage {
	return Storage{
		"__properties_version1.0":       make([]byte, 32),
		"__attach_version1.0_#00000000": Storage{"__substg1.0_3001001F": utf16Of("Fwd: the invoice"), "__substg1.0_3701000D": message},
	}
}

// PackageOf is an office document with a file embedded as it is ([MS-OLEDS]
// §2.3.6).
func PackageOf(name string, content []byte) Storage {
	var b []byte
	b = append(b, 2, 0)
	b = append(b, name+"\x00C:\\Users\\x\\"+name+"\x00\x00\x00\x03\x00"...)
	temporary := `C:\Temp\` + name + "\x00"
	b = binary.LittleEndian.AppendUint32(b, uint32(len(temporary)))
	b = append(b, temporary...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	b = append(b, content...)
	return Storage{"WordDocument": make([]byte, 5000), "ObjectPool": Storage{"_1": Storage{"\x01Ole10Native": append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)}}}
}

func utf16Of(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
