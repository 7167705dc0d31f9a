package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

// Lender is an Addition that listens, and goes on doing so in another process.
type Lender interface {
	// Lend adds what it listens on to the files.
	Lend(files *takeover.Files) error
	// Leave ends what listens.
	Leave()
}

// handing is how a gateway passes to another process. It is the takeover.Owner.
type handing struct {
	d       *Daemon
	giver   *takeover.Giver
	ready   atomic.Bool // the daemon has started
	lenders []Lender
	sockets map[string]net.Listener      // of the milter, by address
	records takeover.Seat[gate.Recorder] // where usage records become durable
	life    context.Context              // until the daemon ends
	ended   context.CancelFunc

	one    sync.Mutex    // held from Yield to Resume or Leave
	gone   bool          // nothing is open here that Yield has closed
	closed closed        // by Yield
	idled  chan struct{} // closed when nothing runs beside the mail any more; by Yield
	files  *takeover.Files

	left  chan struct{} // closed when the gateway is another process's
	drain time.Duration // how long sessions may go on here; after left
}

// closed is what is closed, or taken, so far.
type closed struct{ policy, control, work, store, spool, memory bool }

func (h *handing) prepare(d *Daemon, o Options) {
	h.d, h.left = d, make(chan struct{})
	d.changing = newTurn()
	h.life, h.ended = context.WithCancel(context.Background())
	steps := o.Steps
	if steps == nil {
		steps = takeover.Silent{}
	}
	h.giver = &takeover.Giver{Owner: h, Steps: steps, Log: o.Log}
	for _, a := range o.Additions {
		if l, ok := a.(Lender); ok {
			h.lenders = append(h.lenders, l)
		}
	}
}

// serves notes the sockets of the milter, and that a hand-over may begin.
func (h *handing) serves(addrs []string, listeners []net.Listener) {
	h.sockets = map[string]net.Listener{}
	for i, addr := range addrs {
		h.sockets[addr] = listeners[i]
	}
	h.ready.Store(true)
}

func (h *handing) lend(files *takeover.Files) error {
	for addr, ln := range h.sockets {
		of, ok := ln.(syscall.Conn)
		if !ok {
			return fmt.Errorf("%s: no descriptor", addr)
		}
		if err := files.Add(addr, of); err != nil {
			return err
		}
	}
	return nil
}

// end lets no hand-over begin, and waits for the one under way.
func (h *handing) end() {
	h.ended()
	h.one.Lock()
	defer h.one.Unlock()
}

// over tells whether the gateway is another process's.
func (h *handing) over() bool {
	select {
	case <-h.left:
		return true
	default:
		return false
	}
}

// Offer implements takeover.Owner.
func (h *handing) Offer(ctx context.Context) (takeover.Offer, *takeover.Files, error) {
	d := h.d
	unlock, err := d.lockPolicy(ctx) // a reload opens and closes listeners
	if err != nil {
		return takeover.Offer{}, nil, err
	}
	defer unlock()
	files := new(takeover.Files)
	err = files.Add(takeover.NameLock, d.lock.File())
	if err == nil {
		err = files.Add(takeover.NameControl, d.control.Listener())
	}
	if err == nil {
		err = h.lend(files)
	}
	for _, l := range h.lenders {
		if err == nil {
			err = l.Lend(files)
		}
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(legacy{Shadow: d.shadowState(), Trace: d.journals.Journal().Tracing(), Traced: d.config().Trace})
	}
	if err != nil {
		files.Close()
		return takeover.Offer{}, nil, err
	}
	h.files = files
	return takeover.Offer{PID: os.Getpid(), Version: d.version, Notify: d.notifier.socket, Kept: text}, files, nil
}

// Yield implements takeover.Owner. What mail needs is closed last: it waits for that.
func (h *handing) Yield(ctx context.Context) error {
	d := h.d
	h.one.Lock()
	if err := d.changing.take(ctx); err != nil {
		return fmt.Errorf("its policy is being changed: %w", err)
	}
	h.closed.policy = true
	if err := h.life.Err(); err != nil {
		return fmt.Errorf("it is ending: %w", err) // what is open is Stop's to close
	}
	h.gone = true
	h.closed.control = true
	d.control.Listener().Lend()
	short, cancel := context.WithTimeout(ctx, controlGrace)
	defer cancel()
	if err := d.control.Close(short); err != nil {
		d.log.Warn("a command was cut off", "error", err)
	}
	d.endDrain()
	h.closed.work = true
	if err := h.idle(ctx); err != nil {
		return err
	}
	if err := d.accounts.Keep(); err != nil {
		d.log.Error(err.Error())
	}
	d.keepCanary()
	h.closed.store = true
	if err := d.store.Close(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := d.hand.records.Clear(ctx); err != nil {
		return err
	}
	h.closed.spool = true
	if err := d.spool.Close(); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	h.closed.memory = true
	return d.memories.Yield(ctx)
}

// idle waits for what runs beside the mail, which was told to end.
func (h *handing) idle(ctx context.Context) error {
	ended := make(chan struct{})
	h.idled = ended
	go func() { h.d.background.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("what runs beside the mail does not end: %w", ctx.Err())
	}
}

// Resume implements takeover.Owner. What mail needs is opened first. When the daemon
// ends meanwhile, it ends without what could not be had back.
func (h *handing) Resume() {
	d := h.d
	defer h.one.Unlock()
	was := h.closed
	h.closed = closed{}
	if !was.policy {
		return
	}
	defer d.changing.leave()
	if !was.control {
		return
	}
	cfg := d.config()
	if was.spool {
		if err := takeover.Insist(h.life, d.log, "the spool", func() error { return h.reopenSpool(cfg) }); err != nil {
			h.records.Put(lost{err})
			return
		}
	}
	if was.store {
		if takeover.Insist(h.life, d.log, "the store", func() error { return h.reopenStore(cfg) }) != nil {
			return
		}
	}
	if takeover.Insist(h.life, d.log, "the control socket", func() error { return h.reopenControl(cfg) }) != nil {
		return
	}
	if was.work {
		h.rework()
	}
	if was.memory {
		// The last: without it questions have no answer, as with a store that is away,
		// and mail goes on.
		_ = takeover.Insist(h.life, d.log, "the state store", d.memories.Resume)
	}
	h.gone = false
	d.log.Warn("serving as before: nothing was handed over")
}

// rework goes on with what runs beside the mail, when what did not end in time has. The
// daemon's end does not wait for that before its sessions are told.
func (h *handing) rework() {
	select {
	case <-h.idled:
		h.d.drain(h.life)
	case <-h.life.Done():
	}
}

// Leave implements takeover.Owner: what is under way here goes on, with records and
// what is remembered in the other process.
func (h *handing) Leave(hello takeover.Hello) {
	d := h.d
	defer h.one.Unlock()
	defer d.changing.leave()
	remote := takeover.NewRemote(d.config().StateDir)
	h.records.Put(remote)
	d.memories.Ask(remote.State())
	d.journals.Journal().Bequeath(d.linesTo(remote))
	for _, ln := range h.sockets {
		if l, ok := ln.(interface{ Lend() }); ok {
			l.Lend()
		}
	}
	d.say(fmt.Sprintf("MAINPID=%d", hello.PID))
	for _, l := range h.lenders {
		l.Leave()
	}
	if t := d.trials.canary.Load(); t != nil {
		t.mu.Lock()
		t.ended = true // the other process goes on with it
		t.mu.Unlock()
	}
	d.accounts.Leave()
	if err := d.lock.Release(); err != nil {
		d.log.Warn("the lock", "error", err)
	}
	// Until the last session is over: hand-overs end before.
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.life))
	d.endDrain = cancel
	d.background.Go(func() { d.journals.Journal().KeepThere(ctx) })
	here := d.inForce()
	d.background.Go(func() { remote.Follow(ctx, here, d.accounts.Live.Tell, d.milter.Hurry) })
	d.log.Info("handed over", "to", hello.PID, "version", hello.Version)
	h.drain = time.Duration(hello.Drain) * time.Millisecond
	close(h.left)
}
