package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// takenCounts are a gateway's: records applied, and given up.
type takenCounts [2]int64

func readTaken(b *bolt.Bucket, gateway string) (c takenCounts, err error) {
	raw := b.Get([]byte(gateway))
	if raw == nil {
		return c, nil
	}
	if len(raw) != 16 {
		return c, fmt.Errorf("%w: what was taken of gateway %q", ErrDamaged, gateway)
	}
	return takenCounts{int64(binary.BigEndian.Uint64(raw)), int64(binary.BigEndian.Uint64(raw[8:]))}, nil
}

// took counts a record, in the transaction that keeps it.
func (a *application) took(gateway string, c takenCounts) {
	if a.taken == nil {
		a.taken = map[string]takenCounts{}
	}
	was := a.taken[gateway]
	a.taken[gateway] = takenCounts{was[0] + c[0], was[1] + c[1]}
}

// writeTaken adds them up.
func (a *application) writeTaken() error {
	b := a.tx.Bucket([]byte(takenName))
	for gateway, more := range a.taken {
		c, err := readTaken(b, gateway)
		if err != nil {
			return err
		}
		raw := binary.BigEndian.AppendUint64(nil, uint64(c[0]+more[0]))
		if err := b.Put([]byte(gateway), binary.BigEndian.AppendUint64(raw, uint64(c[1]+more[1]))); err != nil {
			return err
		}
	}
	a.taken = nil
	return nil
}

// Taken counts what became of the records of a gateway.
func (s *Store) Taken(ctx context.Context, gateway string) (accounting.Taken, error) {
	var t accounting.Taken
	err := s.view(func(tx *bolt.Tx) error {
		c, err := readTaken(tx.Bucket([]byte(takenName)), gateway)
		if err != nil {
			return err
		}
		t.Applied, t.Dropped = c[0], c[1]
		return each(ctx, tx.Bucket([]byte(parked)), nil, func(_, value []byte) error {
			if bytes.HasPrefix(value, []byte(decidedPrefix)) {
				return nil
			}
			var p parkedRecord
			if err := json.Unmarshal(value, &p); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			if p.Record.Gateway == gateway {
				t.Parked++
			}
			return nil
		})
	})
	return t, err
}

// WasDropped tells whether somebody gave a parked record up, or applied it.
func (s *Store) WasDropped(ctx context.Context, r accounting.Record) (was bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	err = s.view(func(tx *bolt.Tx) error {
		key := sha256.Sum256([]byte(r.ID))
		was = bytes.HasPrefix(tx.Bucket([]byte(parked)).Get(key[:]), []byte(decidedPrefix))
		return nil
	})
	return was, err
}

var _ accounting.Conserver = (*Store)(nil)
