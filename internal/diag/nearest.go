package diag

import "strings"

// Nearest returns the valid name most like name, or "" when none is near.
// Case and the choice between "-" and "_" do not count.
func Nearest(name string, valid []string) string {
	best, least := "", 0
	n := plain(name)
	for _, v := range valid {
		// A third of the letters may be wrong: fewer would miss typing errors
		// in short names, more would suggest what nobody meant.
		limit := (max(len(n), len(v)) + 2) / 3
		d := distance(n, plain(v))
		if d <= limit && d < len(v) && (best == "" || d < least) {
			best, least = v, d
		}
	}
	return best
}

func plain(s string) string {
	if len(s) > 64 { // nothing valid is so long; the work is quadratic
		s = s[:64]
	}
	return strings.ReplaceAll(strings.ToLower(s), "-", "_")
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
