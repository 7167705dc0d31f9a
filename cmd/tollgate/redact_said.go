package main

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// sentence is a reply or a reason: codes, words, and the reference.
var sentence = regexp.MustCompile(`^(?s)((?:[45][0-9][0-9] )?(?:[45]\.[0-9]{1,3}\.[0-9]{1,3} )?)(.*?)((?: ?\(ref [0-9A-Za-z]+\))?)$`)

// reasons are those that have nothing of a message in them: of a rule by its name, and
// of a weight.
var (
	ruleReason   = regexp.MustCompile(`^rule (.+?)(?:: a value could not be had \(on_temperror\))?$`)
	weightReason = regexp.MustCompile(`^weight -?[0-9.]+ above -?[0-9.]+$`)
)

// ownWords are the replies of the program.
func ownWords() []string {
	var all []string
	for _, r := range config.OwnReplies() {
		all = append(all, sentence.FindStringSubmatch(r)[2])
	}
	return all
}

// said is a reply or a reason. Tollgate's own words stay, whatever the Subject is. Of
// those of a policy, into which a placeholder may have put the Subject, all words go
// where it may stand in them: what is missing in a sentence that others know would
// tell what it was.
func (k redactKey) said(text, subject string, rules ...string) string {
	parts := sentence.FindStringSubmatch(text)
	if parts == nil || !mayHave(parts[2], subject) || own(parts[2], rules) {
		return k.text(text)
	}
	return parts[1] + k.hashed(parts[2]) + parts[3]
}

// own tells words that have nothing of a message in them.
func own(words string, rules []string) bool {
	if of := ruleReason.FindStringSubmatch(words); of != nil && slices.Contains(rules, of[1]) {
		return true
	}
	return weightReason.MatchString(words) || slices.Contains(ownWords(), words)
}

// mostCompared is how many letters of a Subject are looked for: a reply cuts it.
const mostCompared = 40

// mayHave tells whether a text may have the Subject in it: as it is, or as a reply has
// it, which is ASCII (RFC 5321 §4.2) and broken into lines.
func mayHave(text, subject string) bool {
	for _, most := range []rune{unicode.MaxRune, '~'} {
		s := letters(subject, most)
		if len(s) > 2 && strings.Contains(string(letters(text, most)), string(s[:min(len(s), mostCompared)])) {
			return true
		}
	}
	return false
}

// letters are the letters and digits of a text up to the rune most.
func letters(text string, most rune) []rune {
	var all []rune
	for _, r := range text {
		if r <= most && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			all = append(all, unicode.ToLower(r))
		}
	}
	return all
}
