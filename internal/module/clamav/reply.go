package clamav

import (
	"errors"
	"fmt"
	"strings"
)

// ErrStreamLimit: clamd refuses streams as long as this one; its
// StreamMaxLength is too small.
var ErrStreamLimit = errors.New("stream longer than clamd's StreamMaxLength")

// longest is how much of a signature's name, or of a reply that is not
// understood, is kept.
const longest = 200

// parse reads the line that clamd answers to a stream with. The client's own
// reading of it is not used: it takes "stream: FOUND" for a finding without a
// name and "stream: what OK" for an OK, and does not know names with a colon.
func parse(line string) (virus string, err error) {
	if line == "stream: OK" {
		return "", nil
	}
	if strings.HasPrefix(line, "INSTREAM size limit exceeded") {
		return "", ErrStreamLimit
	}
	if name, ok := strings.CutPrefix(line, "stream: "); ok {
		if name, ok := strings.CutSuffix(name, " FOUND"); ok {
			if name = printable(withoutDetail(name)); name != "" {
				return name, nil
			}
		}
	}
	if text, ok := strings.CutSuffix(line, " ERROR"); ok {
		return "", fmt.Errorf("says %q", printable(text))
	}
	return "", fmt.Errorf("unintelligible reply %q", printable(line))
}

// withoutDetail takes off what "ExtendedDetectionInfo yes" appends to a name:
// the file's MD5 sum and size in parentheses.
func withoutDetail(name string) string {
	open := strings.LastIndexByte(name, '(')
	if open <= 0 || !strings.HasSuffix(name, ")") || !strings.Contains(name[open:], ":") {
		return name
	}
	return name[:open]
}

// printable makes s fit for logs, replies and header fields: printable ASCII of
// a bounded length. Names of signatures are nothing else.
func printable(s string) string {
	s = strings.TrimSpace(s[:min(len(s), longest)])
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
