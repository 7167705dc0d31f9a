package archive

import (
	"bytes"
	"context"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
)

// A header of few octets whose sections repeat, or name as many files in as
// many folders as there is room for, is not read for minutes. What it costs is
// counted, not timed.
func TestSections7z(t *testing.T) {
	coder := []byte{1, 1, 0} // one coder, its method one octet: stored
	var folders []byte
	for range 5000 {
		folders = append(folders, coder...)
	}
	unpack := append([]byte{id7zUnpackInfo, id7zFolder, 0x93, 0x88, 0}, folders...) // 5000 of them
	unpack = append(unpack, id7zUnpackSize)
	unpack = append(unpack, make([]byte, 5000)...)
	unpack = append(unpack, id7zEnd)
	for name, again := range map[string][]byte{
		"SubStreamsInfo": {id7zSubStreams, id7zEnd},
		"UnpackInfo":     {id7zUnpackInfo, id7zFolder, 0, 0, id7zEnd},
		"CRC":            append([]byte{id7zSubStreams}, bytes.Repeat([]byte{id7zCRC, 0}, 5000)...),
	} {
		t.Run(name, func(t *testing.T) {
			h := &header7z{budget: budget.New(context.Background(), 1<<20, 0), b: append(bytes.Clone(unpack), bytes.Repeat(again, 5000)...)}
			h.streams()
			if !h.short {
				t.Error("taken for a section")
			}
		})
	}
	h := &header7z{budget: budget.New(context.Background(), 1<<20, 0), b: append(bytes.Clone(unpack), id7zSubStreams, id7zEnd, id7zEnd)}
	if s := h.streams(); h.short || len(s.folders) != 5000 {
		t.Errorf("%d folders, %v", len(s.folders), h.short)
	}
}
