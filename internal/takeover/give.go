package takeover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Owner is who runs a gateway, and can give it away.
type Owner interface {
	// Offer is what the new process gets. The files stay open until after Resume or
	// Leave.
	Offer(ctx context.Context) (Offer, *Files, error)
	// Yield closes what one process alone can have open; mail that needs it waits.
	// After an error Resume is called.
	Yield(ctx context.Context) error
	// Resume opens it again, as long as it takes.
	Resume()
	// Leave is told that the new process has it: no connection is taken any more.
	Leave(h Hello)
}

// Giver gives one gateway away, to one at a time.
type Giver struct {
	Owner Owner
	Steps Steps
	Log   *slog.Logger

	one sync.Mutex
}

var errBusy = errors.New("a hand-over is under way already")

// Give is the old side of a conversation. It returns when the gateway is the other
// process's, and nil; or when it is ours as before, and why.
func (g *Giver) Give(ctx context.Context, conn *net.UnixConn, h Hello) error {
	l := &line{conn: conn}
	defer l.drop()
	if !g.one.TryLock() {
		return back(l, errBusy)
	}
	defer g.one.Unlock()
	files, err := g.offer(ctx, l)
	if files != nil {
		defer files.Close()
	}
	if err != nil {
		return back(l, err)
	}
	limited, cancel := context.WithTimeout(ctx, backAfter)
	defer cancel()
	if err := g.yield(limited, l); err != nil {
		err = back(l, err)
		g.Owner.Resume()
		g.Steps.Reached(Resumed)
		return err
	}
	g.Owner.Leave(h)
	g.Steps.Reached(Left)
	return nil
}

// back tells the new process, if that is still there, that nothing is its own: a
// conversation that ends without a word means that the old one has died.
func back(l *line, err error) error {
	_ = l.say(word{Say: sayBack, Why: err.Error()})
	return err
}

// offer sends what the new process needs to look at. Nothing changes here.
func (g *Giver) offer(ctx context.Context, l *line) (*Files, error) {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := await(ctx, l, sayReady); err != nil {
		return nil, err
	}
	offer, files, err := g.Owner.Offer(ctx)
	if err != nil {
		return nil, err
	}
	offer.Names = files.Names()
	if err := l.say(word{Say: sayOffer, Offer: &offer}, files.fds...); err != nil {
		return files, err
	}
	g.Steps.Reached(Offered)
	return files, await(ctx, l, sayTake)
}

// yield gives the new process the stores, and hears that it has opened them.
func (g *Giver) yield(ctx context.Context, l *line) error {
	if err := g.Owner.Yield(ctx); err != nil {
		return err
	}
	g.Steps.Reached(Yielded)
	if err := l.say(word{Say: sayYours}); err != nil {
		return err
	}
	if err := await(ctx, l, sayServing); err != nil {
		return err
	}
	g.Steps.Reached(Committing)
	// From here on it is the other one's, if that lives: who is killed before it
	// reads this word is found dead by whoever looks after it.
	return l.say(word{Say: sayDone})
}

// await waits for one word.
func await(ctx context.Context, l *line, what string) error {
	w, err := l.hear(ctx)
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the new process has ended, or gave up")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the new process did not say %q in time", what)
	case err != nil:
		return err
	case w.Say != what:
		return fmt.Errorf("the new process says %q %s", w.Say, w.Why)
	}
	return nil
}

// again is how long Resume waits before it tries again.
const again = 20 * time.Millisecond

// Insist does something until it succeeds or ctx ends. That it fails is said once.
func Insist(ctx context.Context, log *slog.Logger, what string, f func() error) error {
	said := false
	for {
		err := f()
		if err == nil {
			return nil
		}
		if !said {
			log.Error(what+" cannot be had back; trying on", "error", err)
			said = true
		}
		t := time.NewTimer(again)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}
