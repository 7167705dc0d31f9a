package mail

import "strings"

// TagSubject puts tag and a space before a Subject's raw value, unless an
// identical tag stands there already. The original's octets stay as they came,
// whatever their encoding, and so do its folds. The result is folded with bare
// LF and begins with a space.
func TagSubject(raw, tag string) (value string, changed bool) {
	tag = strings.TrimSpace(printable(strings.ToValidUTF8(unfold(tag), "\uFFFD")))
	if tag == "" || tagged(Decode(raw, ""), tag) {
		return raw, false
	}
	rest := strings.TrimLeft(strings.ReplaceAll(raw, "\r\n", "\n"), " \t\r\n")
	// RFC 2047 §6.2: white space between two encoded-words is not shown, so
	// that of the tag has to stand within its own.
	tail := ""
	if _, ok := wordAt(rest); ok {
		tail = " "
	}
	const used = len("Subject:")
	value = fold(used, encodeText(tag, tail))
	if rest == "" {
		return value, true
	}
	first, _, _ := strings.Cut(rest, "\n")
	last := value[strings.LastIndexByte(value, '\n')+1:]
	if len(last) == len(value) {
		last = "Subject:" + last
	}
	sep := " "
	if len(last)+len(sep)+len(first) > wantLine {
		sep = "\n "
	}
	return cutLong(value + sep + rest), true
}

// tagged tells whether a decoded Subject begins with the tag.
func tagged(subject, tag string) bool {
	subject = strings.Join(strings.Fields(subject), " ")
	rest, ok := strings.CutPrefix(subject, strings.Join(strings.Fields(tag), " "))
	return ok && (rest == "" || rest[0] == ' ')
}

// cutLong folds lines that are longer than any line may be, at white space
// where there is some.
func cutLong(s string) string {
	lines := strings.Split(s, "\n")
	long := false
	for _, l := range lines {
		long = long || len(l) > mostLine-len("Subject:")
	}
	if !long {
		return s
	}
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for len(l) > mostLine-len("Subject:") {
			cut := strings.LastIndexAny(l[:mostLine-len("Subject:")], " \t")
			if cut <= 0 || strings.TrimLeft(l[:cut], " \t") == "" || strings.TrimLeft(l[cut:], " \t") == "" {
				break
			}
			b.WriteString(l[:cut])
			b.WriteByte('\n')
			l = l[cut:]
		}
		b.WriteString(l)
	}
	return b.String()
}
