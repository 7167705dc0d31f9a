package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/archive"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// balanceName is the file of the state folder with what the store had before.
const balanceName = "conservation.json"

// acceptsName is that with what was accepted as lost.
const acceptsName = "accepted.jsonl"

const (
	balanceEvery = 5 * time.Second
	balanceShare = 20 // it takes no more than a part of the time
	balanceRest  = time.Minute
)

// balance compares what was spooled with what the store has, every now and then.
func (d *Daemon) balance(ctx context.Context, store accounting.Conserver) {
	b := d.balancer(store)
	said, failed := int64(0), ""
	for {
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, refreshTimeout)
		is, err := b.Now(limited)
		cancel()
		long := min(balanceRest, max(balanceEvery, balanceShare*time.Since(began))) // without the audit, which is rare
		if err == nil && is != nil {
			if is.Missing > 0 && is.Missing != said {
				d.explain(ctx, b, is)
			}
			d.conservation.Store(is)
			if is.Missing != said && is.Missing != 0 {
				d.log.Error("what was spooled and what the store has differ", "spooled", is.Spooled, "applied", is.Applied, "waiting", is.Waiting,
					"parked", is.Parked, "dropped", is.Dropped, "missing", is.Missing)
			}
			said = is.Missing
		}
		switch {
		case err == nil:
			failed = ""
		case ctx.Err() == nil && err.Error() != failed:
			failed = err.Error()
			d.log.Warn("what was spooled and what the store has cannot be compared", "error", err)
		}
		if pause(ctx, long) != nil {
			return
		}
	}
}

func (d *Daemon) balancer(store accounting.Conserver) *audit.Balancer {
	return &audit.Balancer{
		Gateway: d.config().Gate.Gateway, Spool: d.spool, Store: store, File: filepath.Join(d.config().StateDir, balanceName), Accepts: d.accepts,
	}
}

// explain looks whether records that seem to be missing were spooled twice.
func (d *Daemon) explain(ctx context.Context, b *audit.Balancer, is *audit.Balance) {
	a, err := d.auditor(ctx)
	if a == nil && err == nil {
		return
	}
	var r *audit.Report
	if err == nil {
		r, err = a.Run(ctx)
	}
	if err == nil {
		err = b.Explain(is, r)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Warn("whether records are missing cannot be told", "error", err)
	}
}

// answerAudit proves record by record what the spool still retains.
func (d *Daemon) answerAudit(ctx context.Context, _ json.RawMessage) (any, error) {
	a, err := d.auditor(ctx)
	if a == nil && err == nil {
		return nil, refuse(errors.New("this store cannot be audited"))
	}
	var r *audit.Report
	if err == nil {
		r, err = a.Run(ctx)
	}
	if err == nil {
		err = d.compare(ctx, r)
	}
	if err != nil {
		return nil, unaudited(err)
	}
	return r, nil
}

// compareLimit bounds what an audit waits for the store to say that it kept what it took.
const compareLimit = 10 * time.Second

// compare has an audit tell of what is nowhere any more: the spool retains no record that
// was removed with its segment, and the numbers lack it.
func (d *Daemon) compare(ctx context.Context, r *audit.Report) error {
	store, ok := d.store.(accounting.Conserver)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, compareLimit)
	defer cancel()
	b := d.balancer(store)
	is, err := b.Now(ctx)
	if err != nil {
		d.log.Warn("what was spooled and what the store has cannot be compared", "error", err)
		r.Uncompared = err.Error()
		return nil // each record that the spool retains was looked for
	}
	if is == nil {
		r.Uncompared = "records are on their way"
		return nil
	}
	if err := b.Explain(is, r); err != nil {
		return err
	}
	r.Compare(is)
	return nil
}

// AcceptRequest asks to accept as lost what an audit finds missing: so many records.
type AcceptRequest struct {
	Records int64  `json:"records"`
	Note    string `json:"note"` // why
}

// answerAccept accepts records as lost. Who, when, why and which is kept for good,
// and journalled.
func (d *Daemon) answerAccept(ctx context.Context, request json.RawMessage) (any, error) {
	var q AcceptRequest
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, err
	}
	if q.Note == "" || !address.Printable(q.Note) {
		return nil, refuse(errors.New("a note is needed, of one line: why they are accepted as lost"))
	}
	store, ok := d.store.(accounting.Conserver)
	a, err := d.auditor(ctx)
	if a == nil && err == nil || !ok {
		return nil, refuse(errors.New("this store cannot be audited"))
	}
	if err != nil {
		return nil, unaudited(err)
	}
	a.Named = audit.MostAccepted
	one := audit.Acceptance{Time: time.Now().UTC().Truncate(time.Second), By: control.User(ctx), Note: q.Note}
	one, err = d.accepts.Accept(d.spool.Name(), one, q.Records, func() (*audit.Report, *audit.Balance, error) {
		r, err := a.Run(ctx)
		if err != nil {
			return nil, nil, unaudited(err)
		}
		is, err := d.balancer(store).Now(ctx)
		if err == nil && is == nil {
			err = errors.New("records are on their way; try again")
		}
		if err != nil {
			return nil, nil, unaudited(err)
		}
		return r, is, nil
	})
	if away := (*control.Refusal)(nil); errors.As(err, &away) {
		return nil, err
	}
	if err != nil {
		return nil, refuse(err)
	}
	d.log.Warn("usage records are accepted as lost", "records", q.Records, "note", one.Note, "by", one.By)
	if err := d.journals.Journal().Write(&journal.Entry{
		Kind: journal.Blocks, Time: time.Now(), Gateway: d.config().Gate.Gateway, Stage: "audit", Verdict: "accepted", By: one.By,
		Reason: fmt.Sprintf("%s accepted as lost, by %s: %s", Plural(int(q.Records), "usage record"), one.By, one.Note),
	}); err != nil {
		return nil, refuse(fmt.Errorf("they are accepted, and it cannot be journalled: %w", err))
	}
	return one, nil
}

func unaudited(err error) error {
	return &control.Refusal{Code: CodeAway, Message: "the audit was not ended: " + err.Error()}
}

// auditor audits the daemon's own spool.
func (d *Daemon) auditor(ctx context.Context) (*audit.Auditor, error) {
	a, err := auditor(ctx, d.spool, d.store)
	if a != nil {
		a.Accepts = d.accepts
	}
	return a, err
}

// auditor is that of a spool and a store; nil without an error: the store cannot be
// audited.
func auditor(ctx context.Context, s audit.Spool, store accounting.Store) (*audit.Auditor, error) {
	audited, ok := store.(audit.Store)
	if !ok {
		return nil, nil
	}
	if l, ok := store.(archive.Ledgered); ok {
		books, err := archive.Over(ctx, l)
		if err != nil {
			return nil, err
		}
		audited = withArchives{audited, books}
	}
	return &audit.Auditor{Spool: s, Store: audited}, nil
}

// withArchives finds records that were moved to an archive: the spool may retain
// the last ones of a period that was closed since.
type withArchives struct {
	audit.Store
	books *archive.Books
}

// Unlisted implements audit.Unlister.
func (a withArchives) Unlisted() []string {
	if u, ok := a.Store.(audit.Unlister); ok {
		return u.Unlisted()
	}
	return nil
}

// Records implements audit.Store.
func (a withArchives) Records(ctx context.Context, client string, from, to time.Time, fn func(accounting.Record) error) error {
	return a.books.Records(ctx, client, from, to, fn)
}
