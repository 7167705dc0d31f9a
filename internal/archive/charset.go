package archive

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// toUTF8 reads a name that declares no charset: UTF-8 when it is that, else
// code page 866, in which archivers of Russian systems write; its letters
// stand where code page 437, that of the standard, has those of no language in
// whole.
func toUTF8(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	s, err := charmap.CodePage866.NewDecoder().String(name)
	if err != nil {
		return name
	}
	return s
}
