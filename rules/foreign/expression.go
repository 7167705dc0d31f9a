package foreign

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// LooksLikeList tells "!list:x", "List:x", "list: x" and "@list:x".
func LooksLikeList(source string) bool {
	rest := strings.TrimLeft(strings.TrimPrefix(strings.ToLower(source), "not "), "!@^ (")
	return strings.HasPrefix(rest, "list:") || strings.HasPrefix(rest, "lists:") || strings.HasPrefix(rest, "lists.")
}

// ListIn is the name of the list that such an expression means.
func ListIn(source string) string {
	_, name, _ := strings.Cut(strings.ReplaceAll(source, ".", ":"), ":")
	return strings.TrimSpace(name)
}

// NamesTable tells an expression that is a table of Postfix's, such as
// "pcre:/etc/postfix/checks".
func NamesTable(source string) bool {
	kind, rest, ok := strings.Cut(source, ":")
	switch kind {
	case "pcre", "regexp", "hash", "btree", "lmdb", "cdb", "dbm", "texthash", "cidr", "socketmap", "proxy", "static", "ldap", "mysql", "pgsql", "sqlite":
		return ok && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "$") || kind == "proxy")
	}
	return false
}

// NamesField tells whether an expression begins with the field's name and a
// colon.
func NamesField(source, field string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(source, "^"), `\b`)
	return len(rest) > len(field) && strings.EqualFold(rest[:len(field)], field) && rest[len(field)] == ':'
}

// HighOctet finds \x80 to \xff.
func HighOctet(s string) bool {
	for i := 0; i+3 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if s[i+1] == 'x' && strings.IndexByte("89abcdefABCDEF", s[i+2]) >= 0 && strings.IndexByte("0123456789abcdefABCDEF", s[i+3]) >= 0 {
			return true
		}
		i++
	}
	return false
}

// NeedsUpper tells whether every text that matches has a capital letter: there
// is one in a literal of which case counts.
func NeedsUpper(source string) bool {
	re, err := syntax.Parse(source, syntax.Perl|syntax.FoldCase)
	return err == nil && hasUpper(re)
}

func hasUpper(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return re.Flags&syntax.FoldCase == 0 && slices.ContainsFunc(re.Rune, unicode.IsUpper)
	case syntax.OpConcat:
		return slices.ContainsFunc(re.Sub, hasUpper)
	case syntax.OpCapture, syntax.OpPlus:
		return hasUpper(re.Sub[0])
	}
	return false
}

// BareWord is an expression without what holds it to a whole value or word.
func BareWord(source string) string {
	for _, edge := range []string{"^", `\A`, `\b`} {
		source = strings.TrimPrefix(source, edge)
	}
	for _, edge := range []string{"$", `\z`, `\b`} {
		source = strings.TrimSuffix(source, edge)
	}
	return source
}

// BareEnding tells an expression that is the ending of a program or document and
// nothing else.
func BareEnding(source string) bool {
	switch strings.ToLower(source) {
	case "exe", "scr", "com", "bat", "cmd", "pif", "js", "jse", "vbs", "vbe", "wsf", "wsh", "hta", "lnk", "msi", "dll", "cpl", "jar", "ps1", "reg", "chm", "iso", "img",
		"zip", "rar", "7z", "arj", "ace", "cab", "gz", "tgz", "doc", "docm", "docx", "xls", "xlsm", "xlsx", "pptm", "pdf", "rtf", "htm", "html", "eml", "svg", "one":
		return true
	}
	return false
}
