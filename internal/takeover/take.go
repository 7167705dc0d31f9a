package takeover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
)

// Heir is the new side of a hand-over.
type Heir struct {
	Offer Offer

	line   *line
	files  map[string]*os.File
	steps  Steps
	orphan bool // the old process has ended in the midst

	late func() // called when opening takes too long
	open *time.Timer
}

// Ask asks the process that serves a state folder for its descriptors. Nothing has
// changed there. Late is called where stores are not opened in time, and has to end
// this process: the old one waits for its locks. Errors are those of control.Client,
// ErrRefused and ErrSilent. Until Serving is called the end of a context that was given
// ends it all, and the old process goes on.
func Ask(ctx context.Context, stateDir string, h Hello, steps Steps, late func()) (*Heir, error) {
	return ask(ctx, answerLimit, stateDir, h, steps, late)
}

func ask(ctx context.Context, limit time.Duration, stateDir string, h Hello, steps Steps, late func()) (*Heir, error) {
	conn, err := converse(ctx, limit, stateDir, h)
	if err != nil {
		return nil, err
	}
	heir := &Heir{line: &line{conn: conn}, steps: steps, late: late}
	if err := heir.ask(ctx); err != nil {
		heir.Close()
		return nil, err
	}
	steps.Reached(Asked)
	return heir, nil
}

// converse begins the conversation. What is asked of a process that hangs and wakes up
// later is seen to be given up by then.
func converse(ctx context.Context, limit time.Duration, stateDir string, h Hello) (*net.UnixConn, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := control.NewClient(stateDir).Converse(limited, Command, h)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case limited.Err() != nil:
		return nil, fmt.Errorf("%w within %s: %w", ErrSilent, limit, err)
	}
	return nil, err
}

func (h *Heir) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sayLimit)
	defer cancel()
	if err := h.line.say(word{Say: sayReady}); err != nil {
		return err
	}
	w, err := h.line.hear(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case w.Say != sayOffer || w.Offer == nil:
		return fmt.Errorf("%w: %s", ErrRefused, w.Why)
	}
	h.Offer = *w.Offer
	h.files, err = h.line.take(h.Offer.Names)
	return err
}

// Listener is the old process's at an address; nil where it has none there.
func (h *Heir) Listener(name string) (net.Listener, error) {
	file, ok := h.files[name]
	if !ok {
		return nil, nil
	}
	delete(h.files, name)
	return listener(file)
}

// Lock is the lock of the state folder.
func (h *Heir) Lock(stateDir string) (*control.Lock, error) {
	file, ok := h.files[NameLock]
	if !ok {
		return nil, errors.New("takeover: no lock came")
	}
	delete(h.files, NameLock)
	return control.InheritLock(stateDir, file)
}

// Rest are the addresses of listeners that nobody asked for.
func (h *Heir) Rest() []string {
	var all []string
	for name := range h.files {
		all = append(all, name)
	}
	return all
}

// Take asks for the stores. When it returns nil they are closed by the old process,
// or that has ended.
func (h *Heir) Take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, backAfter)
	defer cancel()
	if err := h.turn(ctx, sayTake, sayYours); err != nil {
		return err
	}
	h.open = time.AfterFunc(openLimit, h.late)
	h.steps.Reached(Taken)
	return nil
}

// Serving says that all is open. When it returns nil the gateway is ours.
func (h *Heir) Serving(ctx context.Context) error {
	h.steps.Reached(Opened)
	h.open.Stop()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Once it is said, the other one may leave: this process does not go before it knows.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), backAfter)
	defer cancel()
	if err := h.turn(ctx, sayServing, sayDone); err != nil {
		return err
	}
	h.steps.Reached(Owned)
	return nil
}

// turn says a word and hears another. That the old process has ended is no error: its
// lock is ours, and it has nothing open any more.
func (h *Heir) turn(ctx context.Context, say, want string) error {
	if h.orphan {
		return nil
	}
	if err := h.line.say(word{Say: say}); err == nil {
		if say == sayServing {
			h.steps.Reached(Announced)
		}
	}
	// Where it could not be said the other one may have said why before it went.
	w, err := h.line.hear(ctx)
	switch {
	case errors.Is(err, io.EOF):
		h.orphan = true
		return nil
	case err != nil:
		return err
	case w.Say == sayBack:
		return fmt.Errorf("%w: %s", ErrBack, w.Why)
	case w.Say != want:
		return fmt.Errorf("takeover: %q instead of %q", w.Say, want)
	}
	return nil
}

// Orphan tells whether the old process has ended in the midst of the hand-over.
func (h *Heir) Orphan() bool { return h.orphan }

// Close ends the conversation, and closes what was not asked for. The old process
// goes on where it had not said that it is ours.
func (h *Heir) Close() {
	for _, f := range h.files {
		_ = f.Close() // never used
	}
	h.files = nil
	h.line.drop()
	if h.open != nil {
		h.open.Stop()
	}
	_ = h.line.conn.Close() // the other side notices
}
