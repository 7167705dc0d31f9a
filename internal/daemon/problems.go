package daemon

import "github.com/tollgate-mail/tollgate/rules"

// ProblemRow is a problem of a policy in JSON.
type ProblemRow struct {
	File     string `json:"file"`
	Line     int    `json:"line"`     // from 1; 0 when none is known
	Severity string `json:"severity"` // "error" or "warning"
	Message  string `json:"message"`
}

// ProblemRows are problems for JSON.
func ProblemRows(problems rules.Problems) []ProblemRow {
	rows := make([]ProblemRow, len(problems))
	for i, p := range problems {
		rows[i] = ProblemRow{File: p.Pos.File, Line: p.Pos.Line, Severity: "error", Message: p.Msg}
		if p.Warning {
			rows[i].Severity = "warning"
		}
	}
	return rows
}

func (r ProblemRow) String() string {
	return rules.Problem{Pos: rules.Pos{File: r.File, Line: r.Line}, Msg: r.Message, Warning: r.Severity == "warning"}.String()
}
