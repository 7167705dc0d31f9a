package list

import (
	"strings"
	"testing"
)

func TestHasEnding(t *testing.T) {
	t.Parallel()
	l := mustList(t, ".exe", ".tar.gz", ".ехе", "@lnk", "report.pdf", "/scr/")
	for name, want := range map[string]bool{
		"invoice.exe": true, "Счёт на оплату.EXE": true, "a b (1).exe": true, "d/sub/x.exe": true, `d\x.exe`: true, "x.exe. .": true, ".exe": true, "архив.ехе": true,
		"a.tar.gz": true, "a.gz": false, "exe": false, "annexe.pdf": false, "x.exe.pdf": false, "dir.exe/readme": false, "a.lnk": false, "": false, "...": false,
		"a.1.2.3.exe": true, "a.exe.1": false, "x." + strings.Repeat("y", 1<<16): false, "my report.pdf": false,
	} {
		if got := l.HasEnding(name); got != want {
			t.Errorf("%.40q: %v", name, got)
		}
	}
	if mustList(t).HasEnding("a.exe") {
		t.Error("an empty list")
	}
}
