package embedded

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/recordfile"
)

// What stands in a value of the bucket index: a chain of records.
const (
	tail  = iota // position of the last
	first        // position of the first
	held         // how many

	chainWidth
)

// keep stores the record itself and, with a key of seen, remembers where.
func (a *application) keep(r *accounting.Record, period string, seenKey *mark) error {
	r.Period = period
	day := accounting.Day(r.Falls(), a.s.o.Location)
	chain, err := a.chains.get(a.key(day, r.Client, period))
	if err != nil {
		return err
	}
	at, err := a.s.file.Append(chain.values[tail], r.AppendJSON)
	if err != nil {
		return err
	}
	segment, err := a.segments.get(octets(a.s.file.Start()))
	if err != nil {
		return err
	}
	if chain.values[first] == 0 {
		chain.values[first] = at
	}
	chain.values[tail] = at
	chain.change()
	chain.values[held]++
	segment.values[0]++
	segment.change()
	if seenKey != nil {
		a.seen.add(*seenKey, r.Kind, at)
	}
	return a.period(r.Client, period, r.Currency, day)
}

// note is a value of the bucket periods.
type note struct {
	currency    string // "": not known yet
	first, last string // days that its records fall on; "" where it is of layout 1
}

func parseNote(value []byte) note {
	currency, days, _ := strings.Cut(string(value), "\x00")
	n := note{currency: strings.TrimPrefix(currency, "-")}
	n.first, n.last, _ = strings.Cut(days, "\x00")
	return n
}

func (n note) String() string {
	s := cmp.Or(n.currency, "-") // no empty value: bbolt answers nil for one put in the same transaction
	if n.first != "" {
		s += "\x00" + n.first + "\x00" + n.last
	}
	return s
}

// period notes that the client has records in a period, on a day, and its
// currency once that is known.
func (a *application) period(client, period, currency, day string) error {
	key := a.key(client, period)
	if a.noted[string(key)] == currency+day {
		return nil
	}
	a.noted[string(key)] = currency + day
	was := a.periods.Get(key)
	n := parseNote(was)
	n.currency = cmp.Or(n.currency, currency)
	if n.first == "" {
		n.first, n.last = day, day
	}
	n.first, n.last = min(n.first, day), max(n.last, day)
	if value := n.String(); value != string(was) {
		return a.periods.Put(bytes.Clone(key), []byte(value))
	}
	return nil
}

// find reads the record that a void is about; place is what seen says of it.
func (a *application) find(void *accounting.Record, place []byte) (*accounting.Record, error) {
	at, ok := position(place)
	if !ok {
		return a.findOld(void, place)
	}
	lost := func(err error) (*accounting.Record, error) {
		return nil, fmt.Errorf("void record %q: %w: %w", void.ID, errLost, err)
	}
	is, err := a.s.file.Read(at)
	if errors.Is(err, recordfile.ErrDamaged) {
		return lost(err)
	}
	if err != nil {
		return nil, err
	}
	r, err := accounting.ParseRecord(is.Payload)
	if err == nil && r.ID != void.Voids {
		err = fmt.Errorf("%w: at %d there is another record", ErrDamaged, at)
	}
	if err != nil {
		return lost(err)
	}
	chain, err := a.chains.get(a.key(accounting.Day(r.Falls(), a.s.o.Location), r.Client, r.Period))
	if err != nil || chain.values[held] > 0 {
		return &r, err
	}
	// It stands under another day where the time zone was another then.
	if list, err := chainsOf(a.tx, r.Client, r.Period, note{}); err != nil || len(list) > 0 {
		return &r, err
	}
	return nil, fmt.Errorf("void record %q: %w", void.ID, errAway)
}

// findOld is find for a record of layout 1.
func (a *application) findOld(void *accounting.Record, place []byte) (*accounting.Record, error) {
	if len(place) > 9 {
		key := append(join(void.Client, ""), place...)
		raw := a.records.Get(key)
		if raw == nil {
			return nil, fmt.Errorf("void record %q: %w", void.ID, errAway)
		}
		return readOld(key, raw, len(void.Client)+1)
	}
	// It was applied by a release that did not say where it stands.
	prefix := join(void.Client, accounting.Month(void.Origin(), a.s.o.Location), "")
	c := a.records.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !bytes.Contains(v, []byte(void.QueueID)) {
			continue
		}
		if r, err := readOld(k, v, len(void.Client)+1); err != nil {
			return nil, err
		} else if r.ID == void.Voids {
			return r, nil
		}
	}
	return nil, fmt.Errorf("void record %q: %w", void.ID, errAway)
}

// readOld reads a record of layout 1 under its key, whose period begins at an
// offset.
func readOld(key, value []byte, at int) (*accounting.Record, error) {
	r, err := accounting.ParseRecord(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrDamaged, key, err)
	}
	period, _, _ := bytes.Cut(key[at:], []byte{0})
	r.Period = string(period)
	return &r, nil
}
