package css

import (
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/css"

	"github.com/tollgate-mail/tollgate/internal/dataurl"
)

// at reads an at-rule: blocks of rules for media and the like are read, and of
// declarations within a rule, all else is passed over. It tells whether the block ended
// that it stands in.
func (s *Sheet) at(t *tokens, of []believed, depth int, when condition) (ended bool) {
	name := strings.TrimPrefix(t.text, "@")
	if name == "import" {
		return s.imported(t, depth, when)
	}
	p, ok := t.prelude(depth > 0 || of != nil)
	if !ok {
		return t.kind == css.RightBraceToken
	}
	also := false
	var within condition
	switch name {
	case "media":
		within, also = s.media(p)
	case "supports", "layer", "document", "-moz-document", "container", "scope":
		if p.cut {
			p.text += strconv.Itoa(s.read)
		}
		within, also = condition{doubts: s.doubt("@" + name + p.text)}, true
	case "keyframes", "-webkit-keyframes", "-moz-keyframes":
		s.frames(t)
		return false
	}
	switch {
	case !also || depth >= maxDepth:
		s.cut = s.cut || also
		t.skip()
	case of != nil:
		s.body(t, of, depth+1, when.and(within))
	default:
		s.block(t, depth+1, when.and(within))
	}
	return false
}

// imported reads a sheet that stands in the address of an import, if there is one. Many
// programs do not.
func (s *Sheet) imported(t *tokens, depth int, when condition) (ended bool) {
	address := ""
	for t.next() && t.kind != css.SemicolonToken {
		switch t.kind {
		case css.RightBraceToken:
			if depth > 0 {
				return true
			}
		case css.StringToken, css.URLToken:
			if address == "" {
				address = strings.Trim(strings.TrimSuffix(trimPrefixFold(t.exact, "url("), ")"), "\"' \t\n")
			}
		}
	}
	_, text, ok := dataurl.Read(address)
	if !ok {
		return false
	}
	if t.err = t.steps.Charge(len(address)); t.err != nil {
		return false
	}
	if depth >= maxDepth {
		s.cut = true
		return false
	}
	inner := newTokens(t.steps, text)
	inner.words = t.words
	s.block(inner, depth+1, when.and(condition{doubts: s.doubt("@import")}))
	t.err = inner.err
	t.full = t.full || inner.full
	return false
}

func trimPrefixFold(text, prefix string) string {
	if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		return text[len(prefix):]
	}
	return text
}

// frames reads those of an animation.
func (s *Sheet) frames(t *tokens) {
	for t.next() && t.kind != css.RightBraceToken {
		if t.kind == css.WhitespaceToken {
			continue
		}
		if _, ok := t.prelude(true); !ok {
			return
		}
		style := t.declarations()
		s.moves = s.moves || style != (Style{})
	}
}
