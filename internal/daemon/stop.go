package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

// Wait serves until a signal of end, or a part of the daemon fails; at one of
// renew it loads the policy anew.
func (d *Daemon) Wait(ctx context.Context, end, renew <-chan os.Signal) error {
	for {
		select {
		case s := <-end:
			d.log.Info("asked to end", "signal", s)
			return nil
		default:
		}
		select {
		case s := <-end:
			d.log.Info("asked to end", "signal", s)
			return nil
		case <-renew:
			if s := d.renewUntil(ctx, end); s != nil {
				d.log.Info("asked to end", "signal", s)
				return nil
			}
		case err := <-d.failed:
			return err
		case <-d.hand.left:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// renewUntil loads the policy anew, and gives up what waits when it is asked to end:
// a hand-over that is taken back may insist on what it cannot have.
func (d *Daemon) renewUntil(ctx context.Context, end <-chan os.Signal) (asked os.Signal) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A bad policy is in the log and in the status; the old one stays.
		_, _ = d.reload(ctx, history.Entry{How: history.Signal, By: history.Signal}, anyPolicy)
	}()
	select {
	case <-done:
	case asked = <-end:
		cancel()
		<-done
	}
	return asked
}

// EndSooner is for a daemon that Stop gave more time than it has by now: its SMTP
// sessions have grace from here on, then their messages a little more. It returns when
// that is over, or ctx ends.
func (d *Daemon) EndSooner(ctx context.Context, grace time.Duration) {
	if pause(ctx, grace) == nil {
		d.milter.Hurry()
		_ = pause(ctx, cutAfter) // the end comes anyway
	}
}

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
	d.keepCanary()
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
	if err := d.flushed(ctx); err != nil {
		if waiting := d.spool.Status().Waiting; waiting > 0 {
			d.log.Warn("records wait in the spool for the next start", "waiting", waiting, "error", err)
		}
	}
}

// flushed waits until the store has what was spooled until now, for a while.
func (d *Daemon) flushed(ctx context.Context) error {
	limit := flushLimit
	if d.spool.Status().LastError != "" {
		limit = flushAway
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return d.spool.Flush(ctx)
}

// keepCanary keeps how far one has come that goes on at the next start; of one that
// another process goes on with that one knows.
func (d *Daemon) keepCanary() {
	if t := d.trials.canary.Load(); t != nil {
		d.keepTrial(t)
	}
}

// keepTrial keeps how a canary stands by now. Whoever saw it earlier and comes later must
// not take its end back: it would be in force again after a restart.
func (d *Daemon) keepTrial(t *trial) {
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	state, over := t.state, !t.state.Ended.IsZero()
	left := t.ended && !over
	t.mu.Unlock()
	if !left && !t.kept {
		d.saveCanary(state)
		t.kept = over
	}
}

// linesTo gives lines of a journal that cannot be written here to the process that has
// the gateway; where that does not take them they stay for the next start.
func (d *Daemon) linesTo(remote *takeover.Remote) journal.Heir {
	const patience = 20 * time.Second // as for a usage record
	return func(kind string, lines []byte) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		rest, err := remote.Lines(ctx, kind, lines)
		if err == nil {
			return nil
		}
		if kept := d.journals.Keep(kind, rest); kept != nil {
			return errors.Join(err, kept)
		}
		return nil
	}
}
