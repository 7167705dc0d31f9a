package embedded

import (
	"context"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// session is a run of batches. A batch and its mark are one transaction: a file
// that is put back is put back with its mark.
type session struct {
	s    *Store
	mark string // as last read or set
}

// markKey is where the mark stands in the bucket meta.
func markKey() []byte { return []byte("mark") }

// Session reads the mark. Nobody else has the database open, but several
// sessions may be: the one whose mark was moved by another fails.
func (s *Store) Session(ctx context.Context) (accounting.Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	se := &session{s: s}
	return se, s.view(func(tx *bolt.Tx) error {
		se.mark = string(tx.Bucket([]byte(meta)).Get(markKey()))
		return nil
	})
}

// Marks is the one mark of the file.
func (se *session) Marks() []accounting.Mark { return []accounting.Mark{{Text: se.mark}} }

// Put applies the batch and moves the mark, both or neither.
func (se *session) Put(ctx context.Context, batch []accounting.Record, text string) error {
	var told []accounting.Standing
	err := se.update(ctx, text, func(tx *bolt.Tx) (err error) {
		told, err = se.s.apply(ctx, tx, batch)
		return err
	})
	if err == nil {
		se.s.tell(told)
	}
	return err
}

// Move moves the mark. One that stands there already costs no transaction.
func (se *session) Move(ctx context.Context, text string) error {
	if text == se.mark {
		return se.Check(ctx)
	}
	return se.update(ctx, text, func(*bolt.Tx) error { return nil })
}

func (se *session) update(ctx context.Context, text string, fn func(*bolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := se.s.update(func(tx *bolt.Tx) error {
		m := tx.Bucket([]byte(meta))
		if string(m.Get(markKey())) != se.mark {
			return accounting.ErrMark
		}
		if err := fn(tx); err != nil {
			return err
		}
		return m.Put(markKey(), []byte(text))
	})
	if err == nil {
		se.mark = text
	}
	return err
}

// Check compares the mark.
func (se *session) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return se.s.view(func(tx *bolt.Tx) error {
		if string(tx.Bucket([]byte(meta)).Get(markKey())) != se.mark {
			return accounting.ErrMark
		}
		return nil
	})
}

// Close ends the session.
func (se *session) Close() error { return nil }
