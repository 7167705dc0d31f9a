// Package script reads the files of an end-to-end case: the session, what is
// to be delivered, and the JSON lines that journals and records must match.
// test/cases/README.md describes them for those who write cases.
package script

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Step is one line of a session file.
type Step struct {
	File string
	Line int      // from 1
	Conn string   // the connection it is for: "@NAME" before the verb; "" for the only one
	Verb string   // "C:", "S:", "DATA", "$", ...
	Arg  string   // the rest of the line
	Text []string // the lines that follow it with "|": a message
}

// Where is the step's position, for messages.
func (s Step) Where() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }

// Read reads a session file.
func Read(file string) ([]Step, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	var steps []Step
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "|"):
			if len(steps) == 0 {
				return nil, fmt.Errorf("script: %s:%d: text that belongs to no step", file, i+1)
			}
			last := &steps[len(steps)-1]
			last.Text = append(last.Text, strings.TrimPrefix(line[1:], " "))
		default:
			s := Step{File: file, Line: i + 1}
			if strings.HasPrefix(line, "@") {
				s.Conn, line, _ = strings.Cut(line[1:], " ")
			}
			s.Verb, s.Arg, _ = strings.Cut(strings.TrimSpace(line), " ")
			s.Arg = strings.TrimSpace(s.Arg)
			steps = append(steps, s)
		}
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("script: %s: %w", file, errors.New("no steps"))
	}
	return steps, nil
}

// Pairs reads "key=value key=value"; a value that needs spaces does not exist.
func Pairs(arg string) (map[string]string, error) {
	pairs := make(map[string]string)
	for _, word := range strings.Fields(arg) {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("script: %q is not key=value", word)
		}
		pairs[key] = value
	}
	return pairs, nil
}
