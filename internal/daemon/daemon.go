package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/milter"
)

const (
	heartbeatEvery = 10 * time.Second
	storeTimeout   = 5 * time.Second  // of a heartbeat, of a question after the store's health
	flushLimit     = 10 * time.Second // of the last records, when ending
	flushAway      = time.Second      // of the same, when the store was away before
	controlGrace   = 2 * time.Second  // of commands under way, when ending
	cutAfter       = 10 * time.Second // of messages under way, when the grace of their sessions is over
)

// daemon is a tollgate that serves: its parts, in the order in which they are
// opened. They are closed in the reverse order.
type daemon struct {
	log      *slog.Logger
	notifier notifier
	file     string // of the policy
	started  time.Time

	lock    *control.Lock
	journal *journal.Journal
	spool   *spool.Spool
	store   accounting.Store
	gate    *gate.Gate
	watch   *watch
	dns     resolvers
	memory  memories
	milter  *milter.Server
	control *control.Server

	failed     chan error // a part that cannot go on
	background sync.WaitGroup
	endDrain   context.CancelFunc

	reloading sync.Mutex // one reload at a time
	mu        sync.Mutex
	cfg       *config.Config // in force, but for what needs a restart
	policy    policyStatus
	storeIs   storeStatus
}

// start opens all parts. On an error those that were opened are closed.
func start(ctx context.Context, file string, cfg *config.Config, log *slog.Logger) (*daemon, error) {
	d := &daemon{
		log: log, notifier: newNotifier(), file: file, started: time.Now(),
		failed: make(chan error, 1), cfg: cfg,
		policy: policyStatus{File: file, Loaded: time.Now(), counts: countsOf(cfg), Restart: []string{}},
	}
	if err := d.open(ctx, cfg); err != nil {
		over, cancel := context.WithCancel(ctx)
		cancel()
		return nil, errors.Join(err, d.stop(over, 0))
	}
	return d, nil
}

func (d *daemon) open(ctx context.Context, cfg *config.Config) error {
	if err := os.MkdirAll(cfg.StateDir, 0o750); err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	var err error
	if d.lock, err = control.Acquire(cfg.StateDir); err != nil {
		return err
	}
	if d.journal, err = journal.Open(cfg.JournalDir, journal.WithLog(d.log)); err != nil {
		return err
	}
	d.journal.SetTrace(cfg.Trace)
	if err := d.journal.SetSyslog(cfg.Syslog); err != nil {
		return err
	}
	if d.spool, err = spool.Open(filepath.Join(cfg.StateDir, "spool"), spool.Options{Log: d.log}); err != nil {
		return err
	}
	if d.store, d.storeIs, err = openStore(ctx, cfg, d.log, makeIt); err != nil {
		return err
	}
	if err := d.dns.give(cfg); err != nil {
		return fmt.Errorf("resolver: %w", err)
	}
	d.memory.log = d.log
	if err := d.memory.give(cfg); err != nil {
		return err
	}
	d.gate = gate.New(cfg.Gate, gate.Parts{
		Records: d.spool, Journal: d.journal, Log: d.log, Now: time.Now,
		Stasher: &module.Stasher{Dir: cfg.StateDir},
	})
	d.watch = newWatch(d.log)
	d.watch.over(cfg)
	listeners, err := listen(cfg.Listen)
	if err != nil {
		return err
	}
	d.milter = milter.New(milter.Live(d.gate), milter.Options{Log: d.log})
	if d.control, err = control.Serve(cfg.StateDir, d.answers(), d.log); err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	d.background.Go(func() {
		if err := d.milter.Serve(context.WithoutCancel(ctx), listeners...); err != nil {
			d.fail(fmt.Errorf("milter: %w", err))
		}
	})
	d.drain(ctx)
	roomyHeap()
	return nil
}

// fail ends the daemon: a part of it cannot go on. Of several only the first
// is told.
func (d *daemon) fail(err error) {
	select {
	case d.failed <- err:
	default:
	}
}

// listen opens all sockets of the policy, or none.
func listen(addrs []string) ([]net.Listener, error) {
	var all []net.Listener
	for _, a := range addrs {
		l, err := milter.Listen(a, milter.Socket{})
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, l)
	}
	return all, nil
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// drain starts what brings records to the store, and what tells the store that
// this gateway lives.
func (d *daemon) drain(ctx context.Context) {
	ctx, d.endDrain = context.WithCancel(context.WithoutCancel(ctx))
	d.background.Go(func() {
		if err := d.spool.Drain(ctx, d.store); err != nil && ctx.Err() == nil {
			d.fail(fmt.Errorf("drain: %w", err))
		}
	})
	d.background.Go(func() { d.heartbeat(ctx) })
}

// heartbeat tells the store every now and then. That the store is away is said
// once, as is that it is back.
func (d *daemon) heartbeat(ctx context.Context) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for away := false; ; {
		beat, cancel := context.WithTimeout(ctx, storeTimeout)
		err := d.store.Heartbeat(beat, d.gate.Policy().Gateway, d.spool.Status().Waiting)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !away:
			d.log.Error("the store is away; records wait in the spool", "error", err)
		case err == nil && away:
			d.log.Info("the store is back")
		}
		away = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// stop ends and closes all parts that were opened, the last first. SMTP
// sessions have grace to end by themselves, then their messages a little more;
// when ctx ends nothing is waited for but what has become durable.
func (d *daemon) stop(ctx context.Context, grace time.Duration) error {
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			d.log.Error("cannot be ended well", "part", what, "error", err)
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	if d.control != nil {
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
		d.gate.Wait()
	}
	if d.watch != nil {
		d.watch.end()
	}
	d.dns.close()
	note("state store", d.memory.close())
	if d.endDrain != nil {
		d.flush(ctx)
		d.endDrain()
	}
	d.background.Wait()
	if d.store != nil {
		note("store", d.store.Close())
	}
	if d.spool != nil {
		note("spool", d.spool.Close())
	}
	if d.journal != nil {
		note("journal", d.journal.Close())
	}
	if d.lock != nil {
		note("lock", d.lock.Release())
	}
	return errors.Join(errs...)
}

// flush gives the store a last chance. What it does not take now waits in the
// spool for the next start.
func (d *daemon) flush(ctx context.Context) {
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
