package list

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules/expr"
)

const (
	// maxLine bounds a line of a list.
	maxLine = 1 << 16
	// maxReported bounds the problems told of one list: a file that is not a
	// list at all has one a line.
	maxReported = 20
)

// Read reads one entry a line; # begins a comment, at the start of a line
// or after white space. file names the list in problems, of which the first
// twenty are told. The list has all good entries, whatever the problems.
func Read(file string, r io.Reader, kind Kind, cache *expr.Cache) (*List, diag.Problems) {
	b := listBuilder{list: &List{kind: kind}, cache: cache}
	problems := b.read(file, r)
	return b.finish(), problems
}

// read adds one entry a line.
func (b *listBuilder) read(file string, r io.Reader) diag.Problems {
	rep := reporter{file: file}
	in := bufio.NewReaderSize(r, maxLine)
	for line := 1; ; line++ {
		text, err := readLine(in)
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			b.parseWaiting(&rep)
			rep.tell(line, fmt.Sprintf("the line is longer than %d octets", maxLine), false)
			continue
		case err != nil && !errors.Is(err, io.EOF):
			b.parseWaiting(&rep)
			rep.tell(line, "reading: "+err.Error(), false)
			return rep.all()
		}
		entry := b.list.kind.entry(text)
		switch {
		case entry == "":
		case b.list.kind == Expressions && b.to == nil:
			b.parseLater(line, entry, &rep)
		default:
			warning, err := b.add(entry)
			if errors.Is(err, errGivenUp) {
				return rep.all()
			}
			if warning != "" {
				rep.tell(line, warning, true)
			}
			if err != nil {
				rep.tell(line, err.Error(), false)
			}
			if errors.Is(err, errListFull) {
				return rep.all()
			}
		}
		if err != nil {
			b.parseWaiting(&rep)
			return rep.all()
		}
	}
}

// New makes a list of entries that stand in the policy itself.
func New(entries []diag.Operand, kind Kind, cache *expr.Cache) (*List, diag.Problems) {
	b := listBuilder{list: &List{kind: kind}, cache: cache}
	var problems diag.Problems
	for _, e := range entries {
		s, ok := e.V.(string)
		if !ok {
			problems = append(problems, diag.Problem{Pos: e.Pos, Msg: "an entry of a list is a text"})
			continue
		}
		warning, err := b.add(strings.TrimSpace(s))
		if warning != "" {
			problems = append(problems, diag.Problem{Pos: e.Pos, Msg: warning, Warning: true})
		}
		if err != nil {
			problems = append(problems, diag.Problem{Pos: e.Pos, Msg: err.Error()})
		}
	}
	return b.finish(), problems
}

// readLine returns a line without its end. A line that does not fit the
// reader's buffer is read to its end and is [bufio.ErrBufferFull].
func readLine(in *bufio.Reader) (string, error) {
	b, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return strings.TrimRight(string(b), "\r\n"), err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return "", bufio.ErrBufferFull
}

// stripComment returns the entry of a line. An expression ends at the first
// slash with nothing but a comment after it, so that it may have a # inside.
func stripComment(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "/") {
		for i := 1; i < len(line); i++ {
			if line[i] != '/' {
				continue
			}
			rest := line[i+1:]
			comment := strings.TrimLeft(rest, " \t")
			if rest == "" || len(comment) < len(rest) && strings.HasPrefix(comment, "#") {
				return line[:i+1]
			}
		}
		return line
	}
	for i := 0; i < len(line); i++ {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return strings.TrimSpace(line[:i])
		}
	}
	return line
}

// reporter gathers the problems of a file, up to a bound. Errors come first in
// what is kept: a warning does not take the room of one.
type reporter struct {
	file     string
	problems diag.Problems
	errors   int
	warnings int
}

func (r *reporter) tell(line int, msg string, warning bool) {
	count := &r.errors
	if warning {
		count = &r.warnings
	}
	if *count++; *count <= maxReported {
		r.problems = append(r.problems, diag.Problem{Pos: diag.Pos{File: r.file, Line: line}, Msg: msg, Warning: warning})
	}
}

// all adds how many problems were left out.
func (r *reporter) all() diag.Problems {
	if n := r.errors - maxReported; n > 0 {
		r.problems = append(r.problems, diag.Problem{Pos: diag.Pos{File: r.file}, Msg: fmt.Sprintf("and %d more such lines", n)})
	}
	if n := r.warnings - maxReported; n > 0 {
		r.problems = append(r.problems, diag.Problem{
			Pos: diag.Pos{File: r.file}, Msg: fmt.Sprintf("and %d more such lines", n), Warning: true,
		})
	}
	return r.problems
}
