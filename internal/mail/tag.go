package mail

import "strings"

// TagSubject puts tag and a space before a Subject's raw value, unless an
// identical tag stands there already. The original's octets stay as they came,
// whatever their encoding, and so do its folds, unless a line is longer than
// any may be. The result is folded with bare LF and begins with a space;
// unchanged, it is raw.
func TagSubject(raw, tag string) (value string, changed bool) {
	tag = clean(tag)
	if tag == "" || tagged(Decode(raw, ""), tag) {
		return raw, false
	}
	rest := strings.TrimLeft(strings.ReplaceAll(raw, "\r\n", "\n"), " \t\r\n")
	// RFC 2047 §6.2: white space between two encoded-words is not shown, so
	// that of the tag has to stand within its own. Words in a charset that we
	// do not know may be known to the reader.
	tail := ""
	if strings.HasPrefix(rest, "=?") {
		tail = " "
	}
	const used = len("Subject:")
	value = fold(used, encodeText(tag, tail))
	if rest == "" {
		return value, true
	}
	first, _, _ := strings.Cut(rest, "\n")
	last := len(value) - strings.LastIndexByte(value, '\n') - 1
	if last == len(value) {
		last += used
	}
	sep := " "
	if last+len(sep)+len(first) > wantLine {
		sep = "\n "
	}
	return refold(used, value+sep+rest), true
}

// tagged tells whether a decoded Subject begins with the tag.
func tagged(subject, tag string) bool {
	subject = strings.Join(strings.Fields(subject), " ")
	rest, ok := strings.CutPrefix(subject, strings.Join(strings.Fields(tag), " "))
	return ok && (rest == "" || rest[0] == ' ')
}
