package dnscheck

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// trust is what is thought of a list.
type trust uint8

const (
	trusted    trust = iota
	refusing         // it does not serve us
	distrusted       // it lists what no list may have, or is none
)

// ListStats is how one DNS list fares.
type ListStats struct {
	Zone    string `json:"zone"`
	Asked   int64  `json:"asked"`   // answers that came, none included
	Listed  int64  `json:"listed"`  // of those: listings
	Refused int64  `json:"refused"` // of those: that it does not serve us
	// State is "trusted", "refusing" or "distrusted" since then.
	State string     `json:"state"`
	Since *time.Time `json:"since,omitempty"`
}

// reputations are those of the lists that policies ask, of which there are few.
type reputations struct {
	log *slog.Logger // nil: nobody is told
	mu  sync.Mutex
	all map[string]*reputation
}

type reputation struct {
	asked, listed, refused int64
	state                  trust
	since                  time.Time
}

// String is a list for eyes.
func (l ListStats) String() string {
	text := l.Zone + ": " + l.State
	if l.Since != nil {
		text += " since " + l.Since.Format(time.DateTime)
	}
	return text + fmt.Sprintf(", %d asked, %d listed, %d refused", l.Asked, l.Listed, l.Refused)
}

func (t trust) String() string { return [...]string{"trusted", "refusing", "distrusted"}[t] }

// note counts an answer, and tells once when what is thought of the list
// changes. A time of nil is for what is no answer.
func (l *reputations) note(zone string, said trust, answer []netip.Addr, now func() time.Time) {
	if now == nil {
		return
	}
	zone = strings.ToLower(strings.TrimSuffix(zone, "."))
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.all[zone]
	if one == nil {
		if l.all == nil {
			l.all = make(map[string]*reputation)
		}
		one = new(reputation)
		l.all[zone] = one
	}
	one.asked++
	switch {
	case said == distrusted:
	case len(answer) == 0:
		said = one.state // that somebody is not listed says nothing new
	case slices.ContainsFunc(answer, Refuses):
		one.refused++
		said = refusing
	default:
		one.listed++
	}
	if said == one.state {
		return
	}
	one.state, one.since = said, now()
	if l.log == nil {
		return
	}
	switch said {
	case trusted:
		l.log.Info("a DNS list is trusted again", "zone", zone)
	case refusing:
		l.log.Warn("a DNS list does not serve this resolver: what it says is no listing", "zone", zone, "answer", answer)
	case distrusted:
		l.log.Warn("a DNS list is not trusted: it lists what no list may have (RFC 5782 section 5)", "zone", zone)
	}
}

// stats are those of all lists, by zone.
func (l *reputations) stats() []ListStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]ListStats, 0, len(l.all))
	for zone, one := range l.all {
		s := ListStats{Zone: zone, Asked: one.asked, Listed: one.listed, Refused: one.refused, State: one.state.String()}
		if !one.since.IsZero() {
			at := one.since
			s.Since = &at
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b ListStats) int { return strings.Compare(a.Zone, b.Zone) })
	return all
}
