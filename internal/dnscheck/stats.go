package dnscheck

import "time"

// Stats is what a resolver has done since it was made, and does now.
type Stats struct {
	Asked  int64 `json:"asked"`  // look-ups
	Hits   int64 `json:"hits"`   // of those: answered by the cache
	Joined int64 `json:"joined"` // of those: answered by another's question

	Queries  int64 `json:"queries"`  // sent to servers
	Timeouts int64 `json:"timeouts"` // of those: without a reply in time

	InFlight     int           `json:"in_flight"`      // questions under way
	MostInFlight int           `json:"most_in_flight"` // the most there ever were
	Waiting      int           `json:"waiting"`        // for a place among them
	Evicted      int64         `json:"evicted"`        // given up for another
	CacheSize    int           `json:"cache_size"`     // answers kept
	CacheOctets  int           `json:"cache_octets"`   // about what they take in memory
	Servers      []ServerStats `json:"servers"`
	Lists        []ListStats   `json:"lists"` // that were asked, by zone
}

// States of a server.
const (
	NotAsked = "not asked yet"
	Up       = "up"
	Down     = "down"
)

// ServerStats is how one server fares.
type ServerStats struct {
	Addr     string `json:"addr"`
	Queries  int64  `json:"queries"`
	Timeouts int64  `json:"timeouts"`
	Failures int64  `json:"failures"` // time-outs included
	// State is NotAsked before the first query has ended, then Up, or Down: it
	// failed and is asked after the others.
	State       string     `json:"state"`
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at,omitempty"`
}

// Stats is a snapshot.
func (r *Resolver) Stats() Stats {
	var s Stats
	now := r.now()
	for _, one := range r.servers.all {
		t := one.stats(now)
		s.Queries += t.Queries
		s.Timeouts += t.Timeouts
		s.Servers = append(s.Servers, t)
	}
	s.Lists = r.lists.stats()
	s.InFlight, s.Waiting, s.MostInFlight, s.Evicted = r.limiter.load()
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Asked, s.Hits, s.Joined = r.asked, r.hits, r.joined
	s.CacheSize, s.CacheOctets = r.cache.order.Len(), r.cache.octets
	return s
}

func (s *server) stats(now time.Time) ServerStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := ServerStats{
		Addr: s.addr, Queries: s.queries, Timeouts: s.timeouts, Failures: s.failures,
		State: Up, LastError: s.last,
	}
	switch {
	case s.queries == 0:
		t.State = NotAsked
	case now.Before(s.until):
		t.State = Down
	}
	if s.last != "" {
		at := s.lastAt
		t.LastErrorAt = &at
	}
	return t
}
