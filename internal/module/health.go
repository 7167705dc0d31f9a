package module

import "time"

// Health is how an inspector fares.
type Health struct {
	Name string
	// State is "unknown" before the first answer, "away" when the service could
	// not be reached or answered no ping the last time, "degraded" when one of
	// the last 20 inspections or pings failed, otherwise "up".
	State string
	Since time.Time // of State
	// LastError is the last failure, "" when there was none; LastErrorAt when.
	LastError   string
	LastErrorAt time.Time
	// Breaker is "closed" (all inspections are tried), "open" (none are) or
	// "half-open" (one is tried).
	Breaker   string
	RetryAt   time.Time // of an open breaker
	Inspected int64     // inspections with a finding, even that nothing was found
	Failed    int64     // inspections that count against the inspector
	Spared    int64     // messages that met the open breaker
	Running   int       // now, those left behind included
	// Latency is an average of the last inspections, of their turn only, and
	// MaxLatency the longest of them.
	Latency    time.Duration
	MaxLatency time.Duration
}

const (
	unknown  = "unknown"
	up       = "up"
	degraded = "degraded"
	away     = "away"
)
