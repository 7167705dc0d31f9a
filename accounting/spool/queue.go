package spool

import (
	"sync"
	"sync/atomic"

	"github.com/tollgate-mail/tollgate/accounting"
)

// waiter is one Append that waits for its frame to be durable.
type waiter struct {
	frame   []byte
	records int
	state   atomic.Uint32
	done    chan error // capacity 1
}

// A waiter is queued until the writer takes it or its caller drops it.
const (
	queued uint32 = iota
	taken
	dropped
)

// keepFrame bounds the buffers that are used again.
const keepFrame = 64 << 10

func (q *queue) newWaiter(records []accounting.Record) (*waiter, error) {
	w, ok := q.used.Get().(*waiter)
	if !ok {
		w = &waiter{done: make(chan error, 1)}
	}
	frame, err := appendFrame(w.frame[:0], records)
	if err != nil {
		return nil, err
	}
	w.frame, w.records = frame, len(records)
	w.state.Store(queued)
	return w, nil
}

func (w *waiter) take() bool { return w.state.CompareAndSwap(queued, taken) }
func (w *waiter) drop() bool { return w.state.CompareAndSwap(queued, dropped) }

// release keeps a waiter that was told its outcome for another Append.
func (q *queue) release(w *waiter) {
	if cap(w.frame) > keepFrame {
		w.frame = nil
	}
	q.used.Put(w)
}

// queue holds the waiters that no write has taken yet.
type queue struct {
	mu     sync.Mutex
	list   []*waiter
	closed bool
	wake   chan struct{} // capacity 1
	used   sync.Pool     // of *waiter: told their outcome
}

// push reports false when the queue is closed.
func (q *queue) push(w *waiter) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.list = append(q.list, w)
	q.mu.Unlock()
	signal(q.wake)
	return true
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	signal(q.wake)
}

// take fills batch with those that share the next write: at least one where
// there is one, and no more than limit bytes beyond it. It reports whether
// more can come.
func (q *queue) take(batch []*waiter, limit int) ([]*waiter, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for ; n < len(q.list) && size < limit; n++ {
		w := q.list[n]
		if !w.take() {
			continue
		}
		size += len(w.frame)
		batch = append(batch, w)
	}
	rest := copy(q.list, q.list[n:])
	clear(q.list[rest:])
	q.list = q.list[:rest]
	return batch, rest > 0 || !q.closed
}

// signal wakes who waits at a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
