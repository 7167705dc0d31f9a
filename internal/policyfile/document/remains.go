package document

import "strings"

// mostLines bounds over how many lines the value of one key is looked for in a text
// that is no TOML.
const mostLines = 64

// Remains reads single keys out of a text that is no TOML, as if each stood in a file
// of its own: what is wrong elsewhere hides none of them. Keys are "key" and
// "table.key". Of a key that stands there twice the first that can be read counts.
// What looks like a key within a string of several lines counts, too: where that string
// ends is what cannot be known.
func Remains(file, text string, keys []string) *Node {
	root := &Node{File: file, Line: 1, Kind: Table}
	text = strings.TrimPrefix(text, "\ufeff")
	table := ""
	for line := 1; text != ""; line++ {
		here, rest, _ := strings.Cut(text, "\n")
		here = strings.TrimSpace(here)
		if strings.HasPrefix(here, "[") {
			table = headed(here)
		} else if name, _, ok := strings.Cut(here, "="); ok {
			if key := wanted(table, name, keys); key != "" {
				root.take(file, text, line, key)
			}
		}
		text = rest
	}
	return root
}

// headed is the name in a line [name], whether or not it is complete. An array of
// tables has none that is asked for.
func headed(line string) string {
	if strings.HasPrefix(line, "[[") {
		return line
	}
	line, _, _ = strings.Cut(line, "#")
	return unquoted(strings.Trim(line, "[] \t"))
}

func unquoted(name string) string { return strings.Trim(strings.TrimSpace(name), `"'`) }

// wanted is the key that a name in a table is, "" where nobody asks for it.
func wanted(table, name string, keys []string) string {
	parts := strings.Split(name, ".")
	for i := range parts {
		parts[i] = unquoted(parts[i])
	}
	full := strings.Join(parts, ".")
	if table != "" {
		full = table + "." + full
	}
	for _, key := range keys {
		if key == full {
			return key
		}
		// name = { key = ... }
		if first, _, _ := strings.Cut(key, "."); first == full {
			return full
		}
	}
	return ""
}

// take adds key with the value that follows the first "=" of text. Its line is kept.
func (n *Node) take(file, text string, line int, key string) {
	_, value, _ := strings.Cut(text, "=")
	before := strings.Repeat("\n", line-1) + key + " ="
	end := 0
	for range mostLines {
		next := strings.IndexByte(value[end:], '\n')
		if next < 0 {
			end = len(value)
		} else {
			end += next + 1
		}
		if part, problem := Parse(file, before+value[:end], nil); problem == nil {
			n.join(part)
			return
		}
		if first := strings.TrimSpace(value[:end]); next < 0 || !strings.HasPrefix(first, "[") && !strings.HasPrefix(first, "{") {
			return // only arrays and tables go on
		}
	}
}

// join adds what from has and n has not.
func (n *Node) join(from *Node) {
	for _, c := range from.Children {
		switch was := n.Child(c.Key); {
		case was == nil:
			n.Add(c)
		case was.Kind == Table && c.Kind == Table:
			was.join(c)
		}
	}
}
