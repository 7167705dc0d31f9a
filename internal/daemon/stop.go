package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Stop ends and closes all parts that were opened, the last first. SMTP
// sessions have grace to end by themselves, then their messages a little more;
// when ctx ends nothing is waited for but what has become durable.
func (d *Daemon) Stop(ctx context.Context, grace time.Duration) error {
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			d.log.Error("could not be stopped in order", "part", what, "error", err)
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	d.hand.end() // one that is under way comes to its end, or to nothing
	if d.milter != nil && !d.hand.over() {
		d.say(notifyStopping)
	}
	if d.control != nil && !d.hand.gone {
		// A long report must not eat the time of messages.
		short, cancel := context.WithTimeout(ctx, controlGrace)
		if err := d.control.Close(short); err != nil {
			d.log.Warn("a command was cut off", "error", err)
		}
		cancel()
	}
	if d.milter != nil {
		limit, cancel := context.WithTimeout(ctx, grace+cutAfter)
		if err := d.milter.Drain(limit, grace); err != nil {
			// Their clients were told nothing and will come again.
			d.log.Warn("messages under way were cut off", "error", err)
		}
		cancel()
	}
	d.serving.Wait()
	if d.endDrain != nil {
		if !d.hand.gone {
			d.flush(ctx)
		}
		d.endDrain()
	}
	d.background.Wait()
	d.trials.close()
	if d.running != nil {
		note("policy", d.running.Close())
	}
	if d.store != nil && !d.hand.gone {
		d.dropClaim(ctx)
		note("store", d.store.Close())
	}
	if d.spool != nil { // a second time does nothing
		note("spool", d.spool.Close())
	}
	if d.lock != nil && !d.hand.over() {
		note("lock", d.lock.Release())
	}
	return errors.Join(errs...)
}

// flush gives the store a last chance. What it does not take now waits in the
// spool for the next start.
func (d *Daemon) flush(ctx context.Context) {
	limit := flushLimit
	if d.spool.Status().LastError != "" {
		limit = flushAway
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := d.spool.Flush(ctx); err != nil {
		d.log.Warn("records wait in the spool for the next start", "waiting", d.spool.Status().Waiting, "error", err)
	}
}
