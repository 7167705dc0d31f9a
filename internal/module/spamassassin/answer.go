package spamassassin

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// errAnswer: spamd's answer is not one of its protocol.
var errAnswer = errors.New("unintelligible answer")

var (
	// The numbers are those of sysexits.h.
	statusLine = regexp.MustCompile(`^SPAMD/[0-9]{1,3}\.[0-9]{1,3} ([0-9]{1,3}) (.*)$`)
	// Scores have one digit behind the point; a score is never as high as a
	// version of SpamAssassin to come might be precise.
	verdict = regexp.MustCompile(`^(True|False) ; (-?)([0-9]{1,7})(?:\.([0-9]{1,3}))? / -?[0-9]{1,7}(?:\.[0-9]{1,3})?$`)
	// What SpamAssassin allows as the name of a rule.
	symbol = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
)

// parse reads the answer to SYMBOLS. It is all there and exactly as spamd
// writes it, or an error.
func parse(answer []byte) (module.Finding, error) {
	if err := parseStatus(answer); err != nil {
		return module.Finding{}, err
	}
	head, body, ok := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !ok {
		return module.Finding{}, fmt.Errorf("%w: it was cut off: %.200q", errAnswer, answer)
	}
	fields, err := parseFields(strings.Split(string(head), "\r\n")[1:])
	if err != nil {
		return module.Finding{}, err
	}
	length, err := strconv.ParseUint(fields["content-length"], 10, 31)
	if err != nil || length != uint64(len(body)) {
		return module.Finding{}, fmt.Errorf("%w: length %.20q of %d octets", errAnswer, fields["content-length"], len(body))
	}
	v := verdict.FindStringSubmatch(fields["spam"])
	if v == nil {
		return module.Finding{}, fmt.Errorf("%w: verdict %.100q", errAnswer, fields["spam"])
	}
	score, err := thousandths(v[2], v[3], v[4])
	if err != nil {
		return module.Finding{}, err
	}
	symbols, err := parseSymbols(string(body))
	if err != nil {
		return module.Finding{}, err
	}
	action := Ham
	if v[1] == "True" {
		action = Spam
	}
	return module.Finding{Score: score, Symbols: symbols, Action: action}, nil
}

// parseStatus reads the first line; nil when it says that all went well.
func parseStatus(answer []byte) error {
	line, _, ok := bytes.Cut(answer, []byte("\r\n"))
	m := statusLine.FindSubmatch(line)
	switch {
	case m == nil || !ok:
		return fmt.Errorf("%w: %.200q", errAnswer, line)
	case string(m[1]) != "0":
		// Such as "76 Bad header line: ..." and "79 Timeout: ...".
		return fmt.Errorf("says %.200q", string(m[1])+" "+string(m[2]))
	}
	return nil
}

// parseFields reads "Name: value" lines. One that stands there twice is not
// spamd's: which of both would be true?
func parseFields(lines []string) (map[string]string, error) {
	fields := make(map[string]string, len(lines))
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(name)
		if _, twice := fields[name]; !ok || twice {
			return nil, fmt.Errorf("%w: line %.200q", errAnswer, line)
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// thousandths reads a decimal, in the parts that the expression for it has.
func thousandths(sign, whole, fraction string) (rules.Weight, error) {
	n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: score: %w", errAnswer, err)
	}
	if sign != "" {
		n = -n
	}
	return rules.Weight(n), nil
}

// parseSymbols reads names with commas between them; no rule may have matched.
func parseSymbols(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	symbols := strings.Split(text, ",")
	for _, s := range symbols {
		if !symbol.MatchString(s) {
			return nil, fmt.Errorf("%w: symbol %.100q", errAnswer, s)
		}
	}
	return symbols, nil
}

// parsePong reads the answer to PING.
func parsePong(answer []byte) error {
	if err := parseStatus(answer); err != nil {
		return err
	}
	if !bytes.HasSuffix(answer, []byte(" 0 PONG\r\n")) {
		return fmt.Errorf("%w: %.200q to a ping", errAnswer, answer)
	}
	return nil
}
