package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// tallied is the closing line of a check: "3 errors, 1 warning".
func closingLine(rows []daemon.ProblemRow) string {
	errors := 0
	for _, r := range rows {
		if r.Severity == "error" {
			errors++
		}
	}
	return daemon.Plural(errors, "error") + ", " + daemon.Plural(len(rows)-errors, "warning")
}

// printProblems prints one a line, "file:line: message".
func printProblems(w io.Writer, rows []daemon.ProblemRow) {
	for _, r := range rows {
		fmt.Fprintln(w, r)
		if r.Line > 0 || r.Severity != "error" {
			continue
		}
		if _, none := os.Stat(r.File); errors.Is(none, fs.ErrNotExist) {
			fmt.Fprintln(w, `tollgate: --policy names a policy, "tollgate setup" makes one`)
		}
	}
}
