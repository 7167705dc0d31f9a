// Package outcome knows of messages that were charged and of which Postfix's
// log has not said yet what became of them: whether they were queued after all,
// and, of those on hold, whether they were deleted by hand.
package outcome

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/maillog"
)

// Message is one that was charged.
type Message struct {
	QueueID string    `json:"queue_id"`
	Ref     string    `json:"ref"`
	Time    time.Time `json:"time"` // of its end
	Held    bool      `json:"held"` // the policy put it on hold
	// Asked: rules of Postfix wanted it on hold (header_checks(5)); no further line says
	// that it is.
	Asked bool `json:"asked,omitempty"`

	// Records are what it was charged; nil where they are to be looked for.
	Records []accounting.Record `json:"-"`
}

// Of is the message of its usage records. One without a queue id is in no log.
func Of(records []accounting.Record) (Message, bool) {
	if len(records) == 0 || records[0].Kind != accounting.Usage || records[0].QueueID == records[0].Ref {
		return Message{}, false
	}
	r := &records[0]
	return Message{QueueID: r.QueueID, Ref: r.Ref, Time: r.Time, Held: r.Verdict == "hold", Records: records}, true
}

func (m *Message) same(o *Message) bool { return m.QueueID == o.QueueID && m.Time.Equal(o.Time) }

// Decision is what is to be done about a message: it was charged, and is not
// owed.
type Decision struct {
	Message
	Fate maillog.Fate // maillog.NotQueued, maillog.Thrown
}

// Times of a log, which may be whole seconds and written by other processes, are
// not before a message's end by more than slack.
const slack = 2 * time.Second

// Soon is how long after its end a message is queued or refused, at most: later
// lines with its queue id are of another one, and one without any is unknown.
const Soon = 10 * time.Minute

// most bounds the messages that are waited for. More wait only while nobody
// reads the log; they are counted, and reconciling finds them.
const most = 200_000

// mostRecords bounds those whose records are kept beside them.
const mostRecords = 10_000

// mostAsked bounds the queue ids that are kept of messages that have not ended.
const mostAsked = 10_000

// begins is how long before its end a message may have got its queue id.
const begins = 6 * time.Hour

// Tracker is what is known. It is safe for use by many goroutines.
type Tracker struct {
	mu      sync.Mutex
	waiting map[string][]Message // by queue id: short ids come again
	held    map[string]Message   // that Postfix has on hold
	refused []refused            // not queued, as it seems
	asked   map[string]time.Time // by queue id: Postfix's rules want on hold what has not ended yet
	count   int                  // of waiting
	beyond  int64                // that there was no room for
	last    time.Time            // of the last line that was read
}

// refused is a message that the log seems to say was not queued.
type refused struct {
	Decision
	noted time.Time
}

// Settle is how long it is waited for a line that says that it was another
// message: a short queue id may come again within the second in which a message
// was refused. The line with which the new one began stands in the log before the
// new one ends, and so is read soon.
const Settle = 5 * time.Second

// NewTracker knows of nothing.
func NewTracker() *Tracker {
	return &Tracker{waiting: map[string][]Message{}, held: map[string]Message{}, asked: map[string]time.Time{}}
}

// Charged takes note of a message that was charged, before Postfix hears of it.
func (t *Tracker) Charged(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.charged(m)
}

func (t *Tracker) charged(m Message) {
	list := t.waiting[m.QueueID]
	if h, ok := t.held[m.QueueID]; ok && h.same(&m) {
		return // the log has said so
	}
	if slices.ContainsFunc(list, func(o Message) bool { return o.same(&m) }) {
		return
	}
	if t.count >= most {
		t.beyond++
		return
	}
	if t.count >= mostRecords {
		m.Records = nil
	}
	if at, ok := t.asked[m.QueueID]; ok {
		delete(t.asked, m.QueueID)
		m.Asked = m.Asked || m.Time.Sub(at) <= begins
	}
	t.waiting[m.QueueID] = append(list, m)
	t.count++
}

// Forget has a message waited for no more: it was decided about.
func (t *Tracker) Forget(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(m)
	t.refused = slices.DeleteFunc(t.refused, func(r refused) bool { return r.same(&m) })
	if h, ok := t.held[m.QueueID]; ok && h.same(&m) {
		delete(t.held, m.QueueID)
	}
}

func (t *Tracker) forget(m Message) {
	list := t.waiting[m.QueueID]
	rest := slices.DeleteFunc(list, func(o Message) bool { return o.same(&m) })
	t.count -= len(list) - len(rest)
	if len(rest) == 0 {
		delete(t.waiting, m.QueueID)
		return
	}
	t.waiting[m.QueueID] = rest
}

// Event takes note of a line of the log, in the log's order, at a time. A
// decision may follow from it; others come from Due.
func (t *Tracker) Event(e maillog.Event, now time.Time) (Decision, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Time.After(t.last) {
		t.last = e.Time
	}
	switch e.Kind {
	case maillog.Begun:
		t.begun(e)
		return Decision{}, false
	case maillog.Asked:
		t.ask(e)
		return Decision{}, false
	}
	if m, ok := t.about(e); ok {
		switch e.Kind {
		case maillog.Refused, maillog.Unwritten:
			// Much later it is about another message, whose id came again.
			if e.Time.Sub(m.Time) > Soon {
				return Decision{}, false
			}
			t.forget(m)
			t.refused = append(t.refused, refused{Decision{m, maillog.NotQueued}, now})
		case maillog.Held:
			t.forget(m)
			m.Records = nil // it may be long on hold
			t.held[m.QueueID] = m
		case maillog.Deleted:
			// Deleted without a word that it was queued: reconciling decides.
			if m.Asked {
				t.forget(m)
				return Decision{m, maillog.Thrown}, true
			}
		default:
			t.forget(m)
		}
		return Decision{}, false
	}
	if e.Kind != maillog.Held && e.Kind != maillog.Queued {
		delete(t.asked, e.QueueID) // of a message that was not charged, and has ended
	}
	m, ok := t.held[e.QueueID]
	if !ok || e.Time.Before(m.Time.Add(-slack)) {
		return Decision{}, false
	}
	switch e.Kind {
	case maillog.Deleted:
		delete(t.held, e.QueueID)
		return Decision{m, maillog.Thrown}, true
	case maillog.Queued, maillog.Delivered, maillog.Released, maillog.Requeued:
		delete(t.held, e.QueueID) // let go: it is owed, whatever becomes of it
	}
	return Decision{}, false
}

// Read takes note of when the last line was written that was read.
func (t *Tracker) Read(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.After(t.last) {
		t.last = at
	}
}

// begun: a message gets its queue id here. One that ended later than that is this
// one; what was said before with its id is of another.
func (t *Tracker) begun(e maillog.Event) {
	t.refused = slices.DeleteFunc(t.refused, func(r refused) bool {
		other := r.QueueID == e.QueueID && !r.Time.Before(e.Time.Add(-slack))
		if other {
			t.charged(r.Message)
		}
		return other
	})
}

// ask: Postfix's rules want a message on hold. The line stands in the log while the
// content still comes, mostly before the message was charged.
func (t *Tracker) ask(e maillog.Event) {
	if m, ok := t.about(e); ok {
		list := t.waiting[e.QueueID]
		i := slices.IndexFunc(list, func(o Message) bool { return o.same(&m) })
		list[i].Asked = true
		return
	}
	if len(t.asked) >= mostAsked {
		maps.DeleteFunc(t.asked, func(_ string, at time.Time) bool { return e.Time.Sub(at) > begins })
	}
	if len(t.asked) < mostAsked { // beyond it reconciling decides
		t.asked[e.QueueID] = e.Time
	}
}

// Due are the decisions about messages that were not queued, when nothing has
// spoken against them for Settle.
func (t *Tracker) Due(now time.Time) []Decision {
	t.mu.Lock()
	defer t.mu.Unlock()
	var due []Decision
	t.refused = slices.DeleteFunc(t.refused, func(r refused) bool {
		settled := now.Sub(r.noted) >= Settle
		if settled {
			due = append(due, r.Decision)
		}
		return settled
	})
	return due
}

// about is the message that a line is about: of those with its queue id that had
// ended by then the first, as the log says of each in its order.
func (t *Tracker) about(e maillog.Event) (found Message, ok bool) {
	for _, m := range t.waiting[e.QueueID] {
		if !e.Time.Before(m.Time.Add(-slack)) && (!ok || m.Time.Before(found.Time)) {
			found, ok = m, true
		}
	}
	return found, ok
}

// Undecided are the messages of which the log does not say whether they were
// queued, the oldest first, and those that are on hold.
func (t *Tracker) Undecided() []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Message
	for _, waiting := range t.waiting {
		list = append(list, waiting...)
	}
	for _, r := range t.refused {
		list = append(list, r.Message)
	}
	for _, m := range t.held {
		m.Held = true
		list = append(list, m)
	}
	sortMessages(list)
	return list
}

// Reconciled has what there was no room for counted no more: somebody has looked
// through all of it.
func (t *Tracker) Reconciled() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.beyond = 0
}
