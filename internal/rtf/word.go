package rtf

import (
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/charset"
)

// word does what a control word says.
func (r *reader) word(word string, number int, numbered, star bool) {
	switch word {
	case "fonttbl":
		r.kind = fonts
	case "fldinst":
		r.kind = link
	case "stylesheet", "info", "pict", "objdata", "objclass", "filetbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "themedata", "datastore", "generator", "xmlnstbl", "latentstyles", "bkmkstart", "bkmkend", "xe", "tc", "tcn", "htmltag", "mhtmltag":
		r.kind = nothing
	case "colortbl":
		r.kind = colours
	case "red", "green", "blue":
		if r.kind == colours {
			r.mixed[map[string]int{"red": 0, "green": 1, "blue": 2}[word]] = uint8(min(max(number, 0), 255))
		}
	case "highlight", "cb", "chcbpat", "cbpat", "clcbpat", "background":
		r.coloured = r.coloured || !numbered || number > 0
	case "shpinst", "do": // a shape
		if star && r.kind == words {
			r.kind = box
		}
	case "upr": // words, and the same in Unicode for those who know of it
		r.flush()
		if r.twice = true; r.known && r.kind == words {
			r.kind = box
		}
	case "ud":
		if r.kind == box {
			r.kind = words
		} else if r.kind == words {
			r.kind = nothing
		}
	case "shptxt", "dptxbxtext":
		if r.kind == box {
			r.kind = words
		}
	case "ansicpg":
		r.page = "windows-" + strconv.Itoa(number)
		if number == 10007 {
			r.page = "x-mac-cyrillic"
		}
	case "mac":
		r.page = "macintosh"
	case "pc", "pca":
		r.page = "cp850"
	case "f":
		r.flush()
		r.font = number
	case "fcharset":
		if _, known := r.fonts[r.font]; r.kind == fonts && !known && len(r.fonts) >= maxFonts {
			r.cut = true
		} else if r.kind == fonts {
			r.fonts[r.font] = number
		}
	case "v":
		r.flush()
		r.hides = !numbered || number != 0
	case "plain":
		r.flush()
		r.hides, r.small, r.pale = false, false, false
	case "fs": // in half points
		r.flush()
		r.small = numbered && number <= leastSize
	case "cf":
		r.flush()
		r.pale = number > 0 && number < len(r.colours) && r.colours[number]
	case "uc":
		r.unicode = max(number, 0)
	case "u":
		r.character(number)
	case "par", "line", "tab", "cell", "row", "sect", "page", "column", "nestcell", "nestrow", "emspace", "enspace", "qmspace", "softline", "lbr":
		r.write("\n")
	case "emdash":
		r.write("—")
	case "endash":
		r.write("–")
	case "bullet":
		r.write("•")
	case "lquote":
		r.write("‘")
	case "rquote":
		r.write("’")
	case "ldblquote":
		r.write("“")
	case "rdblquote":
		r.write("”")
	default:
		if star && r.kind == words {
			r.kind = nothing // who does not know it passes over it
		}
	}
}

// leastSize is one that nobody can read, in half points.
const leastSize = 2

// maxColours is how many are kept; most texts have a few.
const maxColours = 256

// colour takes what stands between colours: a semicolon ends each.
func (r *reader) colour(between string) {
	for range strings.Count(between, ";") {
		if len(r.colours) == maxColours {
			r.cut = true
			return
		}
		const near = 3*255 - 24
		r.colours = append(r.colours, int(r.mixed[0])+int(r.mixed[1])+int(r.mixed[2]) >= near)
		r.mixed = [3]uint8{}
	}
}

// charset is that of the font.
func (r *reader) charset() string {
	switch r.fonts[r.font] {
	case 77:
		return "macintosh"
	case 128:
		return "shift_jis"
	case 129:
		return "euc-kr"
	case 134:
		return "gbk"
	case 136:
		return "big5"
	case 161:
		return "windows-1253"
	case 162:
		return "windows-1254"
	case 177:
		return "windows-1255"
	case 178:
		return "windows-1256"
	case 186:
		return "windows-1257"
	case 204:
		return "windows-1251"
	case 222:
		return "windows-874"
	case 238:
		return "windows-1250"
	}
	return r.page
}

// write writes what is decoded already.
func (r *reader) write(text string) {
	r.flush()
	switch {
	case r.kind == link:
		r.link.WriteString(text)
	case r.kind != words:
	case r.pale && r.painted && !r.hides && !r.small:
		r.shown.WriteString(text)
	case r.pale && r.coloured && !r.hides && !r.small:
		r.white = true
	case r.hides, r.small, r.pale:
		r.white = r.white || r.pale
		r.hidden.WriteString(text)
	default:
		r.shown.WriteString(text)
	}
}

// flush decodes the octets that wait.
func (r *reader) flush() {
	if len(r.octets) == 0 {
		return
	}
	octets := string(r.octets)
	r.octets = r.octets[:0]
	if r.kind == nothing || r.kind == fonts || r.kind == colours || r.kind == box {
		return
	}
	r.write(charset.Readings(r.budget, octets, r.charset(), "")[0])
}
