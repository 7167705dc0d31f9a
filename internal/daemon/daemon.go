// Package daemon is a tollgate that serves: its parts from start to stop, the
// reload of its policy, and what it answers to commands.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/closing"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/backup"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/confine"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/fees"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/takeover"
	"github.com/tollgate-mail/tollgate/internal/tally"
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

// Options of a daemon. All but Additions are needed.
type Options struct {
	File    string         // of the policy
	Config  *config.Config // that it was loaded to
	Version string         // of tollgate
	Log     *slog.Logger

	Additions []Addition

	Heir  *takeover.Heir // of a running daemon, which is taken over from; nil: none runs
	Steps takeover.Steps // told of hand-overs; nil: nobody is
}

// Addition is what registers with a daemon: it follows the policy as the
// daemon's own parts do, and is told the fate of every message.
type Addition interface {
	assemble.Part
	gate.Counter
}

// Daemon is a tollgate that serves: its parts, in the order in which they are
// opened. They are closed in the reverse order.
type Daemon struct {
	log      *slog.Logger
	notifier notifier
	file     string // of the policy
	version  string
	started  time.Time

	lock  *control.Lock
	spool *spool.Spool
	store accounting.Store

	history *history.Store

	running    *assemble.Running // what follows the policy: the parts below, and what registered
	journals   *assemble.Journals
	resolvers  *assemble.Resolvers
	memories   *assemble.Memories
	accounts   *assemble.Accounts
	inspectors *assemble.Inspectors
	lists      *assemble.Lists
	judge      *assemble.Judge

	claim        accounting.Claim // of the gateway's name, in a store that others share
	conservation atomic.Pointer[audit.Balance]
	accepts      *audit.Accepts // records that somebody accepted as lost
	trials       trials         // judgements beside the live ones
	tally        *tally.Tally   // what became of messages

	standing standing // of clients, kept up to date
	charger  fees.Charger
	lost     fees.Losses // what the store has forgotten
	seals    *seals      // of closed periods
	followed *followed

	milter  *milter.Server
	control *control.Server

	hand   handing  // this gateway to another process
	unkept minutely // when it was said that records are not made durable

	confined ConfinementStatus
	within   *confine.Bounds // nil: it is not confined

	failed     chan error // a part that cannot go on
	serving    sync.WaitGroup
	background sync.WaitGroup
	endDrain   context.CancelFunc

	changing turn // held by who changes what is in force, one at a time
	mu       sync.Mutex
	cfg      *config.Config // in force
	policy   PolicyStatus
	storeIs  assemble.StoreStatus
}

// Start opens all parts. On an error those that were opened are closed.
func Start(ctx context.Context, o Options) (*Daemon, error) {
	d := newDaemon(o)
	if problem := runsAsRoot(); problem != "" {
		d.log.Warn(problem)
	}
	if err := d.open(ctx, o); err != nil {
		over, cancel := context.WithCancel(ctx)
		cancel()
		return nil, errors.Join(err, d.Stop(over, 0))
	}
	d.say(notifyReady)
	return d, nil
}

// newDaemon is one that has opened nothing.
func newDaemon(o Options) *Daemon {
	d := &Daemon{
		log: o.Log, notifier: newNotifier(), file: o.File, version: o.Version, started: time.Now(),
		failed: make(chan error, 1), cfg: o.Config, standing: newStanding(), tally: tally.New(time.Now),
		policy: PolicyStatus{File: o.File, Loaded: time.Now(), Version: o.Config.Gate.Version, Counts: CountsOf(o.Config), Restart: []string{}},
	}
	d.hand.prepare(d, o)
	return d
}

// openAccount opens what is one process's alone: the state folder with the spool,
// and the store.
func (d *Daemon) openAccount(ctx context.Context, o Options, mode assemble.StoreMode) error {
	cfg := o.Config
	var err error
	if d.lock == nil { // not inherited
		if d.lock, err = control.Acquire(cfg.StateDir); err != nil {
			return err
		}
	}
	if err := errors.Join(backup.Unfinished(cfg.StateDir), dropSnapshots(cfg.StateDir)); err != nil {
		return err
	}
	if err := d.openSpool(ctx, o); err != nil {
		return err
	}
	d.spool.Probe()
	if d.accounts, err = assemble.NewAccounts(cfg.StateDir, d.log); err != nil {
		return err
	}
	if err := d.accounts.LoadStandings(); err != nil {
		d.log.Error("until the store answers nobody is refused for quota or balance", "error", err)
	}
	d.accounts.Changed = d.standing.changed
	d.accepts = audit.NewAccepts(filepath.Join(cfg.StateDir, acceptsName))
	d.seals = &seals{keeper: closing.NewKeeper(cfg.StateDir)}
	d.recallLosses(cfg.StateDir)
	d.followed = newFollowed(d)
	if d.store, d.storeIs, err = assemble.OpenStore(ctx, cfg, d.accounts, d.log, mode); err != nil {
		return err
	}
	d.accounts.Env.Store, _ = d.store.(accounting.Definer)
	return d.claimName(ctx)
}

func (d *Daemon) open(ctx context.Context, o Options) (err error) {
	cfg := o.Config
	if err := os.MkdirAll(cfg.StateDir, 0o750); err != nil {
		return fmt.Errorf("state_dir: %w", err)
	}
	var listeners []net.Listener
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(listeners))
		}
	}()
	if o.Heir != nil {
		if listeners, err = d.inherit(ctx, o); err != nil {
			return err
		}
	}
	if err := d.openAccount(ctx, o, assemble.MakeIt); err != nil {
		return err
	}
	if err := d.assemble(ctx, o); err != nil {
		return err
	}
	d.history = history.New(o.Config.StateDir, history.Bounds{})
	d.policy.HistoryError = d.keepPolicy(o.Config, history.Entry{How: history.Start, By: control.UserName(os.Geteuid())}).problem()
	if o.Heir == nil {
		if listeners, err = listen(cfg.Listen); err != nil {
			return err
		}
	}
	d.newTrials()
	if err := d.renew(ctx, cfg); err != nil {
		return err
	}
	d.resumeCanary(ctx)
	d.milter = milter.New(d.recorded(), milter.Options{Log: d.log})
	if err := d.serveControl(o); err != nil {
		return err
	}
	// All is open, and no message has been seen: what follows needs nothing else.
	if err := d.confine(cfg); err != nil {
		return err
	}
	if o.Heir != nil {
		if err := d.succeed(ctx, o.Heir, listeners); err != nil {
			return err
		}
	}
	d.followed.begin()
	d.serving.Go(func() {
		if err := d.milter.Serve(context.WithoutCancel(ctx), listeners...); err != nil {
			d.fail(fmt.Errorf("milter: %w", err))
		}
	})
	d.drain(ctx)
	d.hand.serves(cfg.Listen, listeners)
	roomyHeap()
	return nil
}

// config is the one in force.
func (d *Daemon) config() *config.Config {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cfg
}

// say tells the service manager.
func (d *Daemon) say(state string) {
	if err := d.notifier.tell(state); err != nil {
		d.log.Warn(err.Error())
	}
}

// fail ends the daemon: a part of it cannot go on. Of several only the first
// is told.
func (d *Daemon) fail(err error) {
	select {
	case d.failed <- err:
	default:
	}
}
