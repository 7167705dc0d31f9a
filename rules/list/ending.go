package list

import (
	"path"
	"strings"
)

// maxEndings is how many points of a file's name are looked behind: "tar.gz" has
// two.
const maxEndings = 4

// HasEnding looks up the name of a file by what it ends in: .exe is one entry, .tar.gz
// another. Points and spaces at its end do not count, for Windows drops them.
func (l *List) HasEnding(s string) bool {
	f := l.Look(nil)
	return f.Ending(s)
}

// Ending is HasEnding.
func (f *Look) Ending(s string) bool {
	if f.list.names.count == 0 && f.list.built == nil {
		return false
	}
	s = path.Base(strings.ReplaceAll(strings.TrimRight(s, ". "), `\`, "/"))
	var room [128]byte
	for end, n := len(s), 0; n < maxEndings; n++ {
		i := strings.LastIndexByte(s[:end], '.')
		if i < 0 || len(s)-i > maxName {
			return false
		}
		if name, _ := appendName(room[:0], s[i:]); f.key(name) {
			return true
		}
		end = i
	}
	return false
}
