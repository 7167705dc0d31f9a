package test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/script"
)

// This file says what Postfix shows a milter of a message, so that sizes can
// be compared with what was sent. The differences are those of accounting.md:
// fields it drops, line ends and colons it makes regular, headers it cuts.

var (
	// message_drop_headers, whose default these are.
	dropped = map[string]bool{"bcc": true, "content-length": true, "resent-bcc": true, "return-path": true}
	// A field name, with white space before the colon (is_header.c).
	fieldStart = regexp.MustCompile(`^([!-9;-~]+)([ \t]*):`)
	// With smtpd_forbid_bare_newline a line ends in one CR LF or one LF; a CR
	// before it stays.
	lineEnd = regexp.MustCompile(`\r?\n`)
)

// headerLimit is Postfix's header_size_limit.
const headerLimit = 102400

// shown is a message as a milter sees it.
func shown(wire []byte) (fields []script.Field, body []byte) {
	text := string(wire)
	if !strings.HasSuffix(text, "\r\n") {
		text += "\r\n" // the client completes the last line
	}
	lines := lineEnd.Split(text, -1)
	lines = lines[:len(lines)-1]
	if len(lines) > 0 {
		if strings.HasPrefix(strings.TrimLeft(lines[0], ">"), "From ") {
			lines[0] = "X-Mailbox-Line: " + lines[0]
		} else if strings.HasPrefix(lines[0], " ") || strings.HasPrefix(lines[0], "\t") {
			lines = append([]string{""}, lines...)
		}
	}
	i := 0
	for ; i < len(lines); i++ {
		line := lines[i]
		if line == "" {
			i++
			break
		}
		if len(fields) > 0 && (line[0] == ' ' || line[0] == '\t') {
			// Lines of a header that is too long already are dropped.
			if last := &fields[len(fields)-1]; len(last.Name)+1+len(last.Raw) < headerLimit {
				last.Raw += "\n" + line
			}
			continue
		}
		p := fieldStart.FindStringSubmatch(line)
		if p == nil {
			break // no field: the body begins here
		}
		fields = append(fields, script.Field{Name: p[1], Raw: line[len(p[0]):]})
	}
	kept := fields[:0]
	for _, f := range fields {
		if !dropped[strings.ToLower(f.Name)] {
			f.Raw, _, _ = strings.Cut(f.Raw, "\x00") // a string of C
			kept = append(kept, f)
		}
	}
	for _, line := range lines[i:] {
		body = append(append(body, line...), "\r\n"...)
	}
	return kept, body
}

func shownFields(wire []byte) []script.Field {
	fields, _ := shown(wire)
	return fields
}

// shownSize is the size by which a message is charged.
func shownSize(wire []byte) int64 {
	fields, body := shown(wire)
	n := len("\r\n") + len(body)
	for _, f := range fields {
		n += len(f.Name) + len(":") + len(strings.ReplaceAll(f.Raw, "\n", "\r\n")) + len("\r\n")
	}
	return int64(n)
}

func TestShownSize(t *testing.T) {
	t.Parallel()
	const plain = int64(len("A: b\r\n\r\nbody\r\n"))
	for in, want := range map[string]int64{
		"A: b\r\n\r\nbody\r\n":                 plain,
		"A: b\r\nBcc: x\r\n c\r\n\r\nbody\r\n": plain,
		"A : b\r\n\r\nbody\r\n":                plain,
		"A: b\r\r\n\r\nbody":                   plain + 1,
		"A: b\r\n":                             int64(len("A: b\r\n\r\n")),
		"A: b\r\nno field\r\n":                 int64(len("A: b\r\n\r\nno field\r\n")),
		"From a\r\nA: b\r\n\r\nbody\r\n":       plain + int64(len("X-Mailbox-Line: From a\r\n")),
	} {
		if got := shownSize([]byte(in)); got != want {
			t.Errorf("shownSize(%q) = %d, want %d", in, got, want)
		}
	}
}
