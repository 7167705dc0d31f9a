package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// What names a message in the text of a bounce or of a log.
var (
	// Notices of failed delivery are folded where there is a space.
	refIn       = regexp.MustCompile(`(?i)\bref[\s=:"']+([0-9a-z]{6,24})\b`)
	messageIDIn = regexp.MustCompile(`(?i)message-id[\s=:"']+<?([^<>\s"']+@[^<>\s"']+)>?`)
	queueIDIn   = regexp.MustCompile(`(?:queued as\s+|queue[_-]id[\s=:"']+|\b)([0-9A-F]{8,21}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{1,12})\b`)
	// A local part may be quoted (RFC 5321 §4.1.2).
	addressIn = regexp.MustCompile(`("(?:[^"\\\r\n]|\\.)+"@[^\s<>"(),;:]+|[^\s<>"(),;:]+@[^\s<>"(),;:]+)`)
	quotedIs  = regexp.MustCompile(`^"(?:[^"\\]|\\.)+"@[^\s<>"(),;:]+$`)
	// A single word that is a field and its value, as logs have them.
	labelled = regexp.MustCompile(`(?i)^\W*(?:ref|message-id|queue[_-]id)["']?[=:]`)
)

// mostArguments of a search are what somebody asks for; more are a text.
const mostArguments = 3

// anything reads the words of a search: one word is looked for as it is; of a
// longer text, what names a message surest. Of few words none is left out silently.
func anything(words []string) ([]string, error) {
	text := strings.TrimSpace(strings.Join(words, " "))
	if text == "" {
		if len(words) > 0 {
			return nil, usagef("the text that names a message is empty")
		}
		return nil, nil
	}
	if !strings.ContainsAny(text, " \t\r\n") && !labelled.MatchString(text) {
		word := strings.Trim(text, "<>()[]',;")
		if quotedIs.MatchString(word) {
			return []string{word}, nil
		}
		return []string{strings.Trim(word, "<>()[]\"',;")}, nil
	}
	for _, names := range []*regexp.Regexp{refIn, messageIDIn, queueIDIn, addressIn} {
		found := submatches(names, text)
		if len(found) == 0 {
			continue
		}
		if rest := strings.Fields(names.ReplaceAllString(text, " ")); len(words) > 1 && len(words) <= mostArguments {
			for _, word := range rest {
				if word = strings.Trim(word, "<>()[]\"',;:"); word != "" {
					return nil, usagef("%q: a search is for one thing: besides %s say what it is: --sender, --recipient, --subject, or what else --help has", word, found[0])
				}
			}
		}
		return found, nil
	}
	return nil, usagef("nothing in this text names a message: a reference, a queue id, a Message-ID, or an address")
}

func submatches(names *regexp.Regexp, text string) (found []string) {
	for _, m := range names.FindAllStringSubmatch(text, -1) {
		found = append(found, strings.TrimRight(m[1], ".,;)"))
	}
	return found
}

var sizeIs = regexp.MustCompile(`^([<>]=?|=)? *([0-9]+(?:\.[0-9]+)?) *([kKmMgG]?)(i?[bB])?$`)

// parseSizes reads "> 10 MiB"; most is 0 for no bound.
func parseSizes(s string) (least, most int64, err error) {
	if s == "" {
		return 0, 0, nil
	}
	m := sizeIs.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, 0, usagef(`--size %q: want "> 10 MiB" or "< 1 KiB"`, s)
	}
	n, err := strconv.ParseFloat(m[2], 64)
	if err != nil {
		return 0, 0, usagef("--size %q: %w", s, err)
	}
	n *= map[string]float64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[strings.ToLower(m[3])]
	if n > math.MaxInt64/2 {
		return 0, 0, usagef("--size %q: too large", s)
	}
	bytes := int64(n)
	switch m[1] {
	case ">":
		return bytes + 1, 0, nil
	case "<":
		return 0, max(bytes-1, 1), nil
	case "<=":
		return 0, max(bytes, 1), nil
	case "=":
		return bytes, max(bytes, 1), nil
	}
	return bytes, 0, nil // ">=", and a bare size
}
