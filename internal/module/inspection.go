package module

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/breaker"
	"github.com/tollgate-mail/tollgate/internal/nettext"
)

// Inspection is one that was begun.
type Inspection struct {
	guard  *Guard
	stash  *Stash // as the inspector sees it
	begun  time.Time
	pass   breaker.Pass
	placed time.Time // zero before its turn; of the record's mu

	cancel  context.CancelFunc // nil when it was never tried
	settled sync.Once
	done    chan struct{} // closed when result is there
	result  Result
	keep    func(Result) // is told the result; nil: nobody
}

// Result is what came of an inspection.
type Result struct {
	Finding  Finding
	Err      error // nil: Finding is complete
	Duration time.Duration
}

// Wait waits for the result.
func (i *Inspection) Wait() Result {
	<-i.done
	if i.keep != nil {
		i.keep(i.result)
	}
	return i.result
}

// Cancel gives the inspection up: its result will not be needed. It does not
// count against the inspector.
func (i *Inspection) Cancel() {
	if i.cancel != nil {
		i.cancel()
	}
}

// never is the result of an inspection that is not tried.
func (i *Inspection) never(err error) *Inspection {
	i.result = Result{Err: err}
	close(i.done)
	return i
}

// start runs the inspection in a goroutine that is the inspector's, however
// long it takes. The result does not wait for it longer than ctx lasts.
func (i *Inspection) start(parent context.Context, m *Message) {
	ctx, cancel := i.guard.limits.context(parent)
	i.cancel = cancel
	stop := context.AfterFunc(ctx, func() { i.settle(ctx, Finding{}, ctx.Err()) })
	go func() {
		defer cancel()
		i.run(ctx, m)
		stop()
	}()
}

func (l Limits) context(parent context.Context) (context.Context, context.CancelFunc) {
	if l.Timeout > 0 {
		return context.WithTimeout(parent, l.Timeout)
	}
	return context.WithCancel(parent)
}

// run waits for a place and inspects.
func (i *Inspection) run(ctx context.Context, m *Message) {
	record := i.guard.record
	if err := record.take(ctx, i); err != nil {
		i.settle(ctx, Finding{}, err)
		return
	}
	defer record.leave()
	finding, err := protected(func() (Finding, error) { return i.guard.inspector.Inspect(ctx, m) })
	i.settle(ctx, finding, err)
}

// protected calls an inspector: its panic is an error.
func protected(call func() (Finding, error)) (f Finding, err error) {
	defer func() {
		if value := recover(); value != nil {
			f, err = Finding{}, &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return call()
}

// settle is called with whatever comes first: what the inspector says, or that
// the time is over.
func (i *Inspection) settle(ctx context.Context, f Finding, err error) {
	i.settled.Do(func() {
		now := i.guard.now()
		err = i.judge(ctx, now, err)
		if err != nil {
			f = Finding{}
		}
		i.result = Result{Finding: f, Err: err, Duration: now.Sub(i.begun)}
		close(i.done)
		i.guard.begun.Done()
	})
}

// judge makes of an error what the caller gets, and has the record count it.
// What is wrong with the message goes before what the inspector made of that:
// not every client lets a reader's error through.
func (i *Inspection) judge(ctx context.Context, now time.Time, err error) error {
	record := i.guard.record
	err = nettext.Explain(err)
	if why := i.stash.failure(); why != nil {
		record.excuse(i)
		return because(why, err)
	}
	switch {
	case err == nil:
		record.succeeded(i, now)
		return nil
	case errors.Is(err, ErrAway):
		record.spared(i)
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		record.excuse(i)
		return because(ErrAborted, err)
	case ctx.Err() != nil:
		if err == ctx.Err() {
			err = fmt.Errorf("%w (after %v)", ErrTimeout, now.Sub(i.begun))
		} else {
			err = because(ErrTimeout, err)
		}
		if _, complete := i.stash.contents.progress(); !complete {
			record.excuse(i)
			return err
		}
	}
	record.failed(i, now, err)
	return err
}

// because is why, with what err says besides.
func because(why, err error) error {
	if err == nil || errors.Is(err, why) {
		return why
	}
	return fmt.Errorf("%w: %w", why, err)
}
