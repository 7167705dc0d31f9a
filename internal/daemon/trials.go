package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/shadow"
	"github.com/tollgate-mail/tollgate/internal/tape"
	"github.com/tollgate-mail/tollgate/milter"
)

const (
	tapeRoom     = 64 << 20 // octets, for all tapes
	askAtOnce    = 16       // questions that only second judgements have
	askOfMessage = 100
)

// trials are the judgements beside the live ones.
type trials struct {
	beside *assemble.Beside
	room   *tape.Room
	asking *tape.Asking

	shadow  atomic.Pointer[candidate]     // nil: none
	old     atomic.Pointer[shadow.Beside] // of a canary: the old policy; nil: none
	check   atomic.Pointer[shadow.Beside] // the policy in force once more; nil: none
	every   atomic.Int64                  // so many messages for one that is judged twice
	inForce atomic.Pointer[string]        // version of the policy in force
	canary  atomic.Pointer[trial]         // nil: none is under way

	ends sync.WaitGroup // canaries that go back by themselves
}

// candidate is a policy that is judged in shadow.
type candidate struct {
	*shadow.Beside
	state ShadowState
}

// newTrials has none under way.
func (d *Daemon) newTrials() {
	d.trials.beside = &assemble.Beside{Resolvers: d.resolvers, Memories: d.memories, Accounts: d.accounts, Inspectors: d.inspectors, Lists: d.lists, Log: d.log}
	d.trials.room = tape.NewRoom(tapeRoom)
	d.trials.asking = tape.NewAsking(askAtOnce, askOfMessage)
}

// Prepare has the answers to the live policy kept where a session is taped.
type answersKept struct{}

func (answersKept) Prepare(_ context.Context, draft *assemble.Draft) (assemble.Step, error) {
	tape.Live(&draft.Policy)
	return noStep{}, nil
}

func (answersKept) Close() error { return nil }

type noStep struct{}

func (noStep) Commit()  {}
func (noStep) Discard() {}

// recorded is the gate with a recorder, for the milter.
func (d *Daemon) recorded() milter.Gate {
	return taped{tape.New(d.judge.Gate(), tape.Options{Wanted: d.trials.wanted, Done: d.trials.done, Room: d.trials.room, Now: time.Now})}
}

type taped struct{ *tape.Gate }

func (t taped) Session(ctx context.Context, p gate.Peer) milter.Session {
	return tapedSession{t.Gate.Session(ctx, p)}
}

type tapedSession struct{ *tape.Session }

func (t tapedSession) Mail(ctx context.Context, e gate.Envelope) (milter.Message, gate.Decision) {
	return t.Session.Mail(ctx, e)
}

// wanted tells of a session whether it is taped.
func (t *trials) wanted(gate.Peer) bool {
	if t.shadow.Load() != nil || t.canary.Load() != nil {
		return true
	}
	every := t.every.Load()
	return every > 0 && t.check.Load() != nil && rand.Int64N(every) == 0
}

// done has a message judged once more.
func (t *trials) done(one *tape.Tape) {
	version := *t.inForce.Load()
	candidate, check := t.shadow.Load(), t.check.Load()
	switch {
	case one.Version != version:
		// The canary's: the old policy judges it beside, where it is still the old one.
		if under, old := t.canary.Load(), t.old.Load(); under != nil && old != nil && one.Version == under.version {
			old.Take(one)
			return
		}
	case candidate != nil:
		candidate.Take(one)
		return
	case check != nil && check.Version() == one.Version && (t.every.Load() == 1 || rand.Int64N(max(t.every.Load(), 1)) == 0 || t.canary.Load() == nil):
		check.Take(one)
		return
	}
	one.Close()
}

// renew follows a policy that came in force.
func (d *Daemon) renew(ctx context.Context, cfg *config.Config) error {
	t := &d.trials
	version := cfg.Gate.Version
	t.inForce.Store(&version)
	t.every.Store(cfg.SelfCheck)
	var errs []error
	if cfg.SelfCheck > 0 {
		b, err := d.secondOf(ctx, cfg, shadow.SelfCheck, nil)
		if err == nil {
			closeBeside(t.check.Swap(b))
		}
		errs = append(errs, err)
	} else {
		closeBeside(t.check.Swap(nil))
	}
	return errors.Join(append(errs, d.renewCanary(ctx, cfg))...)
}

// secondOf judges by a policy beside the live judgement.
func (d *Daemon) secondOf(ctx context.Context, cfg *config.Config, purpose string, paired func(shadow.Pair)) (*shadow.Beside, error) {
	policy, err := d.trials.beside.Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return shadow.New(shadow.Options{
		Purpose: purpose, Policy: policy, Journal: d.journals.Journal(), Asking: d.trials.asking, Log: d.log, Dir: cfg.StateDir, Paired: paired,
	}), nil
}

// closeBeside ends a second judgement. It waits for one message at most.
func closeBeside(b *shadow.Beside) {
	if b != nil {
		b.Close()
	}
}

// close ends all of them.
func (t *trials) close() {
	if c := t.shadow.Swap(nil); c != nil {
		c.Close()
	}
	if c := t.canary.Load(); c != nil {
		c.mu.Lock()
		if c.timer != nil {
			c.timer.Stop() // it goes on at the next start
		}
		c.mu.Unlock()
	}
	closeBeside(t.old.Swap(nil))
	t.ends.Wait() // whom that has called
	closeBeside(t.check.Swap(nil))
	if t.beside != nil {
		t.beside.Close()
	}
}

// CmdShadow takes ShadowRequest, answers ShadowState.
const CmdShadow = "shadow"

// ShadowRequest begins to judge a candidate in shadow, ends that, or asks how it
// goes.
type ShadowRequest struct {
	File      string `json:"file"`       // absolute; "" with Off and to ask
	NoLookups bool   `json:"no_lookups"` // what only the candidate asks is not known
	Off       bool   `json:"off"`
}

// ShadowState is how a candidate fares in shadow.
type ShadowState struct {
	On        bool      `json:"on"`
	File      string    `json:"file"`
	Version   string    `json:"version"`
	Against   string    `json:"against"` // version of the policy in force
	By        string    `json:"by"`
	Since     time.Time `json:"since"`
	NoLookups bool      `json:"no_lookups"`
	shadow.Counts
}

// loadCandidate loads a policy that is not the daemon's own.
func (d *Daemon) loadCandidate(file string) (*config.Config, error) {
	if !filepath.IsAbs(file) {
		return nil, refuse(errors.New("an absolute path is needed"))
	}
	cfg, rows, good := d.load(file)
	if !good {
		detail, err := json.Marshal(rows)
		if err != nil {
			return nil, err
		}
		return nil, &control.Refusal{Code: CodePolicy, Message: "the candidate is bad; nothing is changed", Detail: detail}
	}
	old := d.config()
	cfg.Listen, cfg.StateDir, cfg.Redis, cfg.Location = old.Listen, old.StateDir, old.Redis, old.Location
	cfg.Gate.Gateway = old.Gate.Gateway
	return cfg, nil
}

func (d *Daemon) answerShadow(ctx context.Context, request json.RawMessage) (any, error) {
	var r ShadowRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	unlock, err := d.lockPolicy(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	switch {
	case r.Off:
		state := d.shadowState()
		if c := d.trials.shadow.Swap(nil); c != nil {
			c.Close()
			d.log.Info("the candidate is no longer judged in shadow", "file", state.File)
		}
		return state, nil
	case r.File == "":
		return d.shadowState(), nil
	}
	cfg, err := d.loadCandidate(r.File)
	if err != nil {
		return nil, err
	}
	cfg.Forget()
	if cfg.Gate.Version == d.config().Gate.Version {
		_ = cfg.Close() // was only read
		return nil, refuse(fmt.Errorf("%s says what the policy in force says (version %s): there is nothing to compare", r.File, cfg.Gate.Version))
	}
	if err := d.beginShadow(ctx, cfg, ShadowState{
		On: true, File: r.File, Version: cfg.Gate.Version, By: control.User(ctx), Since: time.Now().UTC(), NoLookups: r.NoLookups,
	}); err != nil {
		return nil, refuse(err)
	}
	return d.shadowState(), nil
}

// beginShadow judges a candidate in shadow, beyond what was counted of it before.
func (d *Daemon) beginShadow(ctx context.Context, cfg *config.Config, state ShadowState) error {
	policy, err := d.trials.beside.Prepare(ctx, cfg)
	if err != nil {
		return err
	}
	asking := d.trials.asking
	if state.NoLookups {
		asking = tape.NewAsking(0, 0)
	}
	next := &candidate{
		Beside: shadow.New(shadow.Options{
			Purpose: shadow.Candidate, Policy: policy, Journal: d.journals.Journal(), Asking: asking, Log: d.log, Dir: cfg.StateDir,
		}),
		state: state,
	}
	if before := d.trials.shadow.Swap(next); before != nil {
		before.Close()
	}
	d.log.Info("a candidate is judged in shadow", "file", state.File, "version", state.Version)
	return nil
}

// shadowState is how the candidate fares; without one it is not On.
func (d *Daemon) shadowState() ShadowState {
	c := d.trials.shadow.Load()
	if c == nil {
		return ShadowState{Counts: shadow.Counts{Changes: map[string]int64{}}}
	}
	s := c.state
	s.Against = d.config().Gate.Version
	s.Counts = s.Counts.Plus(c.Counts())
	return s
}

// selfCheck is how messages fared that the policy in force judged twice.
func (d *Daemon) selfCheck() shadow.Counts {
	if b := d.trials.check.Load(); b != nil {
		return b.Counts()
	}
	return shadow.Counts{Changes: map[string]int64{}}
}
