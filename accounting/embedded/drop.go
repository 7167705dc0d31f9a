package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting/recordfile"
)

// dropAtOnce bounds what one transaction deletes.
const dropAtOnce = 5000

// DropRecords forgets the records of a client's closed period, and removes files of
// which no record is in the index any more. That the period was is noted.
func (s *Store) DropRecords(ctx context.Context, client, period string) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.update(func(tx *bolt.Tx) (err error) {
			if err := isClosed(tx, client, period); err != nil {
				return err
			}
			if more, err = dropOld(tx, client, period); err == nil && !more {
				more, err = s.dropChains(tx, client, period)
			}
			return err
		}); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removeEmpty()
}

// isClosed tells whether the period is closed, and notes that it was.
func isClosed(tx *bolt.Tx, client, period string) error {
	values := make([]int64, useWidth)
	if raw := tx.Bucket([]byte(use)).Get(join(period, client)); raw != nil {
		if err := decodeTotals(raw, values); err != nil {
			return err
		}
	}
	if values[closed] == 0 {
		return fmt.Errorf("%s, %s is not closed: its records stay", client, period)
	}
	if noted, key := tx.Bucket([]byte(periods)), join(client, period); noted.Get(key) == nil {
		return noted.Put(key, []byte(note{}.String()))
	}
	return nil
}

// dropOld deletes some records of layout 1; true when there may be more.
func dropOld(tx *bolt.Tx, client, period string) (bool, error) {
	prefix := join(client, period, "")
	c := tx.Bucket([]byte(records)).Cursor()
	for range dropAtOnce {
		k, _ := c.Seek(prefix)
		if !bytes.HasPrefix(k, prefix) {
			return false, nil
		}
		if err := c.Delete(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// dropChains takes some chains out of the index; true when there may be more.
func (s *Store) dropChains(tx *bolt.Tx, client, period string) (bool, error) {
	n := parseNote(tx.Bucket([]byte(periods)).Get(join(client, period)))
	if n.first == "" {
		return false, nil
	}
	list, err := chainsOf(tx, client, period, n)
	if err != nil {
		return false, err
	}
	left, dropped := newTotals(tx, segments, 1), int64(0)
	for _, c := range list {
		if dropped >= dropAtOnce {
			return true, left.write()
		}
		count, err := s.bySegment(c)
		if err != nil {
			return false, err
		}
		for segment, records := range count {
			has, err := left.get(octets(segment))
			if err != nil {
				return false, err
			}
			has.values[0] -= records
			has.change()
		}
		dropped += c.held
		if err := tx.Bucket([]byte(index)).Delete(join(c.day, client, period)); err != nil {
			return false, err
		}
	}
	return false, left.write()
}

// bySegment counts the records of a chain in each segment. What is damaged is not
// counted, and its segment stays.
func (s *Store) bySegment(c chain) (map[int64]int64, error) {
	if segment := s.file.Segment(c.tail); segment == s.file.Segment(c.first) {
		return map[int64]int64{segment: c.held}, nil
	}
	count := map[int64]int64{}
	r := s.file.Reader()
	err := walk(r, []int64{c.tail}, func(is recordfile.Record) error {
		count[s.file.Segment(is.Position)]++
		return nil
	})
	if errors.Is(err, recordfile.ErrDamaged) {
		s.o.Log.Error("records that are moved to an archive are damaged; their files stay", "error", err)
		err = nil
	}
	return count, errors.Join(err, r.Close())
}

// removeEmpty removes segments of which no record is in the index.
func (s *Store) removeEmpty() error {
	var empty []int64
	last := s.file.Last()
	if err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(segments)).ForEach(func(key, value []byte) error {
			segment, err := number(key)
			if err != nil {
				return err
			}
			left, err := number(value)
			if left == 0 && segment < last {
				empty = append(empty, segment)
			}
			return err
		})
	}); err != nil {
		return err
	}
	for _, segment := range empty {
		if err := s.file.Remove(segment); err != nil {
			return err
		}
	}
	return nil
}
