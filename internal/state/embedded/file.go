package embedded

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

const (
	entries = "state"
	meta    = "meta"
	layout  = "1"
)

// prepare makes the buckets.
func (s *Store) prepare(tx *bolt.Tx) error {
	if _, err := tx.CreateBucketIfNotExists([]byte(entries)); err != nil {
		return err
	}
	m, err := tx.CreateBucketIfNotExists([]byte(meta))
	if err != nil {
		return err
	}
	switch v := m.Get([]byte("version")); {
	case v == nil:
		return m.Put([]byte("version"), []byte(layout))
	case string(v) != layout:
		return fmt.Errorf("%w: of version %.20q", ErrDamaged, v)
	}
	s.count = 0
	if v := m.Get([]byte("count")); len(v) == 8 {
		s.count = int(binary.BigEndian.Uint64(v))
	}
	return nil
}

// load reads the entries that list does not have yet.
func load(tx *bolt.Tx, keys []string, list [][]byte) error {
	b := tx.Bucket([]byte(entries))
	for i, k := range keys {
		if list[i] == nil {
			// The octets are bbolt's, and gone after the transaction.
			list[i] = bytes.Clone(b.Get([]byte(k)))
		}
	}
	return nil
}
