package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
)

const (
	pingEvery      = 15 * time.Second
	scanLimitAfter = time.Minute // of the question how much the antivirus takes
)

// watch looks after the inspectors of the policy in force.
type watch struct {
	log *slog.Logger

	mu     sync.Mutex
	guards []*module.Guard
	all    []*module.Guard // of the policies before, too: messages under way may still need them
	cancel context.CancelFunc
	limit  string // why the antivirus does not take what the policy lets it have
	under  sync.WaitGroup
}

func newWatch(log *slog.Logger) *watch { return &watch{log: log, cancel: func() {}} }

// over takes the inspectors of a policy in place of those before. What is known
// of an inspector with the same settings stays known.
func (w *watch) over(cfg *config.Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel()
	cfg.Gate.Keep(w.guards)
	w.guards, w.limit = cfg.Gate.Guards(), ""
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.Background())
	for _, g := range w.guards {
		if !slices.Contains(w.all, g) {
			w.all = append(w.all, g)
		}
		w.under.Go(func() { g.Watch(ctx, pingEvery) })
	}
	if cfg.ScanLimit != nil {
		w.under.Go(func() { w.askLimit(ctx, cfg.ScanLimit) })
	}
}

// askLimit asks until there is an answer: clamd may start later than we do.
func (w *watch) askLimit(ctx context.Context, ask func(context.Context) error) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, scanLimitAfter)
		err := ask(limited)
		cancel()
		if err == nil {
			return
		}
		if errors.Is(err, clamav.ErrStreamLimit) {
			w.log.Error("the antivirus does not take messages of max_size: those will be handled as on_error says", "error", err)
			w.mu.Lock()
			if ctx.Err() == nil { // else another policy is in force
				w.limit = err.Error()
			}
			w.mu.Unlock()
			return
		}
		select {
		case <-time.After(pingEvery):
		case <-ctx.Done():
		}
	}
}

// end stops watching.
func (w *watch) end() {
	w.mu.Lock()
	w.cancel()
	guards := w.all
	w.mu.Unlock()
	w.under.Wait()
	for _, g := range guards {
		if err := g.Close(); err != nil {
			w.log.Warn("an inspector cannot be closed", "inspector", g.Name(), "error", err)
		}
	}
}

// inspectorStatus is how an inspector fares.
type inspectorStatus struct {
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

func (w *watch) status() []inspectorStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []inspectorStatus{}
	for _, g := range w.guards {
		h := g.Health()
		s := inspectorStatus{
			Name: h.Name, State: h.State, Since: h.Since, LastError: h.LastError, LastErrorAt: h.LastErrorAt,
			Breaker: h.Breaker, RetryAt: h.RetryAt, Inspected: h.Inspected, Failed: h.Failed, Running: h.Running,
			LatencyMS: milliseconds(h.Latency), MaxLatencyMS: milliseconds(h.MaxLatency),
		}
		if h.Name == "antivirus" {
			s.Limit = w.limit
		}
		all = append(all, s)
	}
	return all
}

func milliseconds(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }

// note tells what of an inspector an operator should look at.
func (s *inspectorStatus) note(note func(format string, args ...any)) {
	if s.State == "degraded" || s.State == "away" {
		note("%s is %s since %s: %s", s.Name, s.State, local(s.Since), s.LastError)
	}
	if s.Limit != "" {
		note("%s: %s", s.Name, s.Limit)
	}
}

// line is the inspector for eyes.
func (s *inspectorStatus) line(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.Name, s.State)
	if !s.Since.IsZero() {
		fmt.Fprintf(&b, " for %s", span(now.Sub(s.Since)))
	}
	fmt.Fprintf(&b, "; %s, %d failed, %d now; %.0f ms on average, %.0f at most",
		plural(int(s.Inspected), "inspection"), s.Failed, s.Running, s.LatencyMS, s.MaxLatencyMS)
	if s.Breaker != "closed" {
		fmt.Fprintf(&b, "; breaker %s", s.Breaker)
		if wait := s.RetryAt.Sub(now); s.Breaker == "open" && wait > 0 {
			fmt.Fprintf(&b, ", next try in %s", span(wait))
		}
	}
	if s.LastError != "" {
		fmt.Fprintf(&b, "; last error %s: %s", local(s.LastErrorAt), visible(s.LastError))
	}
	return b.String()
}
