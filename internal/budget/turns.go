package budget

import (
	"context"
	"io"
	"slices"
	"sync"
)

const (
	// cheap is what an input may cost, in charges, before it has to wait for a
	// place: a few milliseconds, and more than nearly all mail does.
	cheap = 256 << 10
	// slice is after how many charges a place goes to whoever waits for one.
	slice = 1 << 20
)

// Turns are places for work that outgrows what is common: so many inputs are
// worked on at once, however many there are, and by turns of the clients they came
// from, however many each has. What is cheap never waits. With fewer places than
// processors there is always one for what others wait for.
type Turns struct {
	mu     sync.Mutex
	free   int
	queues map[string][]chan struct{} // by client, of those that wait
	ring   []string                   // the clients in queues, in their order
}

// NewTurns makes so many places, at least one.
func NewTurns(places int) *Turns {
	return &Turns{free: max(places, 1), queues: make(map[string][]chan struct{})}
}

type turnsKey struct{}

type turnsOf struct {
	turns  *Turns
	client string
}

// In is a context in which budgets that Share take turns, for a client.
func (t *Turns) In(ctx context.Context, client string) context.Context {
	return context.WithValue(ctx, turnsKey{}, turnsOf{t, client})
}

// enter waits for a place, no longer than ctx lasts.
func (t *Turns) enter(ctx context.Context, client string) error {
	t.mu.Lock()
	if t.free > 0 { // nobody waits
		t.free--
		t.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	if len(t.queues[client]) == 0 {
		t.ring = append(t.ring, client)
	}
	t.queues[client] = append(t.queues[client], ready)
	t.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	if !t.withdraw(client, ready) {
		t.leave() // it was given meanwhile
	}
	return ctx.Err()
}

// withdraw takes a place in the queue back, if it still is there.
func (t *Turns) withdraw(client string, ready chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.queues[client], ready)
	if i < 0 {
		return false
	}
	if t.queues[client] = slices.Delete(t.queues[client], i, i+1); len(t.queues[client]) == 0 {
		delete(t.queues, client)
		t.ring = slices.DeleteFunc(t.ring, func(c string) bool { return c == client })
	}
	return true
}

// leave gives a place to the client whose turn it is.
func (t *Turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ring) == 0 {
		t.free++
		return
	}
	client := t.ring[0]
	t.ring = t.ring[1:]
	queue := t.queues[client]
	close(queue[0])
	if len(queue) == 1 {
		delete(t.queues, client)
		return
	}
	t.queues[client] = queue[1:]
	t.ring = append(t.ring, client)
}

func (t *Turns) wanted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ring) > 0
}

// share is what a budget has of the places.
type share struct {
	turnsOf
	held  bool
	spent int64 // charges
	since int64 // of them since the place was taken
}

// Share has the budget take turns with others, where ctx is in any Turns. The work
// is over when done is called; it may be called again.
func (b *Budget) Share(ctx context.Context) (done func()) {
	of, ok := ctx.Value(turnsKey{}).(turnsOf)
	if !ok || b == nil {
		return func() {}
	}
	b.share = &share{turnsOf: of}
	return b.share.leave
}

// Arriving is a reader of what may be long in coming: no place is kept
// meanwhile.
func (b *Budget) Arriving(r io.Reader) io.Reader {
	if b == nil || b.share == nil {
		return r
	}
	return arriving{b.share, r}
}

type arriving struct {
	share *share
	r     io.Reader
}

func (a arriving) Read(p []byte) (int, error) {
	a.share.leave()
	return a.r.Read(p)
}

// Len is that of what is read, where it has one: who reads makes room by it.
func (a arriving) Len() int {
	if known, ok := a.r.(interface{ Len() int }); ok {
		return known.Len()
	}
	return 1 << 30
}

func (s *share) leave() {
	if s.held {
		s.held = false
		s.turns.leave()
	}
}

// look is called every so many charges.
func (s *share) look(ctx context.Context, charges int64) error {
	s.spent += charges
	if s.spent < cheap {
		return nil
	}
	if s.since += charges; s.held && s.since >= slice && s.turns.wanted() {
		s.leave()
	}
	if s.held {
		return nil
	}
	s.since = 0
	if err := s.turns.enter(ctx, s.client); err != nil {
		return err
	}
	s.held = true
	return nil
}
