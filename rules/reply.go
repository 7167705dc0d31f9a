package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseReply parses "550 5.7.1 text"; codes must agree with each other and
// with the action (Reject: 5yz, Tempfail: 4yz but 421).
func ParseReply(s string, a Action) (*Reply, error) {
	r, err := parseReply(s, a)
	if err == nil {
		err = r.Text.checkGroups(0)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// parseReply reads a reply that may ask for the groups of an expression.
func parseReply(s string, a Action) (*Reply, error) {
	class, ok := replyClass(a)
	if !ok {
		return nil, fmt.Errorf("action %q answers with no reply of its own; only reject and tempfail do", a)
	}
	code, rest, _ := strings.Cut(s, " ")
	enhanced, text, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	text = strings.TrimSpace(text)
	n, err := parseCode(code)
	if err != nil {
		return nil, err
	}
	if err := checkEnhanced(enhanced); err != nil {
		return nil, err
	}
	switch {
	case code[0] != class:
		return nil, fmt.Errorf("reply code %d does not agree with action %q, which needs %cyz", n, a, class)
	case n == 421:
		// RFC 5321 §3.8: with 421 the server closes the connection; Postfix
		// makes a text of its own of it.
		return nil, errors.New("reply code 421 ends the session and is not for rules; take 451 or 450")
	case enhanced[0] != code[0]:
		return nil, fmt.Errorf("enhanced code %s does not agree with reply code %d", enhanced, n)
	case text == "":
		return nil, errors.New("the reply has no text")
	}
	// RFC 5321 §4.2: textstring is horizontal tab and printable ASCII.
	for _, r := range text {
		if r != '\t' && (r < ' ' || r > '~') {
			return nil, fmt.Errorf("character %q in the reply is not printable ASCII", r)
		}
	}
	t, err := parseTemplate(text)
	if err != nil {
		return nil, err
	}
	return &Reply{Code: n, Enhanced: enhanced, Text: t}, nil
}

// replyClass is the first digit of the codes that go with an action.
func replyClass(a Action) (byte, bool) {
	switch a {
	case Reject:
		return '5', true
	case Tempfail, Greylist:
		return '4', true
	}
	return 0, false
}

// parseCode checks the syntax of a reply code (RFC 5321 §4.2): three digits,
// the first 2 to 5, the second 0 to 5.
func parseCode(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) != 3 || s[0] < '2' || s[0] > '5' || s[1] > '5' {
		return 0, fmt.Errorf("%q is not a reply code; a reply is written \"550 5.7.1 text\"", s)
	}
	return n, nil
}

// checkEnhanced checks the syntax of an enhanced status code (RFC 3463 §2):
// class 2, 4 or 5, then subject and detail of up to three digits, without
// leading zeros.
func checkEnhanced(s string) error {
	parts := strings.Split(s, ".")
	ok := len(parts) == 3 && (parts[0] == "2" || parts[0] == "4" || parts[0] == "5")
	for _, p := range parts {
		if len(p) < 1 || len(p) > 3 || strings.Trim(p, "0123456789") != "" || len(p) > 1 && p[0] == '0' {
			ok = false
		}
	}
	if !ok {
		return fmt.Errorf("%q is not an enhanced status code; a reply is written \"550 5.7.1 text\"", s)
	}
	return nil
}

// SourceVerdict is what an action outside of the rules says and marks, as it was
// written: texts, and their places as in [SourceRule].
type SourceVerdict struct {
	Pos        Pos
	At         map[string]Pos
	Action     Action
	Reply      string
	TagSubject string
	TagHeader  []string
}

// CompileVerdict reads reply and tags of an action; the reply is nil where there
// is none. All problems are errors.
func CompileVerdict(src SourceVerdict) (*Reply, Tags, Problems) {
	var c compiler
	t := c.tags(src.TagSubject, src.TagHeader, "", src.At, src.Pos)
	r := c.reply(src.Reply, src.Action, src.At, src.Pos)
	return r, t, c.problems
}
