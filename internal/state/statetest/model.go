package statetest

import (
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/state"
)

// model answers from the whole history, which it reads anew each time.
type model struct {
	terms   state.Terms
	history []event
}

type event struct {
	at               time.Time
	network, triplet int
	answer           state.Reason
}

func (m *model) try(network, triplet int, at time.Time) state.Answer {
	a := m.judge(network, triplet, at)
	m.history = append(m.history, event{at, network, triplet, a.Reason})
	return a
}

func (m *model) judge(network, triplet int, at time.Time) state.Answer {
	if m.whitelisted(network, at) {
		return state.Answer{Pass: true, Reason: state.AutoWhitelisted}
	}
	// The last thing that counted for the triplet: it became new, or passed.
	var last *event
	for i, e := range m.history {
		if e.network == network && e.triplet == triplet && e.answer != state.Early && e.answer != state.AutoWhitelisted {
			last = &m.history[i]
		}
	}
	switch {
	case last == nil:
	case last.answer == state.New && at.Sub(last.at) < m.terms.Delay:
		return state.Answer{Wait: m.terms.Delay - at.Sub(last.at), Reason: state.Early}
	case last.answer == state.New && at.Sub(last.at) < m.terms.Window:
		return state.Answer{Pass: true, Reason: state.Retried}
	case last.answer != state.New && at.Sub(last.at) < m.terms.Life:
		return state.Answer{Pass: true, Reason: state.Known}
	}
	return state.Answer{Wait: m.terms.Delay, Reason: state.New}
}

func (m *model) whitelisted(network int, at time.Time) bool {
	if m.terms.AutoWhitelist == 0 {
		return false
	}
	var last time.Time
	passed := map[int]bool{}
	for _, e := range m.history {
		if e.network != network || e.answer == state.New || e.answer == state.Early {
			continue
		}
		if e.at.Sub(last) >= m.terms.Life {
			clear(passed)
		}
		if e.answer != state.AutoWhitelisted {
			passed[e.triplet] = true
		}
		last = e.at
	}
	return len(passed) >= m.terms.AutoWhitelist && at.Sub(last) < m.terms.Life
}

// steps in time, most of them beside something that happens then.
func steps(terms state.Terms) *rapid.Generator[time.Duration] {
	list := []time.Duration{0, ms, time.Minute}
	for _, d := range []time.Duration{terms.Delay, terms.Window, terms.Life} {
		list = append(list, d-ms, d, d+ms, d/2)
	}
	return rapid.SampledFrom(list)
}

// A store answers any sequence of tries as the model does.
func testAgainstModel(t *testing.T, o Open) {
	s := open(t, o)
	var runs atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		run := int(runs.Add(1))
		terms := Terms()
		terms.AutoWhitelist = rapid.IntRange(0, 3).Draw(r, "auto_whitelist")
		m := &model{terms: terms}
		at := Now
		for range rapid.IntRange(1, 40).Draw(r, "tries") {
			at = at.Add(steps(terms).Draw(r, "after"))
			// Networks of its own: rapid runs it often in the same store.
			network := 2*run + rapid.IntRange(0, 1).Draw(r, "network")
			triplet := rapid.IntRange(0, 4).Draw(r, "triplet")
			got, err := s.Try(t.Context(), Try(network, triplet, at, terms))
			if err != nil {
				r.Fatal(err)
			}
			if want := m.try(network, triplet, at); got != want {
				r.Fatalf("network %d, triplet %d at %v: %+v, want %+v", network, triplet, at, got, want)
			}
		}
	})
}
