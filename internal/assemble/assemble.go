// Package assemble makes of a policy's plain values what lives: inspectors, a
// resolver, journals, the gate. It does so in two steps. What can fail is
// prepared beside what is in force; then all of it is committed by what cannot
// fail, or discarded without a trace. A start and a reload are the same; so is
// the judging of messages that are not live, with other parts.
package assemble

import (
	"context"
	"errors"
	"fmt"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Part is something that follows the policy. Its methods are called by one
// goroutine at a time.
type Part interface {
	// Prepare makes what the draft's policy needs and puts into the draft what
	// others need of it. It changes nothing that is in force. On an error
	// nothing of it is left.
	Prepare(ctx context.Context, d *Draft) (Step, error)
	// Close ends what is in force, when nobody judges any more.
	Close() error
}

// Step is what a part has prepared. Either method is called, once.
type Step interface {
	// Commit puts it in force. It does nothing that can fail, and waits for
	// nothing.
	Commit()
	// Discard leaves no file, socket or goroutine of it.
	Discard()
}

// Draft is a policy in the making. Parts are prepared in their order, and find
// what those before them have put in.
type Draft struct {
	Config *config.Config
	Before *config.Config // the one in force; nil at the start

	Policy  gate.Policy
	Journal *journal.Journal // of the part Journals

	retire []func()
}

// OnRetire has f called when nobody judges by the draft's policy any more, if it
// comes in force. f must not wait.
func (d *Draft) OnRetire(f func()) { d.retire = append(d.retire, f) }

// Running is what is in force: its parts, and the config they follow.
type Running struct {
	parts  []Part
	config *config.Config
}

// New has these parts and nothing in force. They are prepared and committed in
// this order: Judge is the last.
func New(parts ...Part) *Running { return &Running{parts: parts} }

// Config is the one in force, nil before the first.
func (r *Running) Config() *config.Config { return r.config }

// Close ends all parts, the last first.
func (r *Running) Close() error {
	var errs []error
	for i := len(r.parts) - 1; i >= 0; i-- {
		errs = append(errs, r.parts[i].Close())
	}
	return errors.Join(errs...)
}

// Change is a policy that can come in force: all that can fail has been done.
type Change struct {
	running *Running
	config  *config.Config
	steps   []Step
}

// Prepare makes everything that a policy needs, beside what is running. One
// change at a time: the one before must have been committed or discarded. On an
// error nothing of it is left.
func Prepare(ctx context.Context, next *config.Config, running *Running) (*Change, error) {
	d := &Draft{Config: next, Before: running.config, Policy: gate.Policy{Settings: next.Gate}}
	d.Policy.Retired = func() {
		for _, f := range d.retire {
			f()
		}
	}
	c := &Change{running: running, config: next}
	for _, p := range running.parts {
		step, err := p.Prepare(ctx, d)
		if err != nil {
			c.Discard()
			return nil, fmt.Errorf("the policy cannot be put in force: %w", err)
		}
		c.steps = append(c.steps, step)
	}
	return c, nil
}

// Commit puts the change in force.
func (c *Change) Commit() {
	for _, s := range c.steps {
		s.Commit()
	}
	c.running.config = c.config
}

// Discard gives the change up.
func (c *Change) Discard() {
	for i := len(c.steps) - 1; i >= 0; i-- {
		c.steps[i].Discard()
	}
	c.steps = nil
}

// step is a Step of two functions; nil does nothing.
type step struct{ commit, discard func() }

func (s step) Commit() {
	if s.commit != nil {
		s.commit()
	}
}

func (s step) Discard() {
	if s.discard != nil {
		s.discard()
	}
}
