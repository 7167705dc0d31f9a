package holdqueue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	commands "github.com/tollgate-mail/tollgate/internal/postfix"
)

// call is one run of a command of Postfix.
type call struct {
	name string
	args []string
	in   io.Reader             // nil: nothing
	out  func(io.Reader) error // reads standard output; nil: it is dropped
	said func(line string)     // hears each line of standard error; may be nil
}

// run runs a command of Postfix for this instance. Its failure is an
// ErrUnavailable with what it said; an error of c.out goes first.
func (q *Queue) run(ctx context.Context, c call) error {
	path, err := commands.Find(c.name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"-c", q.config}, c.args...)...)
	cmd.Args[0] = c.name // with it begins what it says
	// What it started must not keep us waiting by holding on to its output.
	cmd.WaitDelay = time.Second
	cmd.Stdin = c.in
	words := &lines{said: c.said}
	cmd.Stderr = words
	var read error
	if c.out == nil {
		err = cmd.Run()
	} else {
		read, err = output(cmd, c.out)
	}
	words.end()
	switch {
	case read != nil:
		return read // the command may have failed because nobody read on
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, c.name, context.Cause(ctx))
	case err != nil:
		return &commandError{name: c.name, err: err, said: words.tail.String()}
	}
	return nil
}

// output runs cmd and has its output read. When read returns early, the
// command finds nobody who reads on, and ends.
func output(cmd *exec.Cmd, read func(io.Reader) error) (readErr, err error) {
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	readErr = read(pipe)
	return readErr, errors.Join(pipe.Close(), cmd.Wait())
}

// commandError is the failure of a command of Postfix.
type commandError struct {
	name string
	err  error
	said string // the end of its standard error, without warnings; "" for nothing
}

func (e *commandError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("%v: %s: %v", ErrUnavailable, e.name, e.err)
	}
	return fmt.Sprintf("%v: %s", ErrUnavailable, e.said)
}

func (e *commandError) Unwrap() []error { return []error{ErrUnavailable, e.err} }

const (
	longestWords = 1 << 10 // octets of a line of standard error
	mostWords    = 4 << 10 // octets of it that an error names
)

// warning marks lines that are not about why a command failed, but for
// instance about each setting that main.cf has twice.
var warning = []byte(": warning: ")

// lines is a standard error: each line is heard, the last ones are kept.
type lines struct {
	said func(line string)
	line []byte
	tail bytes.Buffer
}

// Write never fails: that would end the command.
func (l *lines) Write(p []byte) (int, error) {
	for _, c := range p {
		switch {
		case c == '\n':
			l.end()
		case len(l.line) < longestWords:
			l.line = append(l.line, c)
		}
	}
	return len(p), nil
}

// end ends a line.
func (l *lines) end() {
	if len(l.line) == 0 {
		return
	}
	if l.said != nil {
		l.said(string(l.line))
	}
	if !bytes.Contains(l.line, warning) {
		if l.tail.Len() > 0 {
			l.tail.WriteString("; ")
		}
		l.tail.Write(l.line)
		l.tail.Next(max(0, l.tail.Len()-mostWords))
	}
	l.line = l.line[:0]
}
