package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
)

// AnsweredHere tells whether AnswerHere has an answer to a command: it is about the
// account, which is in files or in Redis whether a daemon runs or not.
func AnsweredHere(command string) bool {
	return slices.Contains([]string{
		CmdClients, CmdEntry, CmdStatement, CmdAudit, CmdAccept, CmdImport, CmdDisable, CmdSwitch, CmdClose, CmdUndecided, CmdDecide,
	}, command)
}

// AnswerHere does the daemon's part while none runs, with its lock: it takes what
// waits in the spool to the store first, as a daemon would have. The answer comes
// as JSON; the error is a *control.LockedError where a daemon starts meanwhile, or a
// *control.Refusal. What was answered has been done: what goes wrong afterwards is
// in the log.
func AnswerHere(ctx context.Context, o Options, command string, request json.RawMessage) (answer json.RawMessage, err error) {
	if _, err := os.Stat(o.Config.StateDir); err != nil {
		return nil, fmt.Errorf("state_dir: there is no account yet: %w", err)
	}
	d := newDaemon(o)
	defer func() {
		closed := d.leave(ctx, o.Config)
		if answer == nil {
			err = errors.Join(err, closed)
		} else if closed != nil {
			o.Log.Warn("the command was carried out; what it opened cannot be closed in order", "error", closed)
		}
	}()
	if err := d.openAccount(ctx, o, assemble.MustExist); err != nil {
		return nil, err
	}
	if err := d.assemble(ctx, o); err != nil {
		return nil, err
	}
	if err := d.bringUp(ctx); err != nil {
		return nil, err
	}
	handler, ok := d.accountAnswers(d.reconcileAnswers(map[string]control.Handler{}))[command]
	if !ok {
		return nil, fmt.Errorf("%s: no answer without a daemon", command)
	}
	response, err := handler(control.AsSelf(ctx), request)
	if err != nil {
		return nil, err
	}
	return json.Marshal(response)
}

// leave closes all that was opened, and has files that root made be the daemon's,
// before one can start and needs them.
func (d *Daemon) leave(ctx context.Context, cfg *config.Config) error {
	lock := d.lock
	d.lock = nil // Stop would let a daemon in
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	err := d.Stop(over, 0)
	if lock == nil {
		return err // the folder is another's
	}
	for _, dir := range []string{cfg.StateDir, filepath.Join(cfg.StateDir, "spool"), cfg.JournalDir} {
		err = errors.Join(err, giveBack(dir))
	}
	return errors.Join(err, lock.Release())
}

// bringUp brings the store up to what was spooled, and the clients to what their
// source and the store say. A store that is away is told of by the answer itself.
func (d *Daemon) bringUp(ctx context.Context) error {
	drain, end := context.WithCancel(context.WithoutCancel(ctx))
	d.endDrain = end
	d.background.Go(func() { _ = d.spool.Drain(drain, d.drained()) }) // what it cannot, waits
	d.flush(ctx)
	if _, err := d.accounts.Refresh(ctx); err != nil {
		d.log.Debug("clients are those that were kept", "error", err)
	}
	ledger, err := d.ledger()
	if err != nil {
		return err
	}
	ask := d.accounts.Live.Unread(d.started)
	if list, err := ledger.Standings(ctx, ask.List); err == nil {
		d.accounts.Live.Read(ask, list)
	}
	d.followed.restore(ctx)
	return nil
}
