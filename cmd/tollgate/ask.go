package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
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
	if errors.Is(err, control.ErrNoDaemon) && (command == daemon.CmdReload || command == daemon.CmdStatus) {
		if dir := a.movedFrom(ctx, stateDir); dir != "" {
			fmt.Fprintf(a.err, "tollgate: the daemon that runs by this policy has its state in %s: another state_dir needs a restart\n", visible(dir))
			err = control.NewClient(dir).Call(ctx, command, request, response)
		}
	}
	if errors.Is(err, control.ErrNoDaemon) && daemon.AnsweredHere(command) {
		err = a.answerHere(ctx, command, request, response)
	}
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

// answerHere answers a command while no daemon runs. Who interrupts it leaves the
// files as the daemon needs them.
func (a *app) answerHere(ctx context.Context, command string, request, response any) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, problems := config.Load(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return &failure{exitPolicy, fmt.Errorf("%s: the policy is bad, and no daemon runs", a.policy)}
	}
	asked, err := json.Marshal(request)
	if err != nil {
		return err
	}
	answer, err := daemon.AnswerHere(ctx, daemon.Options{
		File: a.policy, Config: cfg, Version: thisBuild().Version, Log: slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}, command, asked)
	if err != nil || response == nil {
		return err
	}
	return json.Unmarshal(answer, response)
}

// movedFrom is the state folder of the daemon that runs by this policy, where the policy
// names another one by now; "" when there is none that can be found.
func (a *app) movedFrom(ctx context.Context, stateDir string) string {
	for _, dir := range control.Elsewhere(ctx, stateDir) {
		var s daemon.Status
		if control.NewClient(dir).Call(ctx, daemon.CmdStatus, nil, &s) == nil && absolute(s.Policy.File) == absolute(a.policy) {
			return dir
		}
	}
	return ""
}
