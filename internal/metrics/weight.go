package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

func newWeight() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "tollgate_message_weight", Help: "Weight of messages at their end, as the policy counts it.",
		Buckets: []float64{-10, -5, -1, 0, 1, 2, 3, 5, 7, 10, 15, 20, 50},
	})
}

// Count implements gate.Counter. What became of messages the daemon counts
// itself; here is only the distribution that a status has no use for.
func (m *Metrics) Count(f gate.Fate) { m.weight.Observe(float64(f.Weight) / 1000) }
