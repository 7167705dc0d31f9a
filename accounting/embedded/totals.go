package embedded

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// What stands in a value of counters.
const (
	deliveries = iota
	size
	charged
	recipientCount // of the bucket use only, as are those that follow: how many are counted one by one
	priced         // this and what follows are of the tariff's period only
	included
	includedDeliveries
	cost // millionths
	frac // parts of a millionth that the cost is more
	fee  // millionths, as the next two
	paid
	adjusted
	closed // 1: nothing is counted here any more

	useWidth // how many a value of the bucket use has
)

// totals are the counters of one bucket that were asked for, with what is not
// written of them.
type totals struct {
	name    string
	bucket  *bolt.Bucket
	width   int // numbers in a value
	loaded  map[string]*counts
	changed []*counts
}

// counts is one set of counters.
type counts struct {
	of      *totals
	key     string
	values  []int64
	known   bool // it was there, or something was added
	changed bool
}

func newTotals(tx *bolt.Tx, bucket string, width int) *totals {
	t := &totals{name: bucket, width: width, loaded: map[string]*counts{}}
	t.in(tx)
	return t
}

// in has them read and written in another transaction.
func (t *totals) in(tx *bolt.Tx) { t.bucket = tx.Bucket([]byte(t.name)) }

func (t *totals) get(key []byte) (*counts, error) {
	if c, ok := t.loaded[string(key)]; ok {
		return c, nil
	}
	raw := t.bucket.Get(key)
	c := &counts{of: t, key: string(key), values: make([]int64, t.width), known: raw != nil}
	if raw != nil {
		if err := decodeTotals(raw, c.values); err != nil {
			return nil, fmt.Errorf("counter %q: %w", key, err)
		}
	}
	t.loaded[c.key] = c
	return c, nil
}

// change notes that a counter was changed.
func (c *counts) change() {
	c.known = true
	if !c.changed {
		c.changed = true
		c.of.changed = append(c.of.changed, c)
	}
}

func decodeTotals(raw []byte, values []int64) error {
	// Of an earlier release it may be shorter.
	if len(raw)%8 != 0 || len(raw) < 8*min(3, len(values)) || len(raw) > 8*len(values) {
		return fmt.Errorf("%w: %d bytes, want %d", ErrDamaged, len(raw), 8*len(values))
	}
	clear(values)
	for i := range len(raw) / 8 {
		values[i] = int64(binary.BigEndian.Uint64(raw[8*i:]))
	}
	return nil
}

// write puts what was changed.
func (t *totals) write() error {
	slices.SortFunc(t.changed, func(a, b *counts) int { return strings.Compare(a.key, b.key) })
	for _, c := range t.changed {
		raw := make([]byte, 0, 8*t.width)
		for _, v := range c.values {
			raw = binary.BigEndian.AppendUint64(raw, uint64(v))
		}
		if err := t.bucket.Put([]byte(c.key), raw); err != nil {
			return err
		}
		c.changed = false
	}
	clear(t.changed)
	t.changed = t.changed[:0]
	return nil
}

// room reports whether the record can be added within the limit.
func (c *counts) room(r *accounting.Record) bool {
	_, s, ch := r.Delta()
	return within(c.values[size], s) && within(c.values[charged], ch)
}

// within reports whether the sum stays within the limit; the parts do.
func within(a, b int64) bool {
	const limit = accounting.CounterLimit
	return b <= limit && b >= -limit && a+b <= limit && a+b >= -limit
}

func (c *counts) add(r *accounting.Record) {
	d, s, ch := r.Delta()
	c.values[deliveries] += d
	c.values[size] += s
	c.values[charged] += ch
	c.change()
}

// settle adds what a record cost; whole is what it adds to the cost.
func (c *counts) settle(s price.Settled, whole int64) {
	c.values[priced] += s.Priced
	c.values[included] += s.Included
	c.values[includedDeliveries] += s.IncludedDeliveries
	c.values[cost] += whole
	c.change()
}
