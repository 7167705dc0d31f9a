package archive

import (
	"bytes"
	"context"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
)

// A sheet of macros of Excel 4 is found in any stream of sheets, among the small ones
// and the large, and in a file of its own; in other streams it is none.
func TestMacroSheets(t *testing.T) {
	sheet := "\x09\x08\x10\x00\x00\x06%s\x00" + string(make([]byte, 12))
	workbook := func(kind byte, size int) []byte {
		begin := []byte("\x09\x08\x10\x00\x00\x06\x05\x00" + string(make([]byte, 12)))
		return append(append(begin, bytes.Repeat([]byte{0xfd, 0, 2, 0, 9, 8}, size)...), bytes.Replace([]byte(sheet), []byte("%s"), []byte{kind}, 1)...)
	}
	const macros, cells = 0x40, 0x10
	for name, tt := range map[string]struct {
		content []byte
		want    bool
	}{
		"macros.xls":       {archivetest.CompoundOf(archivetest.Storage{"Workbook": workbook(macros, 30)}), true},
		"large.xls":        {archivetest.CompoundOf(archivetest.Storage{"WORKBOOK": workbook(macros, 30_000), "x": make([]byte, 9000)}), true},
		"old.xls":          {archivetest.CompoundOf(archivetest.Storage{"Book": workbook(macros, 900)}), true},
		"within.doc":       {archivetest.CompoundOf(archivetest.Storage{"WordDocument": make([]byte, 5000), "ObjectPool": archivetest.Storage{"_1": archivetest.Storage{"Workbook": workbook(macros, 5)}}}), true},
		"cells.xls":        {archivetest.CompoundOf(archivetest.Storage{"Workbook": workbook(cells, 3000)}), false},
		"elsewhere.doc":    {archivetest.CompoundOf(archivetest.Storage{"WordDocument": workbook(macros, 3000)}), false},
		"bare.xls":         {workbook(macros, 3000), true},
		"bare cells.xls":   {workbook(cells, 3000), false},
		"no order.xls":     {append(archivetest.OLEOf("Workbook"), workbook(macros, 30)...), true},
		"no order, no.xls": {append(archivetest.OLEOf("Workbook"), workbook(cells, 30)...), false},
	} {
		if got := list(context.Background(), name, NoArchive, tt.content); got.signs[Macro] != tt.want || got.err != nil {
			t.Errorf("%s: %v, %v", name, got.signs, got.err)
		}
	}
}
