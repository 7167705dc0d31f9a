// Package metrics shows figures of a daemon to Prometheus, and whether it lives
// and takes mail. It registers with the daemon, as a part that follows the
// policy and as one who counts messages; what else it shows it takes from the
// daemon's status.
package metrics

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

// Source is a daemon that has started.
type Source interface {
	// Status may ask the store; it ends when ctx does.
	Status(ctx context.Context) daemon.Status
	// Draining tells whether no new sessions are taken any more.
	Draining() bool
	// Spools tells whether usage records can be spooled.
	Spools() bool
}

// Metrics are the figures of one daemon. It is an assemble.Part and a
// gate.Counter.
type Metrics struct {
	log      *slog.Logger
	registry *prometheus.Registry
	messages *messages
	source   atomic.Pointer[Source] // nil until the daemon has started

	// life ends with Close: what asks the daemon for a page stops then.
	life    context.Context
	end     context.CancelFunc
	serving *server        // in force; nil: nobody listens
	heir    *takeover.Heir // has the listener of the process before; nil: there was none
	ending  sync.WaitGroup // servers that have been replaced
}

// New has no daemon yet and listens nowhere.
func New(log *slog.Logger) *Metrics {
	m := &Metrics{log: log, registry: prometheus.NewRegistry(), messages: newMessages()}
	m.life, m.end = context.WithCancel(context.Background())
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.messages.weight, m.messages.total, m.messages.stage, m.messages.wait)
	m.registry.MustRegister(status{m})
	return m
}

// Inherit has it go on with the listener of a process that is taken over from.
func (m *Metrics) Inherit(h *takeover.Heir) { m.heir = h }

// Attach has the status of a daemon shown from now on.
func (m *Metrics) Attach(s Source) { m.source.Store(&s) }

// daemon is nil until one is attached.
func (m *Metrics) daemon() Source {
	if s := m.source.Load(); s != nil {
		return *s
	}
	return nil
}
