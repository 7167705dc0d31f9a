// Package tally counts what became of messages: by verdict, by recipients'
// answers and by rule, since the start and today. The status of a daemon and the
// figures for Prometheus show the same numbers.
package tally

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

const (
	// MaxRules bounds how many rules have a number of their own, those of
	// policies that sessions under way still judge by included.
	MaxRules = 1000
	// Other is the rule of all hits beyond them, and the stage of an internal
	// fault that says none.
	Other = "_other"
)

// Tally is a gate.Counter. All its cells are made before mail is counted:
// counting allocates nothing.
type Tally struct {
	now  func() time.Time
	last atomic.Int64 // when a message ended, Unix time in ns; 0 for never

	fates                       map[fate]*cell
	accepted, deferred, refused *cell
	beyond                      *cell // hits of rules without a cell

	tables sync.Map // *rules.Policy to []*cell, by rules.Rule.Index

	// The day that counts as today, Unix time in ns: from midnight to midnight
	// of loc.
	dayStarts, dayEnds atomic.Int64

	mu    sync.Mutex
	loc   *time.Location
	date  string
	since time.Time // today is counted since
	named map[string]*named
}

// fate is the verdict on a message and where it fell.
type fate struct {
	verdict gate.Verdict
	stage   string
}

// named is a rule with a cell.
type named struct {
	cell cell
	uses int // policies that have the rule
}

// cell is one number.
type cell struct {
	total  atomic.Int64
	before atomic.Int64 // of it, on days before today
}

func (c *cell) count() Count {
	before := c.before.Load()
	return Count{Total: c.total.Load(), Today: max(c.total.Load()-before, 0)}
}

// New counts nothing yet; today is a day of UTC until In says otherwise. Now is
// the clock.
func New(now func() time.Time) *Tally {
	t := &Tally{
		now: now, fates: map[fate]*cell{}, named: map[string]*named{},
		accepted: &cell{}, deferred: &cell{}, refused: &cell{}, beyond: &cell{},
	}
	for _, v := range verdicts() {
		for _, s := range stages() {
			t.fates[fate{v, s}] = &cell{}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = now()
	t.setDay(t.since, time.UTC)
	return t
}

func verdicts() []gate.Verdict {
	return []gate.Verdict{gate.Accepted, gate.Rejected, gate.Deferred, gate.Discarded, gate.Held, gate.Aborted}
}

func stages() []string {
	var all []string
	for s := rules.Connect; s <= rules.Complete; s++ {
		all = append(all, s.String())
	}
	return append(all, Other)
}

// Count implements gate.Counter.
func (t *Tally) Count(f gate.Fate) {
	t.last.Store(t.turnDay().UnixNano())
	c, ok := t.fates[fate{f.Verdict, f.Stage}]
	if !ok { // an internal fault says where it was
		c = t.fates[fate{f.Verdict, Other}]
	}
	if c != nil {
		c.total.Add(1)
	}
	t.accepted.total.Add(int64(f.Accepted))
	t.deferred.total.Add(int64(f.Deferred))
	t.refused.total.Add(int64(f.Refused))
	if len(f.Hits) == 0 {
		return
	}
	v, ok := t.tables.Load(f.Policy)
	if !ok {
		t.byName(f)
		return
	}
	for _, h := range f.Hits {
		v.([]*cell)[h.Rule.Index].total.Add(1)
	}
}

// byName counts hits of a policy that was not taken: a candidate's that is in
// force for a part of the mail.
func (t *Tally) byName(f gate.Fate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range f.Hits {
		if n := t.named[h.Rule.Name]; n != nil {
			n.cell.total.Add(1)
		} else {
			t.beyond.total.Add(1)
		}
	}
}

// Take makes the cells of a policy's rules.
func (t *Tally) Take(p *rules.Policy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := p.Rules()
	table := make([]*cell, len(all))
	for _, r := range all {
		n := t.named[r.Name]
		switch {
		case n != nil:
		case r.Name == Other || len(t.named) >= MaxRules:
			table[r.Index] = t.beyond
			continue
		default:
			n = &named{}
			t.named[r.Name] = n
		}
		n.uses++
		table[r.Index] = &n.cell
	}
	t.tables.Store(p, table)
}

// Drop takes the cells away that only this policy had.
func (t *Tally) Drop(p *rules.Policy) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.tables.LoadAndDelete(p)
	if !ok {
		return
	}
	for _, r := range p.Rules() {
		if v.([]*cell)[r.Index] == t.beyond {
			continue
		}
		if n := t.named[r.Name]; n.uses > 1 {
			n.uses--
		} else {
			delete(t.named, r.Name)
		}
	}
}
