package dnscheck

import (
	"container/list"
	"time"
)

// cache keeps the answers used last. Its owner locks it.
type cache struct {
	entries    map[question]*list.Element
	order      list.List // of *entry, the one used last first
	maxEntries int
	octets     int // of all answers and names
	maxOctets  int
}

type entry struct {
	q      question
	answer *answer
}

// entryOctets is about what an entry takes besides names and records.
const entryOctets = 256

func newCache(entries int) *cache {
	return &cache{
		entries:    make(map[question]*list.Element),
		maxEntries: entries,
		maxOctets:  entries * 512,
	}
}

func (e *entry) octets() int { return entryOctets + len(e.q.name) + e.answer.octets }

// get finds an answer that still holds.
func (c *cache) get(q question, now time.Time) *answer {
	el, ok := c.entries[q]
	if !ok {
		return nil
	}
	e := el.Value.(*entry)
	if !now.Before(e.answer.expires) {
		c.remove(el)
		return nil
	}
	c.order.MoveToFront(el)
	return e.answer
}

// put keeps an answer, and forgets as many others as are too many then.
func (c *cache) put(q question, a *answer) {
	if el, ok := c.entries[q]; ok {
		c.remove(el)
	}
	e := &entry{q, a}
	c.entries[q] = c.order.PushFront(e)
	c.octets += e.octets()
	for c.order.Len() > c.maxEntries || c.octets > c.maxOctets {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(el *list.Element) {
	e := c.order.Remove(el).(*entry)
	delete(c.entries, e.q)
	c.octets -= e.octets()
}
