package daemon

import (
	"context"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

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
