package embedded

import (
	"context"
	"errors"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// session is a run of batches. A batch and its mark are in one transaction: a file
// that is put back is put back with its mark.
type session struct {
	s     *Store
	mark  string // as last read or set
	given uint64 // groups that were given up before
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
	if err := s.view(func(tx *bolt.Tx) error {
		se.mark = string(tx.Bucket([]byte(meta)).Get(markKey()))
		return nil
	}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	se.given = s.given
	return se, nil
}

// Marks is the one mark of the file.
func (se *session) Marks() []accounting.Mark { return []accounting.Mark{{Text: se.mark}} }

// Put applies the batch and moves the mark, both or neither. Both are durable
// after Move or Check; a crash before that loses both.
func (se *session) Put(ctx context.Context, batch []accounting.Record, text string) error {
	told, err := se.put(ctx, batch, text)
	if err == nil {
		se.s.tell(told)
	}
	return err
}

func (se *session) put(ctx context.Context, batch []accounting.Record, text string) (told []accounting.Standing, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := se.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := se.begin(ctx); err != nil {
		return nil, err
	}
	if err := s.db.Do(func() (err error) {
		told, err = s.open.batch(batch)
		return err
	}); err != nil {
		return nil, s.givenUp(err)
	}
	s.open.mark, se.mark = text, text
	if s.open.full() {
		err = s.write()
	}
	return told, err
}

// begin has a group open, behind the mark that the session knows.
func (se *session) begin(ctx context.Context) error {
	if err := se.s.begin(ctx); err != nil {
		return err
	}
	if se.s.open.mark == se.mark {
		return nil
	}
	why := accounting.ErrMark
	if se.given != se.s.given {
		// Whoever had the group written has been told that it could not be.
		why = accounting.ErrNotKept
	}
	return errors.Join(why, se.s.write())
}

// Move moves the mark, and makes durable what was put. A mark that stands there
// already costs no transaction.
func (se *session) Move(ctx context.Context, text string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	se.s.mu.Lock()
	defer se.s.mu.Unlock()
	if err := se.begin(ctx); err != nil {
		return err
	}
	was := se.mark
	se.s.open.mark, se.mark = text, text
	err := se.s.write()
	if err != nil {
		se.mark = was // the other was never left
	}
	return err
}

// Check compares the mark, and makes durable what was put.
func (se *session) Check(ctx context.Context) error { return se.Move(ctx, se.mark) }

// Close ends the session.
func (se *session) Close() error { return nil }
