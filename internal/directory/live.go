package directory

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Live is the clients as they are now: a snapshot that is replaced whole, and
// how their accounts stand. It is safe for use by many goroutines.
type Live struct {
	snapshot atomic.Pointer[Directory]

	mu        sync.RWMutex
	standings map[string]accounting.Standing // of limited clients
}

// NewLive knows of no clients yet: its Snapshot is nil.
func NewLive() *Live { return &Live{standings: map[string]accounting.Standing{}} }

// Replace puts other clients in place of those before.
func (l *Live) Replace(d *Directory) { l.snapshot.Store(d) }

// Snapshot is the clients now; nil while none are known.
func (l *Live) Snapshot() *Directory { return l.snapshot.Load() }

// Limited tells whether how its account stands matters for a client.
func (l *Live) Limited(id string) bool {
	d := l.Snapshot()
	if d == nil {
		return false
	}
	c := d.Client(id)
	return c != nil && c.Limited()
}

// Limits are the limited clients, and where their accounts count at a time.
func (l *Live) Limits(t time.Time) []accounting.Standing {
	d := l.Snapshot()
	if d == nil {
		return nil
	}
	var list []accounting.Standing
	for _, c := range d.clients {
		if c.Limited() {
			list = append(list, accounting.Standing{Client: c.ID, Period: c.PeriodAt(t), Day: c.DayAt(t)})
		}
	}
	return list
}

// Tell says how accounts stand. What is older than what is known changes
// nothing: replies and messages come over lines of their own.
func (l *Live) Tell(list []accounting.Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range list {
		if !l.Limited(s.Client) {
			continue
		}
		if was, ok := l.standings[s.Client]; !ok || !s.Before(was) {
			l.standings[s.Client] = s
		}
	}
}

// Read says how accounts stand in a store that was read anew, whatever was
// known of them: it may be another, or one that was set back.
func (l *Live) Read(list []accounting.Standing) {
	standings := make(map[string]accounting.Standing, len(list))
	for _, s := range list {
		standings[s.Client] = s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.standings = standings
}

// Standings are those that are known.
func (l *Live) Standings() []accounting.Standing {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := make([]accounting.Standing, 0, len(l.standings))
	for _, s := range l.standings {
		list = append(list, s)
	}
	return list
}

// Blocks are the reasons why a client may not receive at a time, as it is now
// and not as it was when its address was looked up.
func (l *Live) Blocks(c *accounting.Client, t time.Time) accounting.Block {
	if d := l.Snapshot(); d != nil {
		if now := d.Client(c.ID); now != nil {
			c = now
		}
	}
	b := c.Blocks(t)
	if !c.Limited() {
		return b
	}
	l.mu.RLock()
	s, known := l.standings[c.ID]
	l.mu.RUnlock()
	if known {
		b |= c.StandingBlocks(s, t)
	}
	return b
}
