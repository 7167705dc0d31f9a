package assemble

import "sync/atomic"

// lease counts the policies that use something, and ends it with the last one.
type lease struct {
	users atomic.Int64
	end   func() // must not wait
}

func (l *lease) take() { l.users.Add(1) }

func (l *lease) giveBack() {
	if l.users.Add(-1) == 0 {
		l.end()
	}
}
