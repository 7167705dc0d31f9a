package price

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// Book has the terms of every version that a record may name. It is safe for
// use by many goroutines.
type Book struct {
	mu      sync.RWMutex
	version map[string]*Tariff
	order   []*Tariff // as they were added
}

// NewBook has these terms.
func NewBook(list ...*Tariff) *Book {
	b := &Book{version: map[string]*Tariff{}}
	b.Add(list...)
	return b
}

// Add adds what the book does not have yet. Of one name the last one added is
// the newest; one that was there before becomes it.
func (b *Book) Add(list ...*Tariff) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range list {
		if old := b.version[t.version]; old != nil {
			b.order = slices.DeleteFunc(b.order, func(o *Tariff) bool { return o == old })
		}
		b.version[t.version] = t
		b.order = append(b.order, t)
	}
}

// Learn adds terms that are not in force: those that a file or a store keeps.
func (b *Book) Learn(list ...*Tariff) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range list {
		if b.version[t.version] == nil {
			b.version[t.version] = t
			b.order = append([]*Tariff{t}, b.order...)
		}
	}
}

// Find finds a version; nil when the book does not have it.
func (b *Book) Find(version string) *Tariff {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.version[version]
}

// Newest is the newest version that is of a plan; nil for none.
func (b *Book) Newest(p Plan) *Tariff {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, t := range slices.Backward(b.order) {
		if t.Plan().Is(p) {
			return t
		}
	}
	return nil
}

// Named is the newest version of a tariff; nil for none.
func (b *Book) Named(name string) *Tariff {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, t := range slices.Backward(b.order) {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// All are all versions, in the order in which they were added.
func (b *Book) All() []*Tariff {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.order)
}

// Other tells whether some tariff's periods are other than the months of a time
// zone.
func (b *Book) Other(zone string) bool {
	return slices.ContainsFunc(b.All(), func(t *Tariff) bool { return t.Timezone != zone || t.Period != accounting.ByMonth })
}

// Encode is the book as a file: a line of canonical terms for each version.
func (b *Book) Encode() []byte {
	var out []byte
	for _, t := range b.All() {
		out = append(append(out, t.Canonical()...), '\n')
	}
	return out
}

// Decode reads a file into the book.
func (b *Book) Decode(text []byte) error {
	var list []*Tariff
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		t, err := ParseTerms([]byte(line))
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		list = append(list, t)
	}
	slices.Reverse(list)
	b.Learn(list...)
	return nil
}

// Under puts a client that was never under a tariff under one, at once: what is booked for
// it from then on counts in the tariff's periods. Nil changes nothing.
func Under(ctx context.Context, l accounting.Ledger, client string, t *Tariff, now time.Time) error {
	if t == nil {
		return nil
	}
	was, err := l.Plans(ctx, client)
	if err != nil || was != "" {
		return err
	}
	// Whoever was faster has said the same.
	_, err = l.SetPlans(ctx, client, "", Plans(nil).With(t.Plan(), now, now).String())
	return err
}

// Plan is what the tariff asks of a client's periods.
func (t *Tariff) Plan() Plan {
	return Plan{Tariff: t.Name, Period: t.Period, Zone: t.Timezone, Currency: t.Currency}
}
