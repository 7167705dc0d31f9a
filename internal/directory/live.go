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
	standings map[string]standing // of limited clients
	told      uint64              // how often it was told of one
	doubts    uint64              // how often all came into doubt
	changes   uint64
}

// standing is how an account stands, as far as is known.
type standing struct {
	accounting.Standing
	told uint64 // when it was last told of: a number of Live
	read uint64 // after which doubt it was read; 0: never
	// other is what was used in other periods and on other days: a record that came
	// late tells of one that is over, and lifts nothing.
	other []accounting.Standing
	at    uint64 // when it last changed: a number of Live
}

// of tells whether its period is of the kind that the client's tariff has.
func (s standing) of(c *accounting.Client) bool {
	kind := c.Period
	if kind == "" {
		kind = accounting.ByMonth
	}
	return accounting.KindOf(s.Period) == kind
}

// mostOther bounds what is known of other periods and days.
const mostOther = 4

// next is how an account stands after s was told of it.
func (was standing) next(s accounting.Standing, told uint64) standing {
	now := standing{s, told, was.read, nil, 0}
	if s.Zone == "" && s.Period == was.Period {
		now.Zone = was.Zone
	}
	for _, o := range append(was.other, was.Standing) {
		// Of each only what s says nothing of.
		if o.Period == s.Period {
			o.Period = ""
		}
		if o.Day == s.Day {
			o.Day = ""
		}
		if o.Period != "" || o.Day != "" {
			now.other = append(now.other, accounting.Standing{Client: o.Client, Period: o.Period, Zone: o.Zone, Used: o.Used, Day: o.Day, UsedDay: o.UsedDay})
		}
	}
	now.other = now.other[max(0, len(now.other)-mostOther):]
	return now
}

// NewLive knows of no clients yet: its Snapshot is nil.
func NewLive() *Live { return &Live{standings: map[string]standing{}, doubts: 1} }

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

// Unread is a question to a store: how the accounts of some limited clients
// stand. Read takes its answer.
type Unread struct {
	List         []accounting.Standing
	told, doubts uint64
}

// Unread are the limited clients whose accounts were not read since the last
// doubt, and where they count at a time.
func (l *Live) Unread(t time.Time) Unread {
	l.mu.RLock()
	defer l.mu.RUnlock()
	u := Unread{told: l.told, doubts: l.doubts}
	d := l.Snapshot()
	if d == nil {
		return u
	}
	for _, c := range d.clients {
		if c.Limited() && l.standings[c.ID].read < l.doubts {
			u.List = append(u.List, accounting.Standing{Client: c.ID, Period: c.PeriodAt(t), Day: c.DayAt(t)})
		}
	}
	return u
}

// Doubt says that changes of accounts may have been missed: all are to be read
// anew. Until then what is known stands.
func (l *Live) Doubt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubts++
}

// Doubts counts how often all came into doubt.
func (l *Live) Doubts() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.doubts
}

// Tell says how accounts stand. What is older than what is known changes
// nothing: replies and messages come over lines of their own.
func (l *Live) Tell(list []accounting.Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told++
	for _, s := range list {
		if !l.Limited(s.Client) {
			continue
		}
		was, ok := l.standings[s.Client]
		if ok && s.Before(was.Standing) {
			continue
		}
		if c := l.Snapshot().Client(s.Client); ok && was.of(c) && !(standing{Standing: s}).of(c) {
			// It came late, to a period of a tariff that is over.
			s.Period, s.Zone, s.Used = was.Period, was.Zone, was.Used
		}
		now := was.next(s, l.told)
		l.changes++
		now.at = l.changes
		l.standings[s.Client] = now
	}
}

// Read says how accounts stand in a store that was asked anew, whatever was
// known of them before it was asked: it may be another, or one that was set
// back. What it was told of since is newer where it says so.
func (l *Live) Read(asked Unread, list []accounting.Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.Snapshot()
	l.changes++
	for _, s := range list {
		if s.Err != nil {
			continue // what is known of it stands, and it is asked for again
		}
		now := standing{s, asked.told, asked.doubts, nil, l.changes}
		if was, ok := l.standings[s.Client]; ok && was.told > asked.told && s.Before(was.Standing) {
			now.Standing, now.told, now.other = was.Standing, was.told, was.other
		}
		l.standings[s.Client] = now
	}
	for id := range l.standings {
		if d == nil {
			break
		}
		if c := d.Client(id); c == nil || !c.Limited() {
			delete(l.standings, id)
		}
	}
}

// Restore says how accounts stood before a restart.
func (l *Live) Restore(list []accounting.Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range list {
		if _, ok := l.standings[s.Client]; !ok {
			l.standings[s.Client] = standing{Standing: s}
		}
	}
}

// Changes counts how often what Standings says has changed.
func (l *Live) Changes() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.changes
}

// Standings are those that are known.
func (l *Live) Standings() []accounting.Standing {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := make([]accounting.Standing, 0, len(l.standings))
	for _, s := range l.standings {
		list = append(list, s.Standing)
	}
	return list
}

// Since are those that have changed after Changes said a number, and what it says
// now.
func (l *Live) Since(changes uint64) ([]accounting.Standing, uint64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := []accounting.Standing{}
	for _, s := range l.standings {
		if s.at > changes || changes == 0 {
			list = append(list, s.Standing)
		}
	}
	return list, l.changes
}

// StandingBlocks are the reasons that how its account stands gives, for a client of
// whatever policy.
func (l *Live) StandingBlocks(c *accounting.Client, t time.Time) accounting.Block {
	if !c.Limited() {
		return 0
	}
	l.mu.RLock()
	s, known := l.standings[c.ID]
	l.mu.RUnlock()
	if !known {
		return 0
	}
	blocks := c.StandingBlocks(s.Standing, t)
	for _, o := range s.other {
		// Periods of another kind are those of a tariff that is over.
		if accounting.KindOf(o.Period) != accounting.KindOf(s.Period) {
			o.Period = ""
		}
		o.Balance = s.Balance
		blocks |= c.StandingBlocks(o, t)
	}
	return blocks
}

// Blocks are the reasons why a client may not receive at a time, as it is now
// and not as it was when its address was looked up.
func (l *Live) Blocks(c *accounting.Client, t time.Time) accounting.Block {
	if d := l.Snapshot(); d != nil {
		if now := d.Client(c.ID); now != nil {
			c = now
		}
	}
	return c.Blocks(t) | l.StandingBlocks(c, t)
}
