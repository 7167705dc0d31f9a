package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// patience is how long a daemon may take for a command: a report over years and
// a policy with millions of list entries take their time.
const patience = 5 * time.Minute

// ask gives the daemon a command. A refusal becomes the failure it means.
func (a *app) ask(ctx context.Context, stateDir, command string, request, response any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := control.NewClient(stateDir).Call(ctx, command, request, response)
	var refusal *control.Refusal
	if !errors.As(err, &refusal) {
		return away(err)
	}
	if refusal.Code == daemon.CodeRequest {
		return &failure{exitNegative, refusal}
	}
	if refusal.Code != daemon.CodePolicy {
		return away(err)
	}
	var rows []daemon.ProblemRow
	if err := json.Unmarshal(refusal.Detail, &rows); err != nil {
		return away(fmt.Errorf("%w: %w", refusal, err))
	}
	if a.json {
		if err := printJSON(a.out, rows); err != nil {
			return err
		}
	} else {
		printProblems(a.err, rows)
	}
	return &failure{exitPolicy, refusal}
}
