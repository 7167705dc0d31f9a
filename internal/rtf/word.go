package rtf

import "strconv"

// word does what a control word says.
func (r *reader) word(word string, number int, numbered, star bool) {
	switch word {
	case "fonttbl":
		r.kind = fonts
	case "fldinst":
		r.kind = link
	case "colortbl", "stylesheet", "info", "pict", "objdata", "objclass", "filetbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "themedata", "datastore", "generator", "xmlnstbl", "latentstyles", "bkmkstart", "bkmkend", "xe", "tc", "tcn", "htmltag", "mhtmltag":
		r.kind = nothing
	case "shpinst", "do": // a shape
		if star && r.kind == words {
			r.kind = box
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
		r.hides = false
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
