package mail

import (
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// checkParameters holds a Content-Type or Content-Disposition against the
// grammar of RFC 2045 §5.1 and RFC 2183 §2. A semicolon at the end, which that
// does not have either, is no defect: half of all programs write it.
func (d *defects) checkParameters(f Field) {
	s := strings.Trim(uncomment(unfold(f.Value)), " \t")
	rest, ok := cutToken(s)
	if strings.EqualFold(f.Name, "Content-Type") {
		rest, ok = strings.CutPrefix(rest, "/")
		if ok {
			rest, ok = cutToken(rest)
		}
	}
	if !ok {
		d.add(typeSyntax)
		_, rest, ok = strings.Cut(s, ";")
		rest = ";" + rest
		if !ok {
			return
		}
	}
	seen := make(map[string]bool)
	for {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return
		}
		if rest[0] != ';' {
			break
		}
		rest = strings.TrimLeft(rest[1:], " \t")
		if rest == "" {
			return
		}
		text := rest
		if rest, ok = cutToken(rest); !ok {
			break
		}
		name := strings.ToLower(text[:len(text)-len(rest)])
		if seen[name] {
			d.add(parameterTwice)
		}
		seen[name] = true
		if rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "="); !ok {
			break
		}
		rest = strings.TrimLeft(rest, " \t")
		if n := address.QuotedLength(rest); n > 0 {
			rest = rest[n:]
		} else if rest, ok = cutToken(rest); !ok {
			break
		}
	}
	d.add(parameterSyntax)
}

// cutToken takes a token off (RFC 2045 §5.1); ok is false where there is none.
func cutToken(s string) (rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] > ' ' && s[i] <= '~' && strings.IndexByte(`()<>@,;:\"/[]?=`, s[i]) < 0 {
		i++
	}
	return s[i:], i > 0
}
