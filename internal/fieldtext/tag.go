package fieldtext

import (
	"slices"
	"strings"
)

// TagSubject puts tags before a Subject's raw value, each with a space behind it, but
// those that stand there already: at its beginning, or behind what replies and lists
// put before it. Octets that nothing labels are read in the fallback
// charset for that. The original's octets stay as they came, whatever their
// encoding, and so do its folds, unless a line is longer than any may be. The
// result is folded with bare LF and begins with a space; unchanged, it is raw.
func TagSubject(raw string, tags []string, fallbackCharset string) (value string, changed bool) {
	// That one of the other Readings has it is not enough: most who read it see none.
	subject := Decode(nil, raw, fallbackCharset)
	there := func(tag string) bool { return tag == "" || tagged(subject, tag) }
	// All of them, one behind the other, are looked for first: a tag without brackets
	// hides those behind it.
	tag := clean(strings.Join(tags, " "))
	if there(tag) {
		return raw, false
	}
	if len(tags) > 1 {
		lack := slices.DeleteFunc(slices.Clone(tags), func(one string) bool { return there(clean(one)) })
		if tag = clean(strings.Join(lack, " ")); tag == "" {
			return raw, false
		}
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
	value = fold(used, encodeText(used, tag, tail))
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

// tagged tells whether a decoded Subject begins with the tag, or has it behind
// words like "Re:" and what else stands in brackets.
func tagged(subject, tag string) bool {
	words := strings.Fields(subject)
	want := strings.Fields(tag)
	const most = 20 // words before it
	for range most {
		if len(words) >= len(want) && slices.Equal(words[:len(want)], want) {
			return true
		}
		if len(words) <= len(want) || !strings.HasSuffix(words[0], ":") && !(words[0][0] == '[' && strings.HasSuffix(words[0], "]")) {
			return false
		}
		words = words[1:]
	}
	return false
}
