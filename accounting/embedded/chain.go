package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/recordfile"
)

// chain is the records of a client and period that fall on one day.
type chain struct {
	day               string
	tail, first, held int64
}

// chainsOf are the chains of a client and period on the days of a note, in order;
// of all days where the note has none.
func chainsOf(tx *bolt.Tx, client, period string, n note) ([]chain, error) {
	var list []chain
	c := tx.Bucket([]byte(index)).Cursor()
	for k, _ := c.Seek([]byte(n.first)); k != nil; {
		day, _, _ := strings.Cut(string(k), "\x00")
		if n.last != "" && day > n.last {
			break
		}
		want := join(day, client, period)
		if k, v := c.Seek(want); string(k) == string(want) {
			var values [chainWidth]int64
			if err := decodeTotals(v, values[:]); err != nil {
				return nil, fmt.Errorf("index %q: %w", k, err)
			}
			list = append(list, chain{day, values[tail], values[first], values[held]})
		}
		k, _ = c.Seek([]byte(day + "\x01"))
	}
	return list, nil
}

// walk goes through the records of several chains, the last one first: heads are
// the last of each, and are moved along.
func walk(r *recordfile.Reader, heads []int64, fn func(recordfile.Record) error) error {
	for {
		at := 0
		for i := range heads {
			if heads[i] > heads[at] {
				at = i
			}
		}
		if len(heads) == 0 || heads[at] == 0 {
			return nil
		}
		is, err := r.Read(heads[at])
		if err != nil {
			return err
		}
		if is.Prev >= heads[at] {
			return fmt.Errorf("record at %d: %w", heads[at], recordfile.ErrDamaged)
		}
		heads[at] = is.Prev
		if err := fn(is); err != nil {
			return err
		}
	}
}

// pieceSize is how many records are in memory at once.
const pieceSize = 4096

var errPiece = errors.New("a piece is whole")

// pieces cuts chains into pieces of so many records: the heads at the end of each,
// the last piece first. All records are seen to be there.
func pieces(r *recordfile.Reader, chains []chain) ([][]int64, error) {
	heads := make([]int64, len(chains))
	var total int64
	for i, c := range chains {
		heads[i] = c.tail
		total += c.held
	}
	list := [][]int64{slices.Clone(heads)}
	if total <= pieceSize {
		return list, nil
	}
	n := 0
	return list, walk(r, heads, func(recordfile.Record) error {
		if n++; n%pieceSize == 0 {
			list = append(list, slices.Clone(heads))
		}
		return nil
	})
}

// reading is a read of chains of one client and period.
type reading struct {
	r              *recordfile.Reader
	chains         []chain
	client, period string
	fn             func(accounting.Record) error

	done int64 // records that fn was called with
	last int64 // position of the last of them
}

// chained calls fn with the records of chains of a client and period, in order of
// application.
func (s *Store) chained(ctx context.Context, chains []chain, client, period string, fn func(accounting.Record) error) (err error) {
	if len(chains) == 0 {
		return nil
	}
	rd := &reading{r: s.file.Reader(), chains: chains, client: client, period: period, fn: fn}
	defer func() { err = errors.Join(err, rd.r.Close()) }()
	list, err := pieces(rd.r, chains)
	for i := len(list) - 1; i >= 0 && err == nil; i-- {
		if err = ctx.Err(); err == nil {
			err = rd.piece(list[i])
		}
	}
	if errors.Is(err, recordfile.ErrDamaged) {
		return rd.rest(s.o.Location, err)
	}
	return err
}

// piece calls fn with the records before heads, up to so many.
func (rd *reading) piece(heads []int64) error {
	var list []accounting.Record
	last := int64(0)
	err := walk(rd.r, heads, func(is recordfile.Record) error {
		record, err := rd.parse(is)
		if err != nil {
			return err
		}
		last = max(last, is.Position)
		if list = append(list, record); len(list) == pieceSize {
			return errPiece
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPiece) {
		return err
	}
	slices.Reverse(list)
	for _, record := range list {
		if err := rd.fn(record); err != nil {
			return err
		}
	}
	rd.done, rd.last = rd.done+int64(len(list)), last
	return nil
}

// parse reads a record; one of another client or period does not belong where the
// chain led to.
func (rd *reading) parse(is recordfile.Record) (accounting.Record, error) {
	record, err := accounting.ParseRecord(is.Payload)
	switch {
	case err != nil:
		err = fmt.Errorf("record at %d: %w: %w", is.Position, recordfile.ErrDamaged, err)
	case record.Client != rd.client || record.Period != rd.period:
		err = fmt.Errorf("record at %d: %w: it is of %s, %s", is.Position, recordfile.ErrDamaged, record.Client, record.Period)
	}
	return record, err
}

// rest calls fn with what can be read behind damage: the chain is broken, so the
// files are searched. The error says how much is missing.
func (rd *reading) rest(loc *time.Location, damage error) error {
	var from, to, total int64
	days := map[string]bool{}
	for i, c := range rd.chains {
		if i == 0 || c.first < from {
			from = c.first
		}
		to = max(to, c.tail)
		total += c.held
		days[c.day] = true
	}
	err := rd.r.Scan(max(from, rd.last+1), to, func(is recordfile.Record) error {
		record, err := rd.parse(is)
		if err != nil || !days[accounting.Day(record.Falls(), loc)] {
			return nil
		}
		rd.done++
		return rd.fn(record)
	})
	if err != nil {
		return err
	}
	return unread{fmt.Errorf("%w: %d of %d records of %s, %s cannot be read: %w", ErrDamaged, total-rd.done, total, rd.client, rd.period, damage)}
}

// unread is an accounting.ErrUnread in words of its own.
type unread struct{ error }

func (u unread) Unwrap() error        { return u.error }
func (u unread) Is(target error) bool { return target == accounting.ErrUnread }
