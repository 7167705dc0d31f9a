package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/control"
)

// Exit codes; those from 64 on are of sysexits.h.
const (
	exitDone     = 0
	exitNegative = 1  // nothing was found
	exitUsage    = 2  // wrong command line
	exitAway     = 75 // EX_TEMPFAIL: a dependency is away
	exitPolicy   = 78 // EX_CONFIG: a bad or missing policy
)

// failure is an error with the exit code it leads to. Without an error
// everything was said already.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// silent ends a command that has said what there is to say.
func silent(code int) error { return &failure{code: code} }

func usagef(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

// away is the failure of something the command depends on: the daemon, a
// file, the store.
func away(err error) error {
	if err == nil {
		return nil
	}
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	return &failure{exitAway, err}
}

// notThere is the failure of a file that the command line names: one that is not
// there is a slip of who wrote it, whatever the command.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &failure{exitUsage, err}
	}
	return away(err)
}

// exit prints an error and returns the exit code. What a command returns has
// its code; an error without one is the command line's (cobra).
func (a *app) exit(c *cobra.Command, err error) int {
	if err == nil {
		return exitDone
	}
	f := &failure{exitUsage, err}
	errors.As(err, &f)
	if f.err != nil {
		fmt.Fprintln(a.err, "tollgate:", err) // with what was said around the failure
		if errors.Is(f.err, control.ErrNoDaemon) {
			fmt.Fprintln(a.err, "tollgate:", startHint())
		}
		if f.code == exitUsage {
			fmt.Fprintf(a.err, "tollgate: see \"%s --help\"\n", c.CommandPath())
		}
	}
	return f.code
}
