package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/canary"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/history"
	"github.com/tollgate-mail/tollgate/internal/shadow"
	"github.com/tollgate-mail/tollgate/internal/tape"
)

// What is asked about a canary.
const (
	CmdCanary      = "canary"       // answers canary.State
	CmdCanaryStart = "canary-start" // takes CanaryRequest, answers canary.State
	CmdCanaryStop  = "canary-stop"  // answers canary.State
)

// CanaryRequest puts a candidate in force for a part of the mail.
type CanaryRequest struct {
	File       string         `json:"file"`  // absolute
	Share      int            `json:"share"` // thousandths of the sending sites
	Networks   []netip.Prefix `json:"networks"`
	Recipients []string       `json:"recipients"`
	Seconds    int64          `json:"seconds"`
	Band       int            `json:"band"` // thousandths
	Message    string         `json:"message"`
}

const (
	longestCanary = 30 * 24 * time.Hour
	slowCanary    = 5 * time.Second // of judging one message
)

// trial is a canary under way.
type trial struct {
	version string

	mu, saving  sync.Mutex // the second while the state is kept; it is taken first
	state       canary.State
	ended, kept bool // kept: its end is, and nothing of it any more
	timer       *time.Timer
}

func (d *Daemon) answerCanary(context.Context, json.RawMessage) (any, error) {
	return d.canaryState()
}

// canaryState is that under way, or of the last one; without its key.
func (d *Daemon) canaryState() (canary.State, error) {
	var s canary.State
	var err error
	if t := d.trials.canary.Load(); t != nil {
		t.mu.Lock()
		s = t.state
		t.mu.Unlock()
	} else if s, err = canary.Load(d.config().StateDir); err != nil {
		return s, refuse(err)
	}
	s.Key = nil
	return s, nil
}

func (d *Daemon) answerCanaryStart(ctx context.Context, request json.RawMessage) (any, error) {
	var r CanaryRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	lasts := time.Duration(r.Seconds) * time.Second
	switch {
	case r.Share <= 0 && len(r.Networks) == 0 && len(r.Recipients) == 0:
		return nil, refuse(errors.New("for which mail? A share, networks or recipients are needed"))
	case lasts <= 0 || lasts > longestCanary:
		return nil, refuse(fmt.Errorf("a canary lasts more than 0s, and up to %s", longestCanary))
	}
	unlock, err := d.lockPolicy(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if d.trials.canary.Load() != nil {
		return nil, refuse(errors.New(`a canary is under way: "tollgate canary stop" ends it`))
	}
	cfg, err := d.loadCandidate(r.File)
	if err != nil {
		return nil, err
	}
	if cfg.Gate.Version == d.config().Gate.Version {
		_ = cfg.Close() // was only read
		return nil, refuse(fmt.Errorf("%s says what the policy in force says (version %s)", r.File, cfg.Gate.Version))
	}
	now := time.Now().UTC().Truncate(time.Second)
	state := canary.State{
		File: r.File, Version: cfg.Gate.Version, By: control.User(ctx), Message: r.Message[:min(len(r.Message), mostMessage)],
		Share: r.Share, Networks: r.Networks, Recipients: r.Recipients, Key: canary.NewKey(), Started: now, Until: now.Add(lasts), Band: r.Band,
	}
	if err := state.Save(cfg.StateDir); err != nil {
		return nil, refuse(errors.Join(err, cfg.Close()))
	}
	d.keepPolicy(cfg, history.Entry{How: history.Canary, By: state.By, Message: state.Message})
	if err := d.beginCanary(ctx, cfg, state); err != nil {
		return nil, refuse(err)
	}
	return d.canaryState()
}

// beginCanary divides the mail.
func (d *Daemon) beginCanary(ctx context.Context, cfg *config.Config, state canary.State) error {
	policy, err := d.trials.beside.Prepare(ctx, cfg)
	if err != nil {
		return err
	}
	tape.Live(policy)
	t := &trial{version: cfg.Gate.Version, state: state}
	old, err := d.secondOf(ctx, d.config(), shadow.Canary, func(p shadow.Pair) { d.pair(t, p) })
	if err != nil {
		policy.Retired()
		return err
	}
	split := &gate.Split{Policy: policy}
	if state.Share > 0 || len(state.Networks) > 0 {
		split.Session = state.Chosen
	}
	if len(state.Recipients) > 0 {
		split.Recipient = state.Names
	}
	closeBeside(d.trials.old.Swap(old))
	d.trials.canary.Store(t)
	t.mu.Lock()
	t.timer = time.AfterFunc(time.Until(state.Until), func() { d.endCanary(t, "its time is over") })
	t.mu.Unlock()
	d.judge.Gate().Split(split)
	d.log.Warn("a candidate is in force for a part of the mail", "file", state.File, "version", state.Version, "until", state.Until)
	return nil
}

// pair counts a message that both policies judged. It is called by the goroutine
// of the old one's judgement.
func (d *Daemon) pair(t *trial, p shadow.Pair) {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return
	}
	before := t.state
	why := t.state.Add(canary.Pair{
		Candidate: p.Live.Verdict, Old: p.Beside.Verdict, Fault: p.Tape.Faulted, Slow: p.Tape.Judging > slowCanary,
	})
	worse := t.state.Refused != before.Refused || t.state.Slow != before.Slow
	t.mu.Unlock()
	if worse {
		d.keepTrial(t)
	}
	if why != "" {
		// At once; the rest waits for the goroutine that calls this.
		d.judge.Gate().Split(nil)
		t.mu.Lock()
		t.state.Went = true
		t.mu.Unlock()
		d.trials.ends.Go(func() { d.endCanary(t, why) })
	}
}

func (d *Daemon) saveCanary(s canary.State) {
	if err := s.Save(d.config().StateDir); err != nil {
		d.log.Error("the state of the canary cannot be kept", "error", err)
	}
}

// endCanary puts the old policy in force for all mail.
func (d *Daemon) endCanary(t *trial, why string) {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return
	}
	t.ended = true
	t.timer.Stop()
	t.state.Ended, t.state.Reason = time.Now().UTC().Truncate(time.Second), why
	state := t.state
	t.mu.Unlock()
	if d.trials.canary.CompareAndSwap(t, nil) {
		d.judge.Gate().Split(nil)
	}
	d.keepTrial(t)
	d.log.Warn("the canary is over: the old policy judges all mail", "file", state.File, "version", state.Version, "reason", why)
	closeBeside(d.trials.old.Swap(nil))
	d.noteEnd(state)
}

// noteEnd tells the history, unless a reload is under way that will.
func (d *Daemon) noteEnd(state canary.State) {
	cfg := d.config()
	e := history.Entry{How: history.CanaryEnd, By: state.By, Message: state.Reason, File: d.file, Time: time.Now().UTC().Truncate(time.Millisecond), Tollgate: d.version}
	if _, _, err := d.history.Again(cfg.Hash, e); err != nil {
		d.log.Error("the end of the canary is not kept in the history", "error", err)
	}
}

func (d *Daemon) answerCanaryStop(ctx context.Context, _ json.RawMessage) (any, error) {
	t := d.trials.canary.Load()
	if t == nil {
		return d.acknowledge(ctx)
	}
	d.endCanary(t, "stopped by "+control.User(ctx))
	return d.canaryState()
}

// acknowledge has one that went back by itself be remarkable no longer.
func (d *Daemon) acknowledge(ctx context.Context) (any, error) {
	unlock, err := d.lockPolicy(ctx) // none is started meanwhile
	if err != nil {
		return nil, err
	}
	defer unlock()
	state, err := canary.Load(d.config().StateDir)
	if err != nil {
		return nil, refuse(err)
	}
	if !state.BySelf() {
		return nil, refuse(errors.New("no canary is under way"))
	}
	state.Seen = control.User(ctx)
	if err := state.Save(d.config().StateDir); err != nil {
		return nil, refuse(err)
	}
	d.log.Info("it is acknowledged that the canary went back by itself", "file", state.File, "by", state.Seen)
	return d.canaryState()
}

// renewCanary follows a policy that came in force: it is the old side now.
func (d *Daemon) renewCanary(ctx context.Context, cfg *config.Config) error {
	t := d.trials.canary.Load()
	if t == nil {
		return nil
	}
	if cfg.Gate.Version == t.version {
		d.endCanary(t, "the candidate is in force for all mail")
		return nil
	}
	candidate, err := d.loadCandidate(t.state.File)
	if err == nil {
		_ = candidate.Close() // was only read
	}
	if err != nil || candidate.Gate.Version != t.version {
		d.endCanary(t, "the candidate's file was changed")
		return nil
	}
	old, err := d.secondOf(ctx, cfg, shadow.Canary, func(p shadow.Pair) { d.pair(t, p) })
	if err != nil {
		d.endCanary(t, "the old policy cannot be judged beside it: "+err.Error())
		return nil
	}
	closeBeside(d.trials.old.Swap(old))
	return nil
}

// resumeCanary goes on with the canary of before a restart.
func (d *Daemon) resumeCanary(ctx context.Context) {
	state, err := canary.Load(d.config().StateDir)
	if err != nil {
		d.log.Error("the canary is not gone on with", "error", err)
		return
	}
	if !state.Running() {
		return
	}
	over := func(why string) {
		state.Went = time.Now().Before(state.Until) // nobody has ended it
		state.Ended, state.Reason = time.Now().UTC().Truncate(time.Second), why
		d.saveCanary(state)
		d.log.Warn("the canary is over: the old policy judges all mail", "file", state.File, "reason", why)
	}
	if time.Now().After(state.Until) {
		over("its time is over")
		return
	}
	cfg, err := d.loadCandidate(state.File)
	switch {
	case err != nil:
		over("the candidate cannot be loaded after a restart: " + err.Error())
	case cfg.Gate.Version != state.Version:
		_ = cfg.Close() // was only read
		over("the candidate's file was changed")
	default:
		cfg.Forget()
		if err := d.beginCanary(ctx, cfg, state); err != nil {
			over("after a restart: " + err.Error())
		}
	}
}
