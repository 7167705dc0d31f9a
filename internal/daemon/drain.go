package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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
	d.background.Go(func() { d.journals.Journal().KeepPacked(ctx) })
	d.background.Go(func() { d.journals.Journal().KeepThere(ctx) })
	d.background.Go(func() { d.keepAccounts(ctx) })
	if store, ok := d.store.(accounting.Conserver); ok {
		d.background.Go(func() { d.balance(ctx, store) })
	}
	d.background.Go(func() { d.followClients(ctx) })
	d.background.Go(func() { d.followed.run(ctx) })
	if ledger, ok := d.store.(accounting.Ledger); ok {
		d.background.Go(func() { d.follow(ctx, ledger) })
		d.background.Go(func() { d.readStandings(ctx, ledger) })
		d.background.Go(func() { d.chargeFees(ctx, ledger) })
		d.background.Go(func() { d.compareSeals(ctx, ledger) })
	}
}

// heartbeat tells the store every now and then. That the store is away is said
// once, as is that it is back.
func (d *Daemon) heartbeat(ctx context.Context) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for away := false; ; {
		beat, cancel := context.WithTimeout(ctx, storeTimeout)
		err := d.store.Heartbeat(beat, d.config().Gate.Gateway, d.spool.Status().Waiting)
		if err == nil {
			err = d.renewClaim(beat)
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !away:
			d.log.Error("the store cannot be used; records wait in the spool", "error", err)
		case err == nil && away:
			d.log.Info("the store can be used again")
		}
		away = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// claimed is the store of the drain: nothing is taken to it that another gateway
// of the same name would count as its own.
type claimed struct {
	accounting.Checkpointer
	claimer accounting.Claimer
	claim   accounting.Claim
}

// Session claims the gateway's name first.
func (c claimed) Session(ctx context.Context) (accounting.Session, error) {
	if err := c.claimer.Claim(ctx, c.claim); err != nil {
		return nil, err
	}
	return c.Checkpointer.Session(ctx)
}

// claimName claims the gateway's name in a store that others share. Of a store
// that is away it says nothing: the drain claims the name before it begins.
func (d *Daemon) claimName(ctx context.Context) error {
	claimer, ok := d.store.(accounting.Claimer)
	if !ok {
		return nil
	}
	host, _ := os.Hostname() // for people; it may be unknown
	d.claim = accounting.Claim{Gateway: d.config().Gate.Gateway, Instance: d.spool.Name(), Place: host + ":" + d.config().StateDir}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := claimer.Claim(ctx, d.claim); errors.Is(err, accounting.ErrClaimed) {
		return fmt.Errorf("the store: %w", err)
	}
	return nil
}

// renewClaim renews it with each heartbeat. That somebody else has it by now,
// because this gateway was not heard of, ends the session of the drain with its
// next batch; until then both are refused by the mark.
func (d *Daemon) renewClaim(ctx context.Context) error {
	if claimer, ok := d.store.(accounting.Claimer); ok {
		return claimer.Claim(ctx, d.claim)
	}
	return nil
}

// dropClaim gives the name back at the end, so that another may have it at once.
func (d *Daemon) dropClaim(ctx context.Context) {
	claimer, ok := d.store.(accounting.Claimer)
	if !ok || d.claim.Instance == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushAway)
	defer cancel()
	if err := claimer.Unclaim(ctx, d.claim); err != nil {
		d.log.Debug("the gateway's name is not given back, and is free in a while", "error", err)
	}
}

// drained is the store as the drain is to have it.
func (d *Daemon) drained() accounting.Sink {
	claimer, shared := d.store.(accounting.Claimer)
	if c, ok := d.store.(accounting.Checkpointer); ok && shared {
		return claimed{c, claimer, d.claim}
	}
	return d.store
}

// feesName is the file of the state folder with until when the store said that fees were
// looked after.
const feesName = "fees-through"

// lostName is that of what the store has forgotten.
const lostName = "money-lost"

// recallLosses reads what was told before this start.
func (d *Daemon) recallLosses(stateDir string) {
	if err := d.lost.Open(filepath.Join(stateDir, lostName)); err != nil {
		d.log.Error("what the store had forgotten before cannot be read", "error", err)
	}
}

// feesEvery is how often it is looked whether a client owes the fee of a period
// that has begun.
const feesEvery = time.Minute

// chargeFees books the fee of each period, once for all gateways, also for
// clients without mail.
func (d *Daemon) chargeFees(ctx context.Context, ledger accounting.Ledger) {
	charger := &d.charger
	charger.Ledger, charger.Clients, charger.Book, charger.Location, charger.Now, charger.Log = ledger, d.accounts.Live, d.accounts.Book, d.config().Location, time.Now, d.log
	charger.Lost = &d.lost
	charger.Gateway = func() string { return d.config().Gate.Gateway }
	charger.Seen, charger.Store = filepath.Join(d.config().StateDir, feesName), d.storeIs.Kind+" "+d.storeIs.Place
	said := ""
	for {
		err := charger.Round(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			d.log.Warn("not all fees are booked; the next round tries again", "error", err)
		}
		if pause(ctx, feesEvery) != nil {
			return
		}
	}
}

// followAgain is how long after the line to the store broke it is tried again.
const followAgain = time.Second

// standing is when accounts are to be read anew.
type standing struct{ wake chan struct{} }

func newStanding() standing { return standing{make(chan struct{}, 1)} }

// changed has accounts read anew. It does not wait.
func (s standing) changed() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// follow hears from the store how accounts stand when another gateway, or a
// payment, has changed them.
func (d *Daemon) follow(ctx context.Context, ledger accounting.Ledger) {
	for ctx.Err() == nil {
		// That the store is away is said by the heartbeat.
		_ = ledger.Follow(ctx, d.doubt, d.accounts.Live.Tell)
		if pause(ctx, followAgain) != nil {
			return
		}
	}
}

// doubt has all accounts read anew.
func (d *Daemon) doubt() {
	d.accounts.Live.Doubt()
	d.standing.changed()
}

// readStandings reads the accounts of clients that have limits whenever changes
// may have been missed, or there are new ones. Until then what was known last
// stands.
func (d *Daemon) readStandings(ctx context.Context, ledger accounting.Ledger) {
	for {
		select {
		case <-d.standing.wake:
		case <-ctx.Done():
			return
		}
		for {
			ask := d.accounts.Live.Unread(time.Now())
			list, err := ledger.Standings(ctx, ask.List)
			if err == nil {
				d.accounts.Live.Read(ask, list)
				break
			}
			if pause(ctx, followAgain) != nil {
				return
			}
		}
	}
}

// pause waits, or returns the error of a context that ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// records are those of the gate: where they become durable may change.
type records struct{ d *Daemon }

func (r records) Append(ctx context.Context, list []accounting.Record) error {
	err := r.append(ctx, list)
	if err != nil && r.d.unkept.due(time.Now()) {
		// The spool says what it fails with, and nothing of a disk that hangs.
		r.d.log.Error("usage records are not made durable; mail for clients is deferred", "error", err)
	}
	return err
}

func (r records) append(ctx context.Context, list []accounting.Record) error {
	to, err := r.d.hand.records.Use(ctx)
	if err != nil {
		return err
	}
	defer r.d.hand.records.Leave()
	return to.Append(ctx, list)
}

// lost is where no records become durable any more.
type lost struct{ error }

func (l lost) Append(context.Context, []accounting.Record) error { return l.error }

// minutely is when something was said last that is said once a minute.
type minutely struct {
	mu sync.Mutex
	at time.Time
}

func (m *minutely) due(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.at.IsZero() && now.Sub(m.at) < time.Minute {
		return false
	}
	m.at = now
	return true
}
