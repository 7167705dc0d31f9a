package main

import (
	"fmt"
	"io"

	"github.com/tollgate-mail/tollgate/rules"
)

// problemRow is a problem of a policy in JSON.
type problemRow struct {
	File     string `json:"file"`
	Line     int    `json:"line"`     // from 1; 0 when none is known
	Severity string `json:"severity"` // "error" or "warning"
	Message  string `json:"message"`
}

func problemRows(problems rules.Problems) []problemRow {
	rows := make([]problemRow, len(problems))
	for i, p := range problems {
		rows[i] = problemRow{File: p.Pos.File, Line: p.Pos.Line, Severity: "error", Message: p.Msg}
		if p.Warning {
			rows[i].Severity = "warning"
		}
	}
	return rows
}

func (r problemRow) problem() rules.Problem {
	return rules.Problem{Pos: rules.Pos{File: r.File, Line: r.Line}, Msg: r.Message, Warning: r.Severity == "warning"}
}

// printProblems prints one a line, "file:line: message".
func printProblems(w io.Writer, rows []problemRow) {
	for _, r := range rows {
		fmt.Fprintln(w, r.problem())
	}
}
