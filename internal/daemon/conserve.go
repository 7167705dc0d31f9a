package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/control"
)

// balanceName is the file of the state folder with what the store had before.
const balanceName = "conservation.json"

const (
	balanceEvery = 5 * time.Second
	balanceShare = 20 // it takes no more than a part of the time
)

// balance compares what was spooled with what the store has, every now and then.
func (d *Daemon) balance(ctx context.Context, store accounting.Conserver) {
	b := audit.Balancer{Gateway: d.config().Gate.Gateway, Spool: d.spool, Store: store, File: filepath.Join(d.config().StateDir, balanceName)}
	said := int64(0)
	for {
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, refreshTimeout)
		is, err := b.Now(limited)
		cancel()
		if err == nil && is != nil {
			if is.Missing > 0 && is.Missing != said {
				d.explain(ctx, &b, is)
			}
			d.conservation.Store(is)
			if is.Missing != said && is.Missing != 0 {
				d.log.Error("what was spooled and what the store has differ", "spooled", is.Spooled, "applied", is.Applied, "waiting", is.Waiting,
					"parked", is.Parked, "dropped", is.Dropped, "missing", is.Missing)
			}
			said = is.Missing
		}
		if pause(ctx, max(balanceEvery, balanceShare*time.Since(began))) != nil {
			return
		}
	}
}

// explain looks whether records that seem to be missing were spooled twice.
func (d *Daemon) explain(ctx context.Context, b *audit.Balancer, is *audit.Balance) {
	store, ok := d.store.(audit.Store)
	if !ok {
		return
	}
	a := audit.Auditor{Spool: d.spool, Store: store}
	r, err := a.Run(ctx)
	if err == nil {
		err = b.Explain(is, r)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Warn("whether records are missing cannot be told", "error", err)
	}
}

// answerAudit proves record by record what the spool still retains.
func (d *Daemon) answerAudit(ctx context.Context, _ json.RawMessage) (any, error) {
	store, ok := d.store.(audit.Store)
	if !ok {
		return nil, refuse(errors.New("this store cannot be audited"))
	}
	a := audit.Auditor{Spool: d.spool, Store: store}
	r, err := a.Run(ctx)
	if err != nil {
		return nil, &control.Refusal{Code: CodeAway, Message: "the audit was not ended: " + err.Error()}
	}
	return r, nil
}
