package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/diag"
)

var (
	createdBefore = regexp.MustCompile(`^Key '([^'.]+)' was already created and cannot be used as an array`)
	definedBefore = regexp.MustCompile(`^Key '([^']+)' has already been defined`)
	withoutEquals = regexp.MustCompile(`^[A-Za-z0-9_.-]+\s*:\s`)
	semicolonLast = regexp.MustCompile(`^[^#]*;\s*(#.*)?$`)
)

// syntaxHint says what was most likely meant by a line that is not TOML; said is what
// toml says of it.
func syntaxHint(said, text string, line int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	s := strings.TrimSpace(lines[line-1])
	if m := createdBefore.FindStringSubmatch(said); m != nil {
		return fmt.Sprintf("; what belongs to a [[%s]], as [[%s.…]] does, stands behind it", m[1], m[1])
	}
	if m := definedBefore.FindStringSubmatch(said); m != nil {
		if first := definedAt(lines[:line-1], m[1]); first > 0 {
			if strings.HasPrefix(s, "[") {
				return fmt.Sprintf(", on line %d: what belongs there stands under one head", first)
			}
			return fmt.Sprintf(", on line %d", first)
		}
		return ""
	}
	key, value, _ := strings.Cut(s, "=")
	value = strings.TrimSpace(value)
	switch {
	case regexp.MustCompile(`^-?\d+,\d+\s*(#.*)?$`).MatchString(value):
		number, _, _ := strings.Cut(value, "#")
		return "; a fraction is written with a point: " + strings.Replace(strings.TrimSpace(number), ",", ".", 1)
	case regexp.MustCompile(`^\d{1,2}\.\d{1,2}\.\d{4}`).MatchString(value):
		parts := strings.SplitN(value, ".", 3)
		return fmt.Sprintf("; a date is written %.4s-%02s-%02s", parts[2], parts[1], parts[0])
	case foreignLetter(key) != 0:
		return Lookalike(key)
	case strings.ContainsAny(s, "“”„‘’«»"):
		return "; TOML knows ' and \" as quotes, no other"
	case strings.Contains(value, `"`) && strings.Contains(value, `\`):
		return "; in double quotes a backslash is TOML's: write expressions in single quotes"
	case regexp.MustCompile(`(?i)^(yes|no|on|off|none|null)\b`).MatchString(value):
		return "; TOML says true and false"
	case regexp.MustCompile(`^[A-Za-z/*^][^"']*$`).MatchString(value) && value != "":
		return "; a text stands in quotes"
	case withoutEquals.MatchString(s + " "):
		return "; a key and its value have a = between them"
	case semicolonLast.MatchString(s) && strings.Contains(said, "';'"):
		return "; nothing ends a line: leave the semicolon away"
	case strings.HasPrefix(s, "//") || strings.HasPrefix(s, ";"):
		return "; a comment begins with #"
	}
	return ""
}

// definedAt is the last of the lines on which a key or a table got its name; 0 where that
// is not found.
func definedAt(lines []string, key string) int {
	within, last := "", key
	if at := strings.LastIndexByte(key, '.'); at >= 0 {
		within, last = key[:at], key[at+1:]
	}
	found, section := 0, ""
	for i, line := range lines {
		s := strings.TrimSpace(line)
		if head, _, ok := strings.Cut(strings.TrimLeft(s, "["), "]"); ok && strings.HasPrefix(s, "[") {
			if section = strings.TrimSpace(head); section == key {
				found = i + 1
			}
			continue
		}
		if name, _, ok := strings.Cut(s, "="); ok && (section == within && strings.TrimSpace(name) == last || strings.TrimSpace(name) == key) {
			found = i + 1
		}
	}
	return found
}

// twins are Cyrillic letters that look like Latin ones.
var twins = strings.NewReplacer("а", "a", "с", "c", "е", "e", "о", "o", "р", "p", "х", "x", "у", "y", "і", "i", "ѕ", "s", "ј", "j",
	"к", "k", "м", "m", "т", "t", "в", "b", "н", "h", "А", "A", "С", "C", "Е", "E", "О", "O", "Р", "P", "Х", "X", "М", "M", "Т", "T", "В", "B", "Н", "H", "К", "K")

// foreignLetter is the first letter beyond ASCII, 0 where there is none.
func foreignLetter(s string) rune {
	for _, r := range s {
		if r >= 0x80 && unicode.IsLetter(r) {
			return r
		}
	}
	return 0
}

// Lookalike names a letter in a key that only looks like a Latin one, as the end
// of a message; "" where there is none beyond ASCII.
func Lookalike(key string) string {
	key = strings.TrimSpace(key)
	r := foreignLetter(key)
	if latin := twins.Replace(key); r != 0 && foreignLetter(latin) == 0 {
		return fmt.Sprintf("; the key has the Cyrillic letter %q (%U) in it, which only looks Latin: %s", r, r, latin)
	}
	if r != 0 {
		return fmt.Sprintf("; the letter %q cannot stand in a key without quotes", r)
	}
	return ""
}

// doubled has [[rule]] for each [rule], where rule is among many, and where that was.
func doubled(file, text string, many []string) (string, []diag.Problem) {
	var problems []diag.Problem
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		bare, _, _ := strings.Cut(line, "#")
		name := strings.TrimSpace(bare)
		if len(name) < 3 || name[0] != '[' || name[len(name)-1] != ']' || !slices.Contains(many, strings.TrimSpace(name[1:len(name)-1])) {
			continue
		}
		name = strings.TrimSpace(name[1 : len(name)-1])
		lines[i] = "[[" + name + "]]"
		problems = append(problems, diag.Problem{
			Pos: diag.Pos{File: file, Line: i + 1},
			Msg: fmt.Sprintf("[%s] must be written [[%s]]: there can be many", name, name),
		})
	}
	return strings.Join(lines, "\n"), problems
}
