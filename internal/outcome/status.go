package outcome

import (
	"slices"
	"strings"
	"time"
)

// Status is how many messages wait for what the log says.
type Status struct {
	Last    time.Time `json:"last"`    // the time of the last line that was read
	Waiting int       `json:"waiting"` // charged, and the log has not said yet that they were queued
	Unknown int64     `json:"unknown"` // of them those that ended long ago: to be reconciled
	Held    int       `json:"held"`    // on hold
	// UnknownIDs are the queue ids of the first three unknown, the oldest first.
	UnknownIDs []string `json:"unknown_ids,omitempty"`
}

// Status counts.
func (t *Tracker) Status(now time.Time) Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Status{Last: t.last, Waiting: t.count + len(t.refused), Unknown: t.beyond, Held: len(t.held)}
	var unknown []Message
	for _, list := range t.waiting {
		for _, m := range list {
			switch {
			case m.Asked:
				s.Held++
				s.Waiting--
			case now.Sub(m.Time) > Soon:
				s.Unknown++
				unknown = append(unknown, m)
			}
		}
	}
	sortMessages(unknown)
	for _, m := range unknown[:min(len(unknown), 3)] {
		s.UnknownIDs = append(s.UnknownIDs, m.QueueID)
	}
	return s
}

func sortMessages(list []Message) {
	slices.SortFunc(list, func(a, b Message) int {
		if n := a.Time.Compare(b.Time); n != 0 {
			return n
		}
		return strings.Compare(a.QueueID, b.QueueID)
	})
}
