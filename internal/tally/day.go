package tally

import "time"

// In has days begin at midnight of this zone from now on. Where that is another
// date now, today begins anew.
func (t *Tally) In(loc *time.Location) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setDay(t.now(), loc)
}

// turnDay begins a new day where it is time, and tells the time.
func (t *Tally) turnDay() time.Time {
	now := t.now()
	if n := now.UnixNano(); n >= t.dayEnds.Load() || n < t.dayStarts.Load() {
		t.mu.Lock()
		t.setDay(now, t.loc)
		t.mu.Unlock()
	}
	return now
}

// setDay makes the day that now is of, in loc, today. A message that is counted
// at the same moment may be of either day. The caller holds mu.
func (t *Tally) setDay(now time.Time, loc *time.Location) {
	year, month, day := now.In(loc).Date()
	starts := time.Date(year, month, day, 0, 0, 0, 0, loc)
	date := now.In(loc).Format(time.DateOnly)
	if t.date != "" && t.date != date {
		t.eachCell(func(c *cell) { c.before.Store(c.total.Load()) })
		// From midnight on everything was counted, unless the clock was set back
		// or midnight is another zone's.
		t.since = now
		if t.loc == loc && starts.UnixNano() >= t.dayEnds.Load() {
			t.since = starts
		}
	}
	t.date, t.loc = date, loc
	t.dayStarts.Store(starts.UnixNano())
	t.dayEnds.Store(time.Date(year, month, day+1, 0, 0, 0, 0, loc).UnixNano())
}

// eachCell calls f for all cells. The caller holds mu.
func (t *Tally) eachCell(f func(*cell)) {
	for _, c := range t.fates {
		f(c)
	}
	for _, c := range []*cell{t.accepted, t.deferred, t.refused, t.beyond} {
		f(c)
	}
	for _, n := range t.named {
		f(&n.cell)
	}
}
