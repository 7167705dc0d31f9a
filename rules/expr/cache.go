package expr

import (
	"regexp"
	"sync"
)

// Cache has the expressions that are compiled, up to a bound: those that mail
// makes run are few, and all of a large policy would take gigabytes. It is safe
// for use by many goroutines.
type Cache struct {
	most int // instructions of all programs together

	mu   sync.Mutex
	ring []*Pattern // that are compiled
	hand int
	held int
}

// DefaultCache is room for some thousands of ordinary expressions, or about
// 64 MiB.
const DefaultCache = 1 << 19

// NewCache holds programs of so many instructions together, and at least one.
func NewCache(instructions int) *Cache { return &Cache{most: instructions} }

// compile returns the compiled expression and keeps it while there is room. What
// was not used since the last look goes first (CLOCK).
func (c *Cache) compile(p *Pattern) *regexp.Regexp {
	re, err := regexp.Compile("(?i)" + p.source)
	if err != nil {
		// Parse has taken it: package regexp says more only of a program too
		// large, which the parser refuses as well.
		panic("expr: " + p.source + " parses and does not compile: " + err.Error())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if other := p.compiled.Load(); other != nil {
		return other
	}
	for c.held+int(p.size) > c.most && len(c.ring) > 0 {
		c.evict()
	}
	c.held += int(p.size)
	c.ring = append(c.ring, p)
	p.used.Store(true)
	p.compiled.Store(re)
	return re
}

func (c *Cache) evict() {
	for {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		p := c.ring[c.hand]
		if p.used.Swap(false) {
			c.hand++
			continue
		}
		p.compiled.Store(nil)
		c.held -= int(p.size)
		last := len(c.ring) - 1
		c.ring[c.hand] = c.ring[last]
		c.ring[last] = nil
		c.ring = c.ring[:last]
		return
	}
}
