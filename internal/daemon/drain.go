package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// drain starts what brings records to the store, and what tells the store that
// this gateway lives.
func (d *Daemon) drain(ctx context.Context) {
	ctx, d.endDrain = context.WithCancel(context.WithoutCancel(ctx))
	d.background.Go(func() {
		if err := d.spool.Drain(ctx, d.drained()); err != nil && ctx.Err() == nil {
			d.fail(fmt.Errorf("drain: %w", err))
		}
	})
	d.background.Go(func() { d.heartbeat(ctx) })
	d.background.Go(func() { d.keepAccounts(ctx) })
	if store, ok := d.store.(accounting.Conserver); ok {
		d.background.Go(func() { d.balance(ctx, store) })
	}
	if from, ok := d.store.(accounting.Definer); ok {
		d.background.Go(func() { d.followClients(ctx, from) })
	}
	d.background.Go(func() { d.followed.run(ctx) })
	if ledger, ok := d.store.(accounting.Ledger); ok {
		d.background.Go(func() { d.follow(ctx, ledger) })
		d.background.Go(func() { d.readStandings(ctx, ledger) })
		d.background.Go(func() { d.chargeFees(ctx, ledger) })
		d.background.Go(func() { d.watchSeals(ctx, ledger) })
	}
}

// heartbeat tells the store every now and then. That the store is away is said
// once, as is that it is back.
func (d *Daemon) heartbeat(ctx context.Context) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for away := false; ; {
		beat, cancel := context.WithTimeout(ctx, storeTimeout)
		err := d.store.Heartbeat(beat, d.judge.Gate().Policy().Gateway, d.spool.Status().Waiting)
		if err == nil {
			err = d.renewClaim(beat)
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !away:
			d.log.Error("the store is unreachable; records wait in the spool", "error", err)
		case err == nil && away:
			d.log.Info("the store is reachable again")
		}
		away = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
