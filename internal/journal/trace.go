package journal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// TraceSwitch is what the trace journal gets; turned while running.
type TraceSwitch struct {
	Protocol bool         `json:"protocol"`  // the SMTP dialogue as the MTA tells it
	Rules    bool         `json:"rules"`     // each rule tried
	ClientIP netip.Prefix `json:"client_ip"` // zero: every client
	// Sender and Recipient narrow it to messages from or to somebody, as in a Query:
	// an address, "@domain", a part. What comes before MAIL, or RCPT, is of nobody.
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
}

// traced is what is traced: nil where nothing is.
type traced struct {
	file    *tracer // nil: nothing goes to the file
	watches []*Watch
}

// tracer is a switch made ready.
type tracer struct {
	TraceSwitch
	sender, recipient mailbox
}

func newTracer(s TraceSwitch) *tracer {
	s.ClientIP = s.ClientIP.Masked()
	return &tracer{s, newMailbox(s.Sender), newMailbox(s.Recipient)}
}

// of tells what is traced for a client, of whatever message.
func (t *tracer) of(client netip.Addr) (protocol, rules bool) {
	if t == nil || t.ClientIP.IsValid() && !t.ClientIP.Contains(client.Unmap()) {
		return false, false
	}
	return t.Protocol, t.Rules
}

// Events of the trace journal.
const (
	EventProtocol = "protocol"
	EventRules    = "rules"
)

// wants tells whether a line is among what is traced.
func (t *tracer) wants(e *Entry) bool {
	switch {
	case t == nil, e.Event == EventProtocol && !t.Protocol, e.Event == EventRules && !t.Rules:
		return false
	case t.ClientIP.IsValid() && !holds(t.ClientIP, e.ClientIP):
		return false
	case t.sender.given && (e.Direction == "" || !t.sender.is(e.Sender)): // without a direction there is no message yet
		return false
	}
	return !t.recipient.given || t.recipient.is(e.Recipient) || slices.ContainsFunc(e.Recipients, t.recipient.is)
}

// SetTrace turns tracing to the file on or off.
func (j *Journal) SetTrace(s TraceSwitch) {
	j.retrace(func(t *traced) {
		if t.file = nil; s.Protocol || s.Rules {
			t.file = newTracer(s)
		}
	})
}

// retrace changes what is traced.
func (j *Journal) retrace(change func(*traced)) {
	j.tracing.Lock()
	defer j.tracing.Unlock()
	next := new(traced)
	if now := j.traced.Load(); now != nil {
		next.file, next.watches = now.file, slices.Clone(now.watches)
	}
	change(next)
	if next.file == nil && len(next.watches) == 0 {
		next = nil
	}
	j.traced.Store(next)
}

// Tracing is what the file gets.
func (j *Journal) Tracing() TraceSwitch {
	if t := j.traced.Load(); t != nil && t.file != nil {
		return t.file.TraceSwitch
	}
	return TraceSwitch{}
}

// Traced tells what is traced for a client: one atomic load while tracing is off. Of
// what is narrowed to a sender or recipient it may say more than is kept of it.
func (j *Journal) Traced(client netip.Addr) (protocol, rules bool) {
	t := j.traced.Load()
	if t == nil {
		return false, false
	}
	protocol, rules = t.file.of(client)
	for _, w := range t.watches {
		p, r := w.of(client)
		protocol, rules = protocol || p, rules || r
	}
	return protocol, rules
}

// watched gives lines of the trace to who watches, and returns those for the file.
func (j *Journal) watched(entries []*Entry) []*Entry {
	t := j.traced.Load()
	if t == nil {
		return entries // was turned off a moment ago
	}
	var kept []*Entry
	for _, e := range entries {
		for _, w := range t.watches {
			if w.wants(e) {
				w.add(e)
			}
		}
		if t.file.wants(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

const (
	mostWatches = 8       // at once
	watchRoom   = 1 << 20 // octets of lines that wait for who watches; further ones are dropped
	// watchIdle is how long nobody asks before a watch ends: who watched is gone.
	watchIdle = time.Minute
	// watchWait is how long a question waits for a first line.
	watchWait = 20 * time.Second
)

// ErrWatches: too many watch at once.
var ErrWatches = errors.New("journal: too many follow the trace already")

// ErrNoWatch: it has ended, since nobody asked for a while.
var ErrNoWatch = errors.New("journal: nobody follows the trace under this number any more")

// Watch is somebody who follows the trace as it happens. It never holds up a session:
// what there is no room for is counted.
type Watch struct {
	tracer
	ID string

	mu      sync.Mutex
	lines   []json.RawMessage
	octets  int
	dropped int64
	more    chan struct{}
	idle    *time.Timer
}

// Watched is what came since it was asked before.
type Watched struct {
	ID      string            `json:"id"`
	Lines   []json.RawMessage `json:"lines"`   // of the trace journal
	Dropped int64             `json:"dropped"` // lines for which there was no room
}

// Watch begins to follow what the switch says.
func (j *Journal) Watch(s TraceSwitch) (string, error) {
	w := &Watch{tracer: *newTracer(s), ID: rand.Text(), more: make(chan struct{}, 1)}
	w.idle = time.AfterFunc(watchIdle, func() { j.Unwatch(w.ID) })
	full := false
	j.retrace(func(t *traced) {
		if full = len(t.watches) >= mostWatches; !full {
			t.watches = append(t.watches, w)
		}
	})
	if full {
		w.idle.Stop()
		return "", ErrWatches
	}
	return w.ID, nil
}

// Unwatch ends a watch.
func (j *Journal) Unwatch(id string) {
	j.retrace(func(t *traced) {
		t.watches = slices.DeleteFunc(t.watches, func(w *Watch) bool {
			if w.ID != id {
				return false
			}
			w.idle.Stop()
			return true
		})
	})
}

// Watched waits for lines, some seconds at most.
func (j *Journal) Watched(ctx context.Context, id string) (Watched, error) {
	var w *Watch
	if t := j.traced.Load(); t != nil {
		if i := slices.IndexFunc(t.watches, func(w *Watch) bool { return w.ID == id }); i >= 0 {
			w = t.watches[i]
		}
	}
	if w == nil {
		return Watched{}, ErrNoWatch
	}
	w.idle.Reset(watchIdle)
	ctx, cancel := context.WithTimeout(ctx, watchWait)
	defer cancel()
	select {
	case <-w.more:
	case <-ctx.Done():
	}
	return w.take(), nil
}

func (w *Watch) take() Watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := Watched{ID: w.ID, Lines: w.lines, Dropped: w.dropped}
	if got.Lines == nil {
		got.Lines = []json.RawMessage{}
	}
	w.lines, w.octets, w.dropped = nil, 0, 0
	return got
}

// add keeps a line, where there is room.
func (w *Watch) add(e *Entry) {
	line := appendTrace(nil, e)
	w.mu.Lock()
	if w.octets+len(line) > watchRoom {
		w.dropped++
	} else {
		w.lines, w.octets = append(w.lines, line), w.octets+len(line)
	}
	w.mu.Unlock()
	signal(w.more)
}
