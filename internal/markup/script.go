package markup

import "strings"

// isTag tells whether a text begins with the name of a tag, in any case, and what ends
// one.
func isTag(text, name string) bool {
	if len(text) <= len(name) {
		return false
	}
	for i := range len(name) {
		if text[i] != name[i] && text[i] != name[i]-'a'+'A' {
			return false
		}
	}
	c := text[len(name)]
	return isSpace(c) || c == '/' || c == '>'
}

// scripting is where in a script something stands.
type scripting int

const (
	inScript  scripting = iota
	escaped             // in a comment of old, which may have the script's end
	escapeTwo           // in a script within that
)

// scriptEnd is how much of a text is a script (HTML §13.2.5.4 and 15 to 31).
func scriptEnd(text string) int {
	const word = "script"
	where, dashes := inScript, 0
	for at := 0; at < len(text); {
		if where == inScript {
			i := strings.IndexByte(text[at:], '<')
			if i < 0 {
				break
			}
			switch at += i; {
			case strings.HasPrefix(text[at:], "</") && isTag(text[at+2:], word):
				return at
			case strings.HasPrefix(text[at:], "<!--"):
				where, dashes = escaped, 2
				at += len("<!--")
			default:
				at++
			}
			continue
		}
		c := text[at]
		at++
		switch {
		case c == '-':
			dashes++
			continue
		case c == '>' && dashes >= 2:
			where = inScript
		case c == '<' && at < len(text):
			ends := text[at] == '/' && isTag(text[at+1:], word)
			switch {
			case ends && where == escaped:
				return at - 1
			case ends:
				where = escaped
				at += len("/script>")
			case where == escapeTwo, text[at] == '/':
			case isLetter(text[at]):
				if isTag(text[at:], word) {
					where = escapeTwo
					at += len("script>")
				}
			default:
				where = inScript
			}
		}
		dashes = 0
	}
	return len(text)
}
