package test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/test/script"
)

// command runs "$ tollgate ...". Its exit code is 0 unless the next step is
// "exit".
func (s *session) command(step script.Step) error {
	words := strings.Fields(strings.NewReplacer(append(slices.Clone(s.captured), "{{dir}}", s.box.Dir)...).Replace(step.Arg))
	if len(words) < 2 || words[0] != "tollgate" {
		return fmt.Errorf("want: $ tollgate SUBCOMMAND ...")
	}
	var err error
	s.output, err = s.gate.Command(s.t.Context(), words[1:]...)
	return err
}

// until repeats a command for at most so long, until it prints what matches:
// "until 10s RE $ tollgate ...".
func (s *session) until(step script.Step) error {
	condition, command, ok := strings.Cut(step.Arg, " $ ")
	span, re, ok2 := strings.Cut(condition, " ")
	limit, err := time.ParseDuration(span)
	if !ok || !ok2 || err != nil {
		return fmt.Errorf("want: until TIME RE $ tollgate ...")
	}
	return eventually(limit, func() error {
		if err := s.command(script.Step{Arg: command}); err != nil {
			return err
		}
		return s.prints(script.Step{Arg: re})
	})
}

// eventually polls until try says nil, and returns its last word.
func eventually(limit time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// exit compares the exit code of the last command.
func (s *session) exit(step script.Step) error {
	if got := fmt.Sprint(s.output.Exit); got != step.Arg {
		return fmt.Errorf("exit code %s\n%s%s", got, s.output.Stdout, s.output.Stderr)
	}
	return nil
}

// prints finds a regular expression in what the last command printed. What
// was captured stands in it as "{name}", and its own named groups are captured.
func (s *session) prints(step script.Step) error {
	re, err := regexp.Compile("(?m)" + strings.NewReplacer(s.captured...).Replace(step.Arg))
	if err != nil {
		return err
	}
	text := s.output.Stdout + s.output.Stderr
	m := re.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("it printed\n%s", text)
	}
	s.capture(re, m)
	return nil
}

func (s *session) printsNot(step script.Step) error {
	if err := s.prints(step); err == nil {
		return fmt.Errorf("it printed\n%s", s.output.Stdout+s.output.Stderr)
	}
	return nil
}
