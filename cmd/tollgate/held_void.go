package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/correct"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// tellHeld has a request answered by the daemon or, where none runs, here.
func (a *app) tellHeld(ctx context.Context, r daemon.HeldRequest) (daemon.HeldAnswer, error) {
	places, err := a.places()
	if err != nil {
		return daemon.HeldAnswer{}, err
	}
	var answer daemon.HeldAnswer
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = control.NewClient(places.StateDir).Call(ctx, daemon.CmdHeld, r, &answer)
	if !errors.Is(err, control.ErrNoDaemon) {
		return answer, away(err)
	}
	cfg, problems := config.Load(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return answer, &failure{exitPolicy, fmt.Errorf("%s: the policy is bad, and no daemon runs", a.policy)}
	}
	answer, err = daemon.AnswerHeldHere(ctx, cfg, r)
	return answer, away(err)
}

// voidHeld takes back what messages on hold were charged, before they are
// deleted. How many records that were is told.
func (a *app) voidHeld(ctx context.Context, named []namedMessage) error {
	var messages []correct.Message
	for _, n := range named {
		if n.held == nil {
			continue
		}
		m := correct.Message{QueueID: n.held.QueueID, Since: n.held.Arrived.Add(-stepBack)}
		if n.held.entry != nil {
			m.Ref = n.held.entry.Ref
		}
		messages = append(messages, m)
	}
	answer, err := a.tellHeld(ctx, daemon.HeldRequest{Void: messages})
	if err != nil {
		return fmt.Errorf("nothing was deleted: what the messages were charged cannot be taken back: %w", err)
	}
	for i, n := range answer.Records {
		if n == 0 && i < len(messages) {
			fmt.Fprintf(a.err, "tollgate: %s: nobody was charged for it\n", visible(messages[i].QueueID))
		}
	}
	return nil
}

// journalHeld journals what was done to messages on hold. That it could not be
// is told; it is done all the same.
func (a *app) journalHeld(ctx context.Context, named []namedMessage, ids []string, verdict string) {
	var done []journal.Entry
	for _, n := range named {
		if n.held == nil || !slices.Contains(ids, n.held.QueueID) {
			continue
		}
		e := journal.Entry{Kind: journal.Blocks, QueueID: n.held.QueueID, Sender: n.held.Sender, Size: n.held.Size, Verdict: verdict}
		if from := n.held.entry; from != nil {
			e.Ref, e.MessageID, e.ClientIP, e.ClientHost, e.Helo = from.Ref, from.MessageID, from.ClientIP, from.ClientHost, from.Helo
			e.Direction, e.Sender, e.Subject, e.Size, e.Rule = from.Direction, from.Sender, from.Subject, from.Size, from.Rule
		}
		for _, to := range n.held.Recipients {
			e.Recipient = to
			done = append(done, e)
		}
	}
	if len(done) == 0 {
		return
	}
	if _, err := a.tellHeld(ctx, daemon.HeldRequest{Done: done}); err != nil {
		fmt.Fprintf(a.err, "tollgate: this is not in the journal: %v\n", err)
	}
}
