package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/takeover"
	"github.com/tollgate-mail/tollgate/milter"
)

// legacy is what the process before knew and is in no file.
type legacy struct {
	Shadow ShadowState         `json:"shadow"`
	Trace  journal.TraceSwitch `json:"trace"`  // as it was switched
	Traced journal.TraceSwitch `json:"traced"` // as its policy said
}

// inherit takes the sockets of the process before and opens those that it did not
// have; then asks for the state folder. On an error nothing has changed there.
func (d *Daemon) inherit(ctx context.Context, o Options) (all []net.Listener, err error) {
	// Until it is ours the service manager has another process to look after.
	d.notifier = notifier{}
	for _, addr := range o.Config.Listen {
		ln, err := o.Heir.Listener(addr)
		if err == nil && ln != nil {
			ln, err = milter.Inherit(addr, ln, milter.Socket{})
		} else if err == nil {
			ln, err = milter.Listen(addr, milter.Socket{})
		}
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, ln)
	}
	if d.lock, err = o.Heir.Lock(o.Config.StateDir); err == nil {
		err = o.Heir.Take(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, closeAll(all))
	}
	return all, nil
}

// letGo is how long a process that was killed takes to let go of its files.
const letGo = 5 * time.Second

func (d *Daemon) openSpool(ctx context.Context, o Options) error {
	open := func() (err error) {
		d.spool, err = spool.Open(filepath.Join(o.Config.StateDir, "spool"), spool.Options{Log: d.log})
		return err
	}
	if o.Heir == nil || !o.Heir.Orphan() {
		return open()
	}
	// The conversation may have been closed before the lock.
	ctx, cancel := context.WithTimeout(ctx, letGo)
	defer cancel()
	return takeover.Insist(ctx, d.log, "the spool", open)
}

// serveControl answers commands from now on.
func (d *Daemon) serveControl(o Options) error {
	dir := o.Config.StateDir
	if o.Heir == nil {
		var err error
		d.control, err = control.Serve(dir, d.answers(), d.log)
		return err
	}
	ln, err := o.Heir.Listener(takeover.NameControl)
	if err != nil {
		return err
	}
	at, ok := ln.(*net.UnixListener)
	if !ok {
		return errors.New("takeover: no control socket came")
	}
	d.control, err = control.Inherit(dir, at, d.answers(), d.log)
	return err
}

func (h *handing) reopenSpool(cfg *config.Config) error {
	sp, err := spool.Open(filepath.Join(cfg.StateDir, "spool"), spool.Options{Log: h.d.log})
	if err != nil {
		return err
	}
	h.d.mu.Lock()
	h.d.spool = sp
	h.d.mu.Unlock()
	h.records.Put(recorder{sp, h.d.followed})
	return nil
}

func (h *handing) reopenStore(cfg *config.Config) error {
	// Its own time, not that of who is to end.
	store, is, err := assemble.OpenStore(context.WithoutCancel(h.life), cfg, h.d.accounts, h.d.log, assemble.MustExist)
	if err != nil {
		return err
	}
	h.d.mu.Lock()
	h.d.store, h.d.storeIs = store, is
	h.d.mu.Unlock()
	h.d.accounts.Env.Store, _ = store.(accounting.Definer)
	return nil
}

func (h *handing) reopenControl(cfg *config.Config) error {
	ln, err := h.files.Listener(takeover.NameControl)
	if err != nil {
		return err
	}
	server, err := control.Inherit(cfg.StateDir, ln.(*net.UnixListener), h.d.answers(), h.d.log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	server.Listener().Own()
	h.d.mu.Lock()
	h.d.control = server
	h.d.mu.Unlock()
	return nil
}

// succeed says that all is open. When it returns nil the gateway is ours.
func (d *Daemon) succeed(ctx context.Context, h *takeover.Heir, listeners []net.Listener) error {
	d.takeUp(ctx, h)
	if err := h.Serving(ctx); err != nil {
		return err
	}
	for _, ln := range listeners {
		if own, ok := ln.(interface{ Own() }); ok {
			own.Own()
		}
	}
	d.control.Listener().Own()
	if err := d.lock.Sign(); err != nil {
		d.log.Warn("the lock names the process before", "error", err)
	}
	for _, addr := range h.Rest() {
		if path, ok := strings.CutPrefix(addr, "unix:"); ok {
			if err := os.Remove(path); err != nil {
				d.log.Warn("a socket that is not listened on any more cannot be removed", "error", err)
			}
		}
	}
	d.notifier = newNotifier()
	if d.notifier.socket == "" {
		d.notifier.socket = h.Offer.Notify
	}
	if h.Orphan() {
		d.log.Error("the process before has ended in the midst of handing over", "pid", h.Offer.PID)
		d.say(fmt.Sprintf("MAINPID=%d", os.Getpid()))
	}
	d.log.Info("taken over", "from", h.Offer.PID, "version", h.Offer.Version)
	h.Close()
	return nil
}

// takeUp goes on with what the process before did beside the mail.
func (d *Daemon) takeUp(ctx context.Context, h *takeover.Heir) {
	var k legacy
	if err := json.Unmarshal(h.Offer.Kept, &k); err != nil {
		d.log.Error("what the process before did beside the mail is not gone on with", "error", err)
		return
	}
	if k.Traced == d.config().Trace {
		d.journals.Journal().SetTrace(k.Trace)
	}
	if !k.Shadow.On {
		return
	}
	cfg, err := d.loadCandidate(k.Shadow.File)
	if err == nil && cfg.Gate.Version != k.Shadow.Version {
		err = errors.New("its file was changed")
	}
	if err == nil {
		cfg.Forget()
		err = d.beginShadow(ctx, cfg, k.Shadow)
	}
	if err != nil {
		d.log.Error("the candidate is no longer judged in shadow", "file", k.Shadow.File, "error", err)
	}
}

// takeoverAnswers are for the process that takes over, and for the one before.
func (d *Daemon) takeoverAnswers(to map[string]control.Handler) map[string]control.Handler {
	to[takeover.Command] = control.Privileged(d.answerTakeover)
	return takeover.Answers(successor{d}, to)
}

func (d *Daemon) answerTakeover(ctx context.Context, request json.RawMessage) (any, error) {
	var hello takeover.Hello
	if err := json.Unmarshal(request, &hello); err != nil {
		return nil, err
	}
	switch {
	case hello.Protocol != takeover.Version:
		return nil, refuse(takeover.ErrVersion)
	case !control.BySelf(ctx):
		// What is under way here asks that process, which answers its own user.
		return nil, refuse(fmt.Errorf("this is for user %s alone, whom the running tollgate runs as", control.UserName(os.Geteuid())))
	case !d.hand.ready.Load():
		return nil, refuse(errors.New("it has not started yet"))
	}
	return control.Conversation(func(conn *net.UnixConn) {
		d.log.Info("another process asks to take over", "pid", hello.PID, "version", hello.Version)
		if err := d.hand.giver.Give(d.hand.life, conn, hello); err != nil {
			d.log.Error("not handed over; this process goes on", "pid", hello.PID, "error", err)
		}
	}), nil
}

// HandedOver tells whether another process has the gateway, and how long sessions
// that are under way here may go on.
func (d *Daemon) HandedOver() (drain time.Duration, yes bool) {
	return d.hand.drain, d.hand.over()
}

// successor answers to the process before.
type successor struct{ d *Daemon }

func (s successor) Append(ctx context.Context, list []accounting.Record) error {
	return records(s).Append(ctx, list)
}

func (s successor) State() state.Store { return s.d.memories.Store() }

func (s successor) Inherit(kind string, lines []byte) error {
	return s.d.journals.Journal().Inherit(kind, lines)
}

func (s successor) Standings(since uint64) takeover.Standings {
	list, now := s.d.accounts.Live.Since(since)
	a := takeover.Standings{PID: os.Getpid(), Change: now, List: make([]takeover.Standing, len(list)), InForce: s.d.inForce()}
	for i, one := range list {
		a.List[i] = takeover.Standing{Standing: one, Change: one.Change}
	}
	return a
}

// inForce is what this process judges by.
func (d *Daemon) inForce() takeover.InForce {
	is := takeover.InForce{Policy: d.config().Gate.Version}
	if c := d.accounts.Status(); c != nil {
		is.Clients = c.Version
	}
	return is
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
