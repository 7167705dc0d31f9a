package main

import (
	"context"
	"fmt"
	"io"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/survey"
)

// serviceRow is a service in the rows of "check --live": a problem where it does not
// answer.
type serviceRow struct {
	daemon.ProblemRow
	Service string `json:"service"`
	Answers bool   `json:"answers"`
	TookMS  int64  `json:"took_ms"`
}

// checkedLive prints what was found in the policy, and what its services answer.
func (a *app) checkedLive(ctx context.Context, is checking) error {
	if !a.json {
		if err := a.checked(is); err != nil {
			return err
		}
	}
	services := survey.Services(ctx, is.cfg)
	missing := false
	for _, s := range services {
		missing = missing || !s.Answers
	}
	var err error
	if a.json {
		err = a.printLive(is.rows, services)
	} else {
		err = printServices(a.out, services)
	}
	if err == nil && missing {
		err = silent(exitAway)
	}
	return err
}

func (a *app) printLive(problems []daemon.ProblemRow, services []survey.Service) error {
	rows := make([]any, 0, len(problems)+len(services))
	for _, p := range problems {
		rows = append(rows, p)
	}
	for _, s := range services {
		row := serviceRow{Service: s.Name, Answers: s.Answers, TookMS: s.Took.Milliseconds()}
		row.Severity, row.Message = "ok", s.Detail
		if !s.Answers {
			row.Severity = "error"
		}
		rows = append(rows, row)
	}
	return printJSON(a.out, rows)
}

func printServices(out io.Writer, services []survey.Service) error {
	if len(services) == 0 {
		_, err := fmt.Fprintln(out, "the policy needs no service")
		return away(err)
	}
	for _, s := range services {
		line := s.Name + ": answers"
		switch {
		case !s.Answers:
			line = s.Name + ": does not answer: " + s.Detail
		case s.Detail != "":
			line += ": " + s.Detail
		}
		if _, err := fmt.Fprintln(out, visible(line)); err != nil {
			return away(err)
		}
	}
	return nil
}
