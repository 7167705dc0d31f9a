package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/took"
)

// messages are the distributions over messages, for which a status has no use.
type messages struct {
	weight, total prometheus.Histogram
	stage, wait   *prometheus.HistogramVec
	// parts are the children of stage and wait: no message makes a label.
	parts [took.Parts]prometheus.Observer
}

func newMessages() *messages {
	// From what is not felt to what a client waits for no longer (RFC 5321
	// §4.5.3.2.6: ten minutes).
	seconds := []float64{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120, 600}
	m := &messages{
		weight: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tollgate_message_weight", Help: "Weight of messages at their end, as the policy counts it.",
			Buckets: []float64{-10, -5, -1, 0, 1, 2, 3, 5, 7, 10, 15, 20, 50},
		}),
		total: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tollgate_message_seconds", Help: "From MAIL to the end of a message, the time of its client and of Postfix included.", Buckets: seconds,
		}),
		stage: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tollgate_stage_seconds", Help: "Time of tollgate itself for each message that came to a stage; connect and helo once a session.", Buckets: seconds,
		}, []string{"stage"}),
		wait: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tollgate_wait_seconds", Help: "Of the time of the stages: what messages waited for that had to.", Buckets: seconds,
		}, []string{"cause"}),
	}
	for p := range took.Parts {
		of := m.wait
		if p.Stage() {
			of = m.stage
		}
		m.parts[p] = of.WithLabelValues(p.String())
	}
	return m
}

func (m *messages) count(f gate.Fate) {
	m.weight.Observe(float64(f.Weight) / 1000)
	if f.Took == nil {
		return
	}
	m.total.Observe(f.Took.Total.Seconds())
	for p := range took.Parts {
		if f.Took.Reached(p) {
			m.parts[p].Observe(f.Took.Of(p).Seconds())
		}
	}
}

// Count implements gate.Counter. What became of messages the daemon counts
// itself.
func (m *Metrics) Count(f gate.Fate) { m.messages.count(f) }
