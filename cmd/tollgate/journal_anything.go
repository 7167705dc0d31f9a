package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// What names a message in the text of a bounce or of a log.
var (
	refIn       = regexp.MustCompile(`(?i)\bref[ =:]+([0-9a-z]{6,24})\b`)
	messageIDIn = regexp.MustCompile(`(?i)message-id[=: ]+<?([^<>\s]+@[^<>\s]+)>?`)
	queueIDIn   = regexp.MustCompile(`(?:queued as |queue[_-]id[=: ]+|\b)([0-9A-F]{8,15}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,20}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{1,8})\b`)
	addressIn   = regexp.MustCompile(`[^\s<>"(),;:]+@[^\s<>"(),;:]+`)
)

// anything reads the words of a search: one word is looked for as it is; of a
// longer text, what names a message surest.
func anything(words []string) ([]string, error) {
	text := strings.TrimSpace(strings.Join(words, " "))
	if text == "" {
		return nil, nil
	}
	if !strings.ContainsAny(text, " \t\r\n") {
		return []string{strings.Trim(text, "<>()[]\"',;")}, nil
	}
	for _, names := range []*regexp.Regexp{refIn, messageIDIn, queueIDIn} {
		if found := submatches(names, text); len(found) > 0 {
			return found, nil
		}
	}
	if found := addressIn.FindAllString(text, -1); len(found) > 0 {
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
