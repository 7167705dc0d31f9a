package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/control"
)

// AnsweredHere tells whether AnswerHere has an answer to a command: it is about the
// account, which is in files or in Redis whether a daemon runs or not.
func AnsweredHere(command string) bool {
	return slices.Contains([]string{
		CmdClients, CmdEntry, CmdRebooked, CmdStatement, CmdAudit, CmdAccept, CmdImport, CmdDisable, CmdSwitch, CmdClose, CmdUndecided, CmdDecide,
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
	back := lend(o.Config.StateDir, o.Config.JournalDir)
	defer func() {
		closed := d.leave(ctx, back)
		if answer == nil {
			err = errors.Join(err, closed)
		} else if closed != nil {
			o.Log.Warn("the command was carried out; what it opened cannot be closed in order", "error", closed)
		}
	}()
	if err := d.openAccount(ctx, o, assemble.MustExist); err != nil {
		return nil, err
	}
	if err := d.assembleAccount(ctx, o); err != nil {
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

// assembleAccount puts in force what the account needs of the policy: no inspector is
// started, nothing of the mail's memory is opened.
func (d *Daemon) assembleAccount(ctx context.Context, o Options) error {
	d.journals = &assemble.Journals{Log: d.log}
	d.running = assemble.New(d.journals, assemble.Syslog{}, d.accounts)
	change, err := assemble.Prepare(ctx, o.Config, d.running)
	if err != nil {
		return err
	}
	change.Commit()
	return nil
}

// leave closes all that was opened, and gives back what root made, before a daemon
// can start and needs it.
func (d *Daemon) leave(ctx context.Context, back func() error) error {
	lock := d.lock
	d.lock = nil // Stop would let a daemon in
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	err := d.Stop(over, 0)
	if lock == nil {
		return err // the folder is another's
	}
	return errors.Join(err, back(), lock.Release())
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

// lend has a command that root gives use folders of the daemon's: back makes what root
// made in them, and those of them that were not there yet, the daemon's again. Whose
// state_dir is, is the daemon.
func lend(stateDir, journalDir string) (back func() error) {
	_, err := os.Stat(journalDir)
	made := errors.Is(err, fs.ErrNotExist)
	return func() error {
		uid, gid, ok := ownerOf(stateDir)
		if os.Geteuid() != 0 || !ok || uid == 0 {
			return nil
		}
		var errs []error
		if made {
			errs = append(errs, owned(os.Lchown(journalDir, uid, gid)))
		}
		for _, dir := range []string{stateDir, journalDir} {
			errs = append(errs, giveBack(dir))
		}
		return errors.Join(errs...)
	}
}

// giveBack makes what is root's in a folder, however deep, that of the folder's owner.
func giveBack(dir string) error {
	uid, gid, ok := ownerOf(dir)
	if !ok || uid == 0 {
		return nil
	}
	var errs []error
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return owned(err)
		}
		info, err := e.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		// A file with another name besides may be one of the system's.
		if have, ok := info.Sys().(*syscall.Stat_t); ok && have.Uid == 0 && (e.IsDir() || have.Nlink == 1) {
			errs = append(errs, owned(os.Lchown(path, uid, gid)))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// ownerOf is whose a folder is; false where there is none.
func ownerOf(dir string) (uid, gid int, ok bool) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, 0, false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(owner.Uid), int(owner.Gid), true
}

// owned is the error of what is still there.
func owned(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
