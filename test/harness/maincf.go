package harness

import "strings"

// lastOnes is a main.cf with the last setting of each name alone. Postfix would
// take that one, too, but each of its processes warns of the others as it
// starts; postlogd warns by way of itself, and when the warnings of others have
// filled its socket before it reads any, it waits for itself, and they for it.
func lastOnes(text string) string {
	var settings []string // with the comments and lines that belong to each
	last := make(map[string]int)
	for _, line := range strings.SplitAfter(text, "\n") {
		// A line that begins with white space goes on with the one before
		// (postconf(5)); comments may stand between.
		if n := len(settings); n > 0 && (line == "" || strings.ContainsRune(" \t#\n", rune(line[0]))) {
			settings[n-1] += line
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if ok {
			last[strings.TrimSpace(name)] = len(settings)
		}
		settings = append(settings, line)
	}
	var b strings.Builder
	for i, s := range settings {
		name, _, ok := strings.Cut(s, "=")
		if at, known := last[strings.TrimSpace(name)]; ok && known && at != i && !strings.HasPrefix(s, "#") {
			continue
		}
		b.WriteString(s)
	}
	return b.String()
}
