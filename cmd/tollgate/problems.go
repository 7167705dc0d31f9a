package main

import (
	"fmt"
	"io"

	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// printProblems prints one a line, "file:line: message".
func printProblems(w io.Writer, rows []daemon.ProblemRow) {
	for _, r := range rows {
		fmt.Fprintln(w, r)
	}
}
