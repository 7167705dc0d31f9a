package list

import (
	"errors"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

// maxPhrase bounds the words of one entry.
const maxPhrase = 32

// wordSet finds words and phrases whole: what stands between words, and how much
// of it, does not count. Letters, digits and marks make words; of scripts that
// are written without spaces each character is a word, so that a phrase of them
// is found wherever it stands.
type wordSet struct {
	phrases nameSet // folded words with a space between them
	starts  nameSet // beginnings of phrases of several words
}

var errNoWord = errors.New("the entry has no letter or digit; lists of this type have words")

// add takes an entry; not ok means that there is no room.
func (w *wordSet) add(entry string) (ok bool, err error) {
	folded := expr.AppendFold(nil, entry)
	var phrase []byte
	words := 0
	for rest := folded; ; words++ {
		word, after := nextWord(rest)
		if word == nil {
			break
		}
		if words == maxPhrase {
			return true, errors.New("the phrase has more than 32 words")
		}
		if words > 0 {
			if !w.starts.add(phrase) {
				return false, nil
			}
			phrase = append(phrase, ' ')
		}
		phrase, rest = append(phrase, word...), after
		if err := tooLong(phrase); err != nil {
			return true, err
		}
	}
	if words == 0 {
		return true, errNoWord
	}
	return w.phrases.add(phrase), nil
}

// has tells whether a word or phrase stands in s, as far as b covers the search.
func (w *wordSet) has(s string, b *budget.Budget) bool {
	if w.phrases.count == 0 || b.Charge(len(s)+1) != nil {
		return false
	}
	rest := expr.AppendFold(nil, s)
	var phrase []byte
	for {
		word, after := nextWord(rest)
		if word == nil {
			return false
		}
		phrase = append(phrase[:0], word...)
		for tail := after; ; {
			if w.phrases.has(phrase) {
				return true
			}
			if !w.starts.has(phrase) {
				break
			}
			var next []byte
			if next, tail = nextWord(tail); next == nil || b.Charge(len(next)+1) != nil {
				break
			}
			phrase = append(append(phrase, ' '), next...)
		}
		rest = after
	}
}

// nextWord is the first word of folded text and what follows it; nil when there
// is none.
func nextWord(s []byte) (word, rest []byte) {
	start := -1
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
		}
		in := isWordRune(r)
		switch {
		case in && start < 0 && alone(r):
			return s[i : i+size], s[i+size:]
		case in && start < 0:
			start = i
		case start >= 0 && (!in || alone(r)):
			return s[start:i], s[i:]
		}
		i += size
	}
	if start < 0 {
		return nil, nil
	}
	return s[start:], nil
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// alone tells characters of scripts that have no spaces between words.
func alone(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
