package expr

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
)

// Trouble says what is allowed but hardly meant in the expression.
func (p Parsed) Trouble() []string {
	var all []string
	for _, find := range [...]func(string, *syntax.Regexp) string{
		slashTrouble, controlTrouble, asciiTrouble, posixTrouble, yoTrouble, deadTrouble,
	} {
		if s := find(p.source, p.tree); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// slashTrouble: elsewhere expressions stand between slashes.
func slashTrouble(source string, _ *syntax.Regexp) string {
	if inner, flags, ok := slashed(source); ok && flags != "" || ok && inner != "" {
		return fmt.Sprintf("slashes are literal here and case is ignored anyway; write '%s'", inner)
	}
	return ""
}

// slashed takes /inner/flags apart.
func slashed(source string) (inner, flags string, ok bool) {
	end := strings.LastIndexByte(source, '/')
	if end < 2 || source[0] != '/' || strings.Trim(source[end+1:], "imsxuUAD") != "" {
		return "", "", false
	}
	if strings.Contains(source[1:end], "/") && source[end+1:] == "" {
		return "", "", false // a path
	}
	return source[1:end], source[end+1:], true
}

// controlTrouble: in double quotes TOML makes a backspace of \b and a form feed
// of \f.
func controlTrouble(source string, _ *syntax.Regexp) string {
	for _, r := range source {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return fmt.Sprintf("control character %q in an expression: in double quotes a backslash is TOML's; use single quotes", r)
		}
	}
	return ""
}

// posixTrouble: POSIX classes are ASCII, and ignoring case makes two of them
// the same.
func posixTrouble(source string, _ *syntax.Regexp) string {
	if !strings.Contains(source, "[:") {
		return ""
	}
	foreign := hasForeignLetter(source)
	for _, class := range []string{"alpha", "alnum", "upper", "lower", "word"} {
		if !strings.Contains(source, "[:"+class+":]") && !strings.Contains(source, "[:^"+class+":]") {
			continue
		}
		switch {
		case foreign:
			return fmt.Sprintf(`[[:%s:]] knows ASCII letters only and stands in an expression with other letters; write \pL`, class)
		case (class == "upper" || class == "lower") && !strings.Contains(source, "(?-i"):
			return fmt.Sprintf("case is ignored, so that [[:%s:]] matches letters of both cases; (?-i) minds it", class)
		}
	}
	return ""
}

// yoTrouble: ё stands outside of а-я.
func yoTrouble(_ string, re *syntax.Regexp) string {
	if re.Op == syntax.OpCharClass && classHas(re.Rune, 'а', 'я') && !classHas(re.Rune, 'ё', 'ё') {
		return "[а-я] is without ё; write [а-яё]"
	}
	for _, sub := range re.Sub {
		if s := yoTrouble("", sub); s != "" {
			return s
		}
	}
	return ""
}

// classHas tells whether a class given as ranges has all runes of one range.
func classHas(ranges []rune, from, to rune) bool {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= from && to <= ranges[i+1] {
			return true
		}
	}
	return false
}

func hasForeignLetter(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 && unicode.IsLetter(r) })
}

// syntaxHint says what to write in place of what other kinds of expressions
// have and RE2 does not.
func syntaxHint(source string) string {
	switch {
	case hasOneOf(source, "(?=", "(?!", "(?<=", "(?<!"):
		return "; RE2 has no look-around: state the exception as a condition of its own, in `unless`"
	case hasOneOf(source, "(?>", "*+", "++", "?+", "}+"):
		return "; RE2 has no possessive groups and needs none: it never backtracks"
	case backReference(source):
		return "; RE2 has no back-references"
	case strings.Contains(source, `\u`):
		return `; \u is not RE2: write the letter itself or \x{0430}`
	case hasOneOf(source, `\Z`, `\h`, `\R`, `\K`, `\G`):
		return `; it is Perl's and not RE2's: write $ or \z for \Z, [ \t] for \h`
	case strings.HasPrefix(source, "*"):
		return "; `*` repeats what stands before it and is no wild card: for every address at a domain write '@domain\\.example$' or a list with @domain.example"
	case strings.HasPrefix(source, "?"):
		return "; `?` makes optional what stands before it and is no wild card: any character is `.`"
	}
	return ""
}

func hasOneOf(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// backReference finds \1 to \9.
func backReference(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\\' {
			if '1' <= s[i+1] && s[i+1] <= '9' {
				return true
			}
			i++
		}
	}
	return false
}
