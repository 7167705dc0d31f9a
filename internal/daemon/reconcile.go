package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/maillog"
	"github.com/tollgate-mail/tollgate/internal/outcome"
)

// MaillogRequest brings lines of Postfix's log; without any it asks from when on
// they are wanted.
type MaillogRequest struct {
	Events []maillog.Event `json:"events"`
	Last   time.Time       `json:"last"` // of the last line that was read, whatever it says
}

// MaillogAnswer says from when on lines are wanted.
type MaillogAnswer struct {
	Since time.Time `json:"since"`
}

// UndecidedRequest asks for messages that were charged and may not be in
// Postfix's queue.
type UndecidedRequest struct {
	// Since asks for all that were charged from then on; zero for those only of
	// which the followed log does not say what became of them.
	Since time.Time `json:"since"`
}

// UndecidedAnswer are they.
type UndecidedAnswer struct {
	Source   string            `json:"source"` // the log that is followed; "" for none
	Messages []outcome.Message `json:"messages"`
}

// DecideRequest says what became of messages.
type DecideRequest struct {
	Queued []outcome.Message `json:"queued"` // they are owed
	Void   []Voided          `json:"void"`   // they are not
	// All: nothing that was asked for is undecided any more.
	All bool `json:"all"`
}

// Voided is a message that is not owed, and why.
type Voided struct {
	outcome.Message
	Why string `json:"why"`
}

// reconcileAnswers are those about messages of which it is not known what became.
func (d *Daemon) reconcileAnswers(to map[string]control.Handler) map[string]control.Handler {
	to[CmdUndecided] = control.Privileged(d.answerUndecided)
	to[CmdDecide] = control.Privileged(d.answerDecide)
	return to
}

func (d *Daemon) answerMaillog(_ context.Context, request json.RawMessage) (any, error) {
	var r MaillogRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	f := d.followed
	if d.config().FollowMaillog != config.FollowJournal {
		return nil, refuse(errors.New(`follow_maillog of [accounting] is not "journal": nothing is to be fed`))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range r.Events {
		_ = f.event(e) // it has no error of its own
	}
	f.tracker.Read(r.Last)
	since := f.places.Old().Last
	if since.IsZero() {
		since = time.Now()
	}
	return MaillogAnswer{since.Add(-outcome.Soon)}, nil
}

func (d *Daemon) answerUndecided(ctx context.Context, request json.RawMessage) (any, error) {
	var r UndecidedRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	a := UndecidedAnswer{Source: d.config().FollowMaillog, Messages: []outcome.Message{}}
	if r.Since.IsZero() {
		a.Messages = append(a.Messages, d.followed.tracker.Undecided()...)
		return a, nil
	}
	type key struct {
		id string
		at int64
	}
	found := map[key]outcome.Message{}
	note := func(r *accounting.Record) {
		if r.Gateway != d.config().Gate.Gateway || r.Kind != accounting.Usage && r.Kind != accounting.Void || r.Origin().Before(r.Time.Add(-100*24*time.Hour)) {
			return
		}
		k := key{r.QueueID, r.Origin().UnixMilli()}
		if r.Kind == accounting.Void {
			delete(found, k)
			return
		}
		if m, ok := outcome.Of([]accounting.Record{*r}); ok {
			m.Records = nil
			found[k] = m
		}
	}
	// The store's first: what was voided since stands in the spool.
	if err := d.store.Records(ctx, "", r.Since, time.Now(), func(rec accounting.Record) error { note(&rec); return nil }); err != nil {
		return nil, storeAway(err)
	}
	if err := d.spool.Find(ctx, r.Since, func(list []accounting.Record) error {
		for i := range list {
			note(&list[i])
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, m := range found {
		a.Messages = append(a.Messages, m)
	}
	slices.SortFunc(a.Messages, func(a, b outcome.Message) int { return a.Time.Compare(b.Time) })
	return a, nil
}

func (d *Daemon) answerDecide(ctx context.Context, request json.RawMessage) (any, error) {
	var r DecideRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	f := d.followed
	for _, m := range r.Void {
		if err := f.void(ctx, m.Message, m.Why, control.User(ctx)); err != nil {
			return nil, &control.Refusal{Code: CodeAway, Message: err.Error()}
		}
		f.tracker.Forget(m.Message)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range r.Queued {
		if m.Held {
			f.tracker.Hold(m)
		} else {
			f.tracker.Forget(m)
		}
	}
	if r.All {
		f.gap = ""
		f.tracker.Reconciled()
	}
	f.keep(time.Now())
	return nil, nil
}
