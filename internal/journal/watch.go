package journal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"
)

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
