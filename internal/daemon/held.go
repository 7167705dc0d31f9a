package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/correct"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// HeldRequest is about messages on hold: what they were charged is to be taken
// back, or it is to be journalled what was done to them.
type HeldRequest struct {
	Void []correct.Message `json:"void,omitempty"`
	Done []journal.Entry   `json:"done,omitempty"`
}

// HeldAnswer is how many records each message of Void had.
type HeldAnswer struct {
	Records []int `json:"records"`
}

// heldBooks is what such a request is answered from.
type heldBooks struct {
	books   correct.Books
	journal *journal.Journal
	policy  string // the version in force
}

func (h *heldBooks) answer(ctx context.Context, r HeldRequest, user string) (HeldAnswer, error) {
	var a HeldAnswer
	if len(r.Void) > 0 {
		voided, err := h.books.Void(ctx, r.Void)
		if err != nil {
			return a, err
		}
		for _, list := range voided {
			a.Records = append(a.Records, len(list))
		}
	}
	if len(r.Done) == 0 {
		return a, nil
	}
	entries := make([]*journal.Entry, len(r.Done))
	for i := range r.Done {
		e := &r.Done[i]
		e.Kind, e.Time, e.Gateway, e.Policy, e.Stage, e.By = journal.Blocks, h.books.Now(), h.books.Gateway, h.policy, "hold", user
		entries[i] = e
	}
	return a, h.journal.Write(entries...)
}

// answerHeld is the daemon's answer.
func (d *Daemon) answerHeld(ctx context.Context, request json.RawMessage) (any, error) {
	var r HeldRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	h := heldBooks{d.books(), d.journals.Journal(), d.config().Gate.Version}
	a, err := h.answer(ctx, r, control.User(ctx))
	if err != nil {
		return nil, &control.Refusal{Code: CodeAway, Message: err.Error()}
	}
	return a, nil
}

// books are the daemon's.
func (d *Daemon) books() correct.Books {
	return correct.Books{
		Gateway: d.config().Gate.Gateway, Spool: d.spool, Now: time.Now,
		Store: func(context.Context) (accounting.Store, error) { return d.store, nil },
	}
}

// AnswerHeldHere does the daemon's part while none runs, with its lock.
func AnswerHeldHere(ctx context.Context, cfg *config.Config, r HeldRequest) (answer HeldAnswer, err error) {
	lock, err := control.Acquire(cfg.StateDir)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	// Root makes files here that the daemon must be able to use afterwards.
	spoolDir := filepath.Join(cfg.StateDir, "spool")
	back := lend(cfg.StateDir, cfg.JournalDir)
	defer func() { err = errors.Join(err, back()) }()
	j, err := journal.Open(cfg.JournalDir)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	sp, err := spool.Open(spoolDir, spool.Options{})
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, sp.Close()) }()
	var store accounting.Store
	defer func() {
		if store != nil {
			err = errors.Join(err, store.Close())
		}
	}()
	h := heldBooks{correct.Books{Gateway: cfg.Gate.Gateway, Spool: sp, Now: time.Now, Store: func(ctx context.Context) (accounting.Store, error) {
		store, _, err = assemble.OpenStore(ctx, cfg, nil, slog.New(slog.DiscardHandler), assemble.MustExist)
		return store, err
	}}, j, cfg.Gate.Version}
	return h.answer(ctx, r, control.UserName(os.Getuid()))
}
