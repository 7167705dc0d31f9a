package assemble

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
	"github.com/tollgate-mail/tollgate/internal/module/types"
)

const (
	pingEvery      = 15 * time.Second
	scanLimitAfter = time.Minute // of the question how much the antivirus takes
)

// Inspectors is the part that has whole messages inspected. A policy that says
// the same of an inspector as the one before goes on with it: its health, its
// places and messages under way stay. One that no policy has any more ends with
// its last message.
type Inspectors struct {
	Log *slog.Logger // nil: nobody is told
	// Only says which of the policy's inspectors are made; nil: all are. To the
	// gate it is as if the policy did not have the others.
	Only func(config.Inspector) bool
	// Folder is where inspectors have files without a name; "" is the gateway's
	// own, which need not be there for who only tries a policy.
	Folder string

	mu     sync.Mutex
	beside *Inspectors  // whose inspectors are shared where they are the same; nil: nobody's
	now    []*inspector // of the policy in force, the antivirus first
	ending sync.WaitGroup
}

// inspector is one with its guard, and what ends its pings.
type inspector struct {
	*module.Guard
	lease     lease
	settings  config.Inspector
	antivirus *config.Antivirus // nil: a module
	made      module.Inspector

	unping context.CancelFunc // nil: it is not pinged yet
	under  sync.WaitGroup

	mu    sync.Mutex
	limit string // why the antivirus does not take what the policy lets it have
}

// Prepare gives the policy its inspectors.
func (i *Inspectors) Prepare(_ context.Context, d *Draft) (Step, error) {
	var all []*inspector
	discard := func() {
		for _, one := range all {
			one.lease.giveBack()
		}
	}
	add := func(settings config.Inspector, antivirus *config.Antivirus) (*module.Guard, error) {
		one, err := i.inspector(settings, antivirus)
		if err != nil {
			discard()
			return nil, err
		}
		one.lease.take()
		all = append(all, one)
		return one.Guard, nil
	}
	if a := d.Config.Antivirus; a != nil && i.wanted(a.Inspector) {
		guard, err := add(a.Inspector, a)
		if err != nil {
			return nil, err
		}
		d.Policy.Antivirus = &gate.Antivirus{
			Scanner: guard, Engine: a.Type, Action: a.Action, Reply: a.Reply, Tags: a.Tags,
			OnError: a.OnError, Oversize: a.Oversize,
		}
	}
	for _, m := range d.Config.Modules {
		if !i.wanted(m.Inspector) {
			continue
		}
		guard, err := add(m.Inspector, nil)
		if err != nil {
			return nil, err
		}
		d.Policy.Modules = append(d.Policy.Modules, gate.Module{Inspector: guard, Factor: m.Factor, OnError: m.OnError})
	}
	d.OnRetire(discard)
	return step{commit: func() { i.commit(all) }, discard: discard}, nil
}

func (i *Inspectors) wanted(settings config.Inspector) bool { return i.Only == nil || i.Only(settings) }

// inspector is that of the policy in force, where it is the same, or a new one.
func (i *Inspectors) inspector(settings config.Inspector, antivirus *config.Antivirus) (*inspector, error) {
	if i.Folder != "" {
		settings.Settings = module.In(settings.Settings, i.Folder)
	}
	for _, one := range i.inForce() {
		if one.same(settings) {
			return one, nil
		}
	}
	if i.beside != nil {
		for _, one := range i.beside.inForce() {
			if one.same(settings) {
				return one, nil
			}
		}
	}
	kind, ok := types.Find(settings.Type)
	if !ok {
		return nil, fmt.Errorf("%s: %s: nobody makes a module of type %q", settings.Pos, settings.Name, settings.Type)
	}
	made, err := kind.Make(settings.Settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", settings.Pos, settings.Name, err)
	}
	one := &inspector{
		Guard:    module.NewGuard(settings.Name, made, settings.Limits, time.Now),
		settings: settings, antivirus: antivirus, made: made,
	}
	one.lease.end = func() { i.ending.Go(func() { one.end(i.log()) }) }
	return one, nil
}

// same tells whether an inspector is what a policy wants, wherever it says so.
func (n *inspector) same(want config.Inspector) bool {
	want.Pos = n.settings.Pos
	return reflect.DeepEqual(n.settings, want)
}

func (i *Inspectors) log() *slog.Logger {
	if i.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return i.Log
}

func (i *Inspectors) inForce() []*inspector {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now
}

// commit has the new ones pinged.
func (i *Inspectors) commit(all []*inspector) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.now = all
	for _, one := range all {
		if one.unping == nil {
			one.ping(i.log())
		}
	}
}

func (n *inspector) ping(log *slog.Logger) {
	var ctx context.Context
	ctx, n.unping = context.WithCancel(context.Background())
	n.under.Go(func() {
		n.PingEvery(ctx, pingEvery, func(err error) {
			log.Warn("an inspector is not there: until it is, its messages are handled as on_error says", "inspector", n.Name(), "error", err)
		})
	})
	if scanner, ok := n.made.(*clamav.Scanner); ok && n.antivirus != nil {
		n.under.Go(func() { n.askLimit(ctx, scanner, log) })
	}
}

// askLimit asks until there is an answer: clamd may start later than we do.
func (n *inspector) askLimit(ctx context.Context, scanner *clamav.Scanner, log *slog.Logger) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, scanLimitAfter)
		err := scanner.Accepts(limited, n.antivirus.MaxSize)
		cancel()
		if err == nil {
			return
		}
		if errors.Is(err, clamav.ErrStreamLimit) {
			log.Error("the antivirus does not take messages of max_size: those will be handled as on_error says", "error", err)
			n.mu.Lock()
			n.limit = err.Error()
			n.mu.Unlock()
			return
		}
		select {
		case <-time.After(pingEvery):
		case <-ctx.Done():
		}
	}
}

// end stops the pings, and closes the inspector with its last inspection.
func (n *inspector) end(log *slog.Logger) {
	if n.unping != nil {
		n.unping()
		n.under.Wait()
	}
	if err := n.Close(); err != nil {
		log.Warn("an inspector cannot be closed", "inspector", n.Name(), "error", err)
	}
}

// Close ends the inspectors in force, and waits for those before.
func (i *Inspectors) Close() error {
	for _, one := range i.inForce() {
		one.end(i.log())
	}
	i.mu.Lock()
	i.now = nil
	i.mu.Unlock()
	i.ending.Wait()
	return nil
}

// InspectorStatus is how an inspector fares.
type InspectorStatus struct {
	Name         string    `json:"name"`
	State        string    `json:"state"` // up, degraded, away; unknown before its first answer
	Since        time.Time `json:"since"`
	LastError    string    `json:"last_error"` // "" when there was none
	LastErrorAt  time.Time `json:"last_error_at"`
	Breaker      string    `json:"breaker"`  // closed, open, half-open
	RetryAt      time.Time `json:"retry_at"` // of an open breaker
	Inspected    int64     `json:"inspected"`
	Failed       int64     `json:"failed"`
	Running      int       `json:"running"`
	LatencyMS    float64   `json:"latency_ms"` // an average of the last inspections
	MaxLatencyMS float64   `json:"max_latency_ms"`
	Limit        string    `json:"limit"` // of the antivirus: why it does not take messages of max_size
}

// Status of the inspectors in force, the antivirus first.
func (i *Inspectors) Status() []InspectorStatus {
	all := []InspectorStatus{}
	for _, one := range i.inForce() {
		h := one.Health()
		one.mu.Lock()
		limit := one.limit
		one.mu.Unlock()
		all = append(all, InspectorStatus{
			Name: h.Name, State: h.State, Since: h.Since, LastError: h.LastError, LastErrorAt: h.LastErrorAt,
			Breaker: h.Breaker, RetryAt: h.RetryAt, Inspected: h.Inspected + h.Failed + h.Spared, Failed: h.Failed + h.Spared, Running: h.Running,
			LatencyMS: milliseconds(h.Latency), MaxLatencyMS: milliseconds(h.MaxLatency), Limit: limit,
		})
	}
	return all
}

func milliseconds(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }

// StateText is the state in a word for people.
func (s *InspectorStatus) StateText() string {
	if s.State == "away" {
		return "unreachable"
	}
	return s.State
}
