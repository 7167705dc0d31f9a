package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

const (
	// maxRules bounds how many rules have a figure of their own, those of
	// policies that sessions under way still judge by included.
	maxRules = 1000
	other    = "_other"
)

// tally is what is counted of every message. All children are made before mail
// is counted: counting looks up no label and allocates nothing.
type tally struct {
	messages   *prometheus.CounterVec
	recipients *prometheus.CounterVec
	hits       *prometheus.CounterVec
	weight     prometheus.Histogram
	last       atomic.Int64 // when a message ended, Unix time in ns; 0 for never

	fates                       map[fate]prometheus.Counter
	accepted, deferred, refused prometheus.Counter
	beyond                      prometheus.Counter // hits of rules without a figure

	tables sync.Map // *rules.Policy to []prometheus.Counter, by rules.Rule.Index
	mu     sync.Mutex
	named  map[string]int // how many policies use a rule's figure
}

// fate is the verdict on a message and where it fell.
type fate struct {
	verdict gate.Verdict
	stage   string
}

func newTally() *tally {
	t := &tally{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_messages_total", Help: "Messages that came to their end, by verdict and by the stage that decided.",
		}, []string{"verdict", "stage"}),
		recipients: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_recipients_total", Help: "Recipients of those messages, by the answer to RCPT TO.",
		}, []string{"answer"}),
		hits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_rule_hits_total", Help: "Messages that a rule matched, shadow rules included.",
		}, []string{"rule"}),
		weight: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tollgate_message_weight", Help: "Weight of messages at their end, as the policy counts it.",
			Buckets: []float64{-10, -5, -1, 0, 1, 2, 3, 5, 7, 10, 15, 20, 50},
		}),
		fates: map[fate]prometheus.Counter{}, named: map[string]int{},
	}
	for _, v := range []gate.Verdict{gate.Accepted, gate.Rejected, gate.Deferred, gate.Discarded, gate.Held, gate.Aborted} {
		for s := rules.Connect; s <= rules.Complete; s++ {
			t.fates[fate{v, s.String()}] = t.messages.WithLabelValues(string(v), s.String())
		}
		t.fates[fate{v, other}] = t.messages.WithLabelValues(string(v), other)
	}
	t.accepted, t.deferred, t.refused = t.recipients.WithLabelValues("accepted"), t.recipients.WithLabelValues("deferred"), t.recipients.WithLabelValues("rejected")
	t.beyond = t.hits.WithLabelValues(other)
	return t
}

func (t *tally) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		t.messages, t.recipients, t.hits, t.weight,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tollgate_last_message_timestamp_seconds", Help: "When a message last came to its end; 0 for never.",
		}, func() float64 { return float64(t.last.Load()) / float64(time.Second) }),
	}
}

// Count implements gate.Counter.
func (m *Metrics) Count(f gate.Fate) {
	t := m.tally
	t.last.Store(m.now().UnixNano())
	c, ok := t.fates[fate{f.Verdict, f.Stage}]
	if !ok { // an internal fault says where it was
		c = t.fates[fate{f.Verdict, other}]
	}
	if c != nil {
		c.Inc()
	}
	t.accepted.Add(float64(f.Accepted))
	t.deferred.Add(float64(f.Deferred))
	t.refused.Add(float64(f.Refused))
	t.weight.Observe(float64(f.Weight) / 1000)
	if len(f.Hits) == 0 {
		return
	}
	var table []prometheus.Counter
	if v, ok := t.tables.Load(f.Policy); ok {
		table = v.([]prometheus.Counter)
	}
	for _, h := range f.Hits {
		if i := h.Rule.Index; i < len(table) {
			table[i].Inc()
		} else {
			t.beyond.Inc()
		}
	}
}

// take makes the figures of a policy's rules.
func (t *tally) take(p *rules.Policy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := p.Rules()
	table := make([]prometheus.Counter, len(all))
	for _, r := range all {
		table[r.Index] = t.beyond
		if t.named[r.Name] == 0 && len(t.named) >= maxRules {
			continue
		}
		if c, err := t.hits.GetMetricWithLabelValues(r.Name); err == nil { // it is UTF-8, as all of the policy
			t.named[r.Name]++
			table[r.Index] = c
		}
	}
	t.tables.Store(p, table)
}

// drop takes the figures away that only this policy had.
func (t *tally) drop(p *rules.Policy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.tables.LoadAndDelete(p)
	if !ok {
		return
	}
	for _, r := range p.Rules() {
		if v.([]prometheus.Counter)[r.Index] == t.beyond {
			continue
		}
		if t.named[r.Name]--; t.named[r.Name] == 0 {
			delete(t.named, r.Name)
			if r.Name != other {
				t.hits.DeleteLabelValues(r.Name)
			}
		}
	}
}
