package archive

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
)

// The names of an Outlook message are those of its attachments, and no subject
// and nobody's name.
func TestMSG(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content archivetest.Storage
		want    []string
	}{
		{"unicode.msg", archivetest.MSGOf("счёт.exe", []byte("MZ"), true), []string{"INVOIC~1.exe", "счёт.exe"}},
		{"octets.msg", archivetest.MSGOf("invoice.exe", make([]byte, 100_000), false), []string{"invoice.exe"}},
		{"within.msg", archivetest.MSGWithin(archivetest.MSGWithin(archivetest.MSGOf("invoice.exe", []byte("MZ"), true))), []string{"Fwd: the invoice", "INVOIC~1.exe", "invoice.exe"}},
		{"package.doc", archivetest.PackageOf("invoice.exe", make([]byte, 5000)), []string{"invoice.exe"}},
		{"none.msg", archivetest.Storage{"__substg1.0_0037001F": []byte("x\x00")}, nil},
	} {
		got := list(context.Background(), tt.name, NoArchive, archivetest.CompoundOf(tt.content))
		slices.Sort(got.names)
		slices.Sort(tt.want)
		if got.err != nil || !slices.Equal(slices.Compact(got.names), tt.want) {
			t.Errorf("%s: %q, %v", tt.name, got.names, got.err)
		}
	}
}

// However a message of Outlook is damaged, the name is seen, or that it could not
// be: wherever it is cut, and whatever one octet becomes.
func TestMSGDamaged(t *testing.T) {
	whole := archivetest.CompoundOf(archivetest.MSGWithin(archivetest.MSGOf("invoice.exe", make([]byte, 5000), true)))
	check := func(what string, at int, content []byte) {
		got := list(context.Background(), "a.msg", NoArchive, content)
		if got.err != nil && !errors.Is(got.err, ErrUnreadable) && !errors.Is(got.err, ErrLimit) {
			t.Errorf("%s at %d: %v", what, at, got.err)
		}
		checkCost(t, what, content, got)
	}
	for at := 0; at < len(whole); at += 61 {
		cut := list(context.Background(), "a.msg", NoArchive, whole[:at])
		if KindOf(whole[:min(at, Head)]) == OLE && bytes.Contains(whole[:at], []byte("_\x00_\x00a\x00t\x00t\x00a\x00c\x00h\x00")) && cut.err == nil && !slices.Contains(cut.names, "invoice.exe") {
			t.Errorf("cut at %d: %q", at, cut.names)
		}
		check("cut", at, whole[:at])
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		damaged := bytes.Clone(whole)
		at := random.IntN(len(damaged))
		damaged[at] = byte(random.Uint32())
		check("turned", at, damaged)
	}
}

// Archives that are not read are known by what they begin with, and texts that
// begin like them are none.
func TestPacked(t *testing.T) {
	sector := func(begin string, at int, rest string) []byte {
		b := make([]byte, 4096)
		copy(b, begin)
		copy(b[at:], rest)
		copy(b[510:], "\x55\xaa")
		return b
	}
	hex := string(bytes.Repeat([]byte("0A1b2C3d"), 20))
	for name, content := range map[string][]byte{
		"wim": []byte("MSWIM\x00\x00\x00\xd0"), "vhd": []byte("conectix\x00"), "vhdx": []byte("vhdxfile"), "cpio": []byte("070701" + hex), "old.cpio": []byte("070707" + string(bytes.Repeat([]byte("01234567"), 20))),
		"deb": []byte("!<arch>\ndebian-binary"), "lz4": []byte("\x04\x22\x4d\x18\x64"), "lz": []byte("LZIP\x01"), "zst": []byte("\x28\xb5\x2f\xfd\x04"), "xar": []byte("xar!\x00\x1c"), "rpm": []byte("\xed\xab\xee\xdb\x03"),
		"chm": []byte("ITSF\x03"), "lzs": []byte("\x20\x00-lz5-"), "lzh": []byte("\x20\x00-lhd-"), "lzma": []byte("\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
		"sized.lzma": []byte("\x5d\x00\x00\x00\x01\x00\x10\x00\x00\x00\x00\x00\x00\x00"), "zoo": []byte("ZOO 2.10 Archive.\x1a\x00\x00\xdc\xa7\xc4\xfd"), "vmdk": []byte("KDMV\x01"),
		"fat": sector("\xeb\x3c\x90MSDOS5.0", 0, "\xeb"), "ntfs": sector("\xeb\x52\x90NTFS    ", 0, "\xeb"), "disk": sector("", 446, "\x80\x01\x01\x00\x0b\xfe\xff\xff"), "hqx": []byte("(This file must be converted with BinHex 4.0)\n:"),
	} {
		if k := KindOf(content); k != Packed {
			t.Errorf("%s is %d", name, k)
		}
	}
	for name, content := range map[string][]byte{
		"text": []byte("070701;Ivanov;invoice\n"), "zoo": []byte("ZOO keepers wanted in all cities of the land"), "brackets": []byte("]\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "heredoc": []byte("<<< EOF"),
		"zeros": make([]byte, 4096), "ended": sector("just some text", 0, "j"),
	} {
		if k := KindOf(content); k != Other {
			t.Errorf("%s is %d", name, k)
		}
	}
}
