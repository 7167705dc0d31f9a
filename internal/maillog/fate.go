package maillog

import (
	"slices"
	"time"
)

// Fate is what became of a message after its milters had accepted it.
type Fate uint8

// The fates.
const (
	Unknown   Fate = iota // the log does not say
	InQueue               // it was queued or put on hold: it is rightly charged
	NotQueued             // it was not: its client will send it again
	Thrown                // it was on hold, and deleted by hand
)

func (f Fate) String() string { return [...]string{"unknown", "queued", "not queued", "deleted"}[f] }

// Log is what was read, by queue id.
type Log struct {
	// Only are the queue ids that are asked for; nil: all.
	Only map[string]bool

	events      map[string][]Event
	First, Last time.Time // of what was read; zero when nothing was
}

// Add takes note of an event.
func (l *Log) Add(e Event) {
	if l.events == nil {
		l.events = map[string][]Event{}
	}
	if l.Only == nil || l.Only[e.QueueID] {
		l.events[e.QueueID] = append(l.events[e.QueueID], e)
	}
	if l.First.IsZero() || e.Time.Before(l.First) {
		l.First = e.Time
	}
	if e.Time.After(l.Last) {
		l.Last = e.Time
	}
}

// slack is how far the log's times, whole seconds and written by other
// processes, may stand before a message's end.
const slack = 2 * time.Second

// soon is how long after its end a message is queued, or is not: cleanup has
// nothing to wait for by then but the other milters and the disk.
const soon = 10 * time.Minute

// Fate of the message of a queue id whose end was at a time. Short queue ids
// come again: only what was logged from then on counts, and of deciding lines
// only those within minutes.
func (l *Log) Fate(queueID string, end time.Time) Fate {
	list := slices.Clone(l.events[queueID])
	slices.SortStableFunc(list, func(a, b Event) int { return a.Time.Compare(b.Time) })
	fate, held := Unknown, false
	// One that Postfix's own rules put on hold has no line that says that it was queued.
	// asked: there is one before its end; ours: the id is this message's still.
	asked, ours := false, false
	for i, e := range list {
		after := e.Time.Sub(end)
		if after < -slack {
			asked, ours = e.before(asked, ours, after)
			continue
		}
		switch e.Kind {
		case Asked:
			asked = asked || after <= slack
		case Begun:
			if after > soon {
				return fate // what has the id from here on is another message
			}
			ours = after <= slack
		case Queued, Held:
			if fate == Unknown && after <= soon {
				fate, held = InQueue, e.Kind == Held
			} else if e.Kind == Queued && fate == InQueue {
				held = false // it was let go
			}
		case Refused, Unwritten:
			if fate == Unknown && after <= soon && !begunAfter(list[i+1:], end) {
				fate = NotQueued
			}
		case Delivered, Requeued, Released:
			if fate == Unknown && (after <= soon || asked || ours) {
				fate = InQueue // whatever was delivered had been queued
			}
			held = false
			if e.Kind != Released && fate == InQueue {
				return fate // what has the id from here on is another message
			}
		case Deleted:
			if fate == InQueue && held || fate == Unknown && (asked || ours) {
				return Thrown // who was never taken up was on hold, and nobody has it
			}
			if fate == InQueue {
				return fate
			}
		}
	}
	if fate == Unknown && asked {
		return InQueue
	}
	return fate
}

// TakenUp tells whether the log has it that the queue manager has taken up a message that
// ended at a time: some of its recipients may have it since.
func (l *Log) TakenUp(queueID string, end time.Time) bool {
	return slices.ContainsFunc(l.events[queueID], func(e Event) bool {
		return (e.Kind == Queued || e.Kind == Delivered) && e.Time.Sub(end) >= -slack
	})
}

// before is what an event before a message's end says of it: what others end with has
// freed the id.
func (e *Event) before(asked, ours bool, after time.Duration) (bool, bool) {
	switch e.Kind {
	case Asked:
		asked = after > -begins
	case Begun:
		ours = after > -begins
	case Delivered, Deleted, Requeued, Refused, Unwritten:
		return false, false
	}
	return asked, ours
}

// begunAfter tells whether a message that had ended at a time got its queue id
// only later: what was said before with that id is of another.
func begunAfter(rest []Event, end time.Time) bool {
	return slices.ContainsFunc(rest, func(e Event) bool { return e.Kind == Begun && e.Time.Sub(end) <= slack })
}

// Vanished tells of a message that the log does not decide on whether it was
// never queued: the log has the line with which it got its queue id, goes on for
// minutes after its end, and has nothing more of it. Whoever asks must know that
// it is not in the queue either.
func (l *Log) Vanished(queueID string, end time.Time) bool {
	if l.Last.Sub(end) < soon {
		return false
	}
	begun := false
	for _, e := range l.events[queueID] {
		switch after := e.Time.Sub(end); {
		case e.Kind == Begun && after <= slack && after > -begins:
			begun = true
		case e.Kind != Begun && after >= -slack:
			return false
		}
	}
	return begun
}

// begins is how long before its end a message may have got its queue id: DATA
// may take long.
const begins = 6 * time.Hour
