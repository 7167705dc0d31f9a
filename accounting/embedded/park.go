package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// parkedRecord is a value of the bucket parked.
type parkedRecord struct {
	Reason string            `json:"reason"`
	Record accounting.Record `json:"record"`
}

// decidedRecord stands where a parked record stood that was applied or given
// up: the spool may bring it again, and a seen key as old as its record would
// not last.
type decidedRecord struct {
	Decided time.Time `json:"decided"`
}

// decidedLife is longer than a spool retains what it may bring again.
const decidedLife = 8 * 24 * time.Hour

// decidedPrefix is how the value of a decided record begins, and no other.
const decidedPrefix = `{"decided"`

// decided notes the decision, and forgets old ones.
func (a *application) decided(key []byte) error {
	var old [][]byte
	err := each(a.ctx, a.parked, nil, func(k, value []byte) error {
		var d decidedRecord
		if !bytes.HasPrefix(value, []byte(decidedPrefix)) {
			return nil
		}
		if err := json.Unmarshal(value, &d); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if a.now.Sub(d.Decided) > decidedLife {
			old = append(old, bytes.Clone(k))
		}
		return nil
	})
	for _, k := range old {
		err = errors.Join(err, a.parked.Delete(k))
	}
	if err != nil {
		return err
	}
	value, err := json.Marshal(decidedRecord{a.now.UTC()})
	if err != nil {
		return err
	}
	return a.parked.Put(key, value)
}

func (a *application) park(r *accounting.Record, reason error) error {
	key := sha256.Sum256([]byte(r.ID))
	if a.parked.Get(key[:]) != nil {
		return nil // it is parked, or was decided about
	}
	a.s.o.Log.Error("a usage record cannot be applied and is parked", "error", reason)
	value, err := json.Marshal(parkedRecord{reason.Error(), *r})
	if err != nil {
		return fmt.Errorf("parking %q: %w", r.ID, err)
	}
	return a.parked.Put(key[:], value)
}

// Parked calls fn with every record that could not be applied, and why.
func (s *Store) Parked(ctx context.Context, fn func(r accounting.Record, reason string) error) error {
	var list []parkedRecord
	if err := s.view(func(tx *bolt.Tx) error {
		return each(ctx, tx.Bucket([]byte(parked)), nil, func(_, value []byte) error {
			if bytes.HasPrefix(value, []byte(decidedPrefix)) {
				return nil
			}
			var p parkedRecord
			if err := json.Unmarshal(value, &p); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			list = append(list, p)
			return nil
		})
	}); err != nil {
		return err
	}
	for _, p := range list {
		if err := fn(p.Record, p.Reason); err != nil {
			return err
		}
	}
	return nil
}

// ParkedCount is how many records are parked.
func (s *Store) ParkedCount(ctx context.Context) (n int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err = s.view(func(tx *bolt.Tx) error {
		return each(ctx, tx.Bucket([]byte(parked)), nil, func(_, value []byte) error {
			if !bytes.HasPrefix(value, []byte(decidedPrefix)) {
				n++
			}
			return nil
		})
	})
	return n, err
}

// ApplyParked applies a parked record whatever its age.
func (s *Store) ApplyParked(ctx context.Context, id string) error {
	return s.decide(ctx, id, func(a *application, key []byte, p parkedRecord) error {
		if err := p.Record.Check(); err != nil {
			return fmt.Errorf("%w: %w", accounting.ErrUnfit, err)
		}
		if err := a.parked.Delete(key); err != nil {
			return err
		}
		a.anyAge = true
		if err := a.apply(&p.Record); err != nil {
			return err
		}
		if again := a.parked.Get(key); again != nil {
			var p parkedRecord
			if err := json.Unmarshal(again, &p); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			return fmt.Errorf("%w: %s", accounting.ErrUnfit, p.Reason)
		}
		if err := a.decided(key); err != nil {
			return err
		}
		told, err := a.standings()
		a.told = told
		return err
	})
}

// DropParked gives a parked record up.
func (s *Store) DropParked(ctx context.Context, id string) error {
	return s.decide(ctx, id, func(a *application, key []byte, p parkedRecord) error {
		a.took(p.Record.Gateway, takenCounts{0, 1})
		return a.decided(key)
	})
}

// decide finds a parked record for fn, in one transaction with what fn does.
func (s *Store) decide(ctx context.Context, id string, fn func(a *application, key []byte, p parkedRecord) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var told []accounting.Standing
	err := s.alone(ctx, func(a *application) error {
		key := sha256.Sum256([]byte(id))
		value := a.parked.Get(key[:])
		if value == nil || bytes.HasPrefix(value, []byte(decidedPrefix)) {
			return fmt.Errorf("%w: %q", accounting.ErrNotParked, id)
		}
		var p parkedRecord
		if err := json.Unmarshal(value, &p); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		err := fn(a, key[:], p)
		told = a.told
		return err
	})
	if err == nil {
		s.tell(told)
	}
	return err
}
