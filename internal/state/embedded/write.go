package embedded

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// run writes what has changed, until Close.
func (s *Store) run() {
	defer close(s.ended)
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	wake := s.wake
	var told string
	for {
		select {
		case <-s.end:
			return
		case <-wake:
		case <-tick.C:
		}
		text := ""
		wake = s.wake
		if err := s.write(); err != nil {
			text = err.Error()
			wake = nil // a disk that fails is tried once a tick, however much waits
		}
		if text != "" && text != told {
			s.o.Log.Error("the state cannot be written: what changes is kept in memory, as far as there is room", "error", text)
		}
		told = text
	}
}

// write writes what waits in one transaction, and sweeps some of the rest.
func (s *Store) write() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	if len(s.fresh) == 0 {
		s.mu.Unlock()
		return nil
	}
	s.going, s.fresh = s.fresh, map[string][]byte{}
	s.mu.Unlock()

	count, at := s.count, s.at
	err := s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(entries))
		// In order: bbolt splits a page at the end of the transaction
		// only, and moves for each key what stands behind it there.
		for _, k := range slices.Sorted(maps.Keys(s.going)) {
			if b.Get([]byte(k)) == nil {
				count++
			}
			if err := b.Put([]byte(k), s.going[k]); err != nil {
				return err
			}
		}
		gone, next, err := s.sweep(b, at, len(s.going), count)
		if err != nil {
			return err
		}
		count, at = count-gone, next
		return tx.Bucket([]byte(meta)).Put([]byte("count"), binary.BigEndian.AppendUint64(nil, uint64(max(count, 0))))
	})

	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
	if err != nil {
		// What changed meanwhile is newer.
		maps.Copy(s.going, s.fresh)
		s.fresh, s.going = s.going, nil
		return err
	}
	s.going, s.count, s.at = nil, count, at
	return nil
}

// sweep looks at the entries that follow at, some more than were written, and
// removes those that are over; and others, triplets that wait first, as far as
// there are more than the limit. The keys are hashes, or grow with a spammer's
// networks, so what is removed is nobody's in particular.
func (s *Store) sweep(b *bolt.Bucket, at []byte, written, count int) (gone int, next []byte, err error) {
	over := max(count-s.o.Limit, 0)
	now := s.o.Now()
	var old, idle, rest [][]byte
	c := b.Cursor()
	k, v := c.Seek(at) // nil: the first
	for n := min(256+4*written+4*over, count); n > 0; n-- {
		if k == nil { // round again
			if k, v = c.First(); k == nil {
				break
			}
		}
		key := bytes.Clone(k)
		switch {
		case expired(v, now):
			old = append(old, key)
		case over == 0:
		case isWaiting(k, v):
			idle = append(idle, key)
		default:
			rest = append(rest, key)
		}
		k, v = c.Next()
	}
	next = bytes.Clone(k)
	for _, list := range [][][]byte{idle, rest} {
		n := min(max(over-len(old), 0), len(list))
		old = append(old, list[:n]...)
	}
	for _, key := range old {
		if err := b.Delete(key); err != nil {
			return 0, nil, err
		}
	}
	return len(old), next, nil
}
