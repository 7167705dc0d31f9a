package embedded

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/tollgate-mail/tollgate/accounting"
)

// keep stores the record itself and, with a key of seen, remembers where.
func (a *application) keep(r *accounting.Record, period string, seenKey []byte) error {
	n, err := a.records.NextSequence()
	if err != nil {
		return err
	}
	r.Period = "" // the key says it
	rest := place(period, n)
	if seenKey != nil {
		if err := a.seen.Put(seenKey, rest); err != nil {
			return err
		}
	}
	if err := a.period(r.Client, period, r.Currency); err != nil {
		return err
	}
	return a.records.Put(append(join(r.Client, ""), rest...), r.AppendJSON(nil))
}

// period notes that the client has records in a period, and its currency once
// that is known.
func (a *application) period(client, period, currency string) error {
	key := join(client, period)
	was := a.periods.Get(key)
	if was != nil && (len(was) > 1 || currency == "") {
		return nil
	}
	// No empty value: bbolt answers nil for one put in the same transaction.
	return a.periods.Put(key, []byte(cmp.Or(currency, "-")))
}

// find reads the record that a void is about; place is what seen says of it.
func (a *application) find(void *accounting.Record, place []byte) (*accounting.Record, error) {
	if len(place) > 9 {
		key := append(join(void.Client, ""), place...)
		raw := a.records.Get(key)
		if raw == nil {
			return nil, fmt.Errorf("void record %q: %w", void.ID, errAway)
		}
		return readStored(key, raw, len(void.Client)+1)
	}
	// It was applied by a release that did not say where it stands.
	prefix := join(void.Client, accounting.Month(void.Origin(), a.s.o.Location), "")
	c := a.records.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !bytes.Contains(v, []byte(void.QueueID)) {
			continue
		}
		if r, err := readStored(k, v, len(void.Client)+1); err != nil {
			return nil, err
		} else if r.ID == void.Voids {
			return r, nil
		}
	}
	return nil, fmt.Errorf("void record %q: %w", void.ID, errAway)
}

// readStored reads a record under its key, whose period begins at an offset.
func readStored(key, value []byte, at int) (*accounting.Record, error) {
	r, err := accounting.ParseRecord(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrDamaged, key, err)
	}
	period, _, _ := bytes.Cut(key[at:], []byte{0})
	r.Period = string(period)
	return &r, nil
}
