package simulate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// Ledgered is a store with all that it has.
type Ledgered interface {
	accounting.Checkpointer
	accounting.Store
	accounting.Ledger
}

// Backing is a real store, for the one gateway of a world, that may be set back
// while the gateway is down.
type Backing interface {
	// Open opens the store, with what it holds.
	Open(book *price.Book, now func() time.Time) (Ledgered, error)
	// Crash ends a store that is open with what of it is durable.
	Crash(store Ledgered) error
	// Copy keeps what it holds now; SetBack puts that back.
	Copy() error
	SetBack() error
}

// File is the embedded store in its files.
type File struct {
	Path string
	old  map[string][]byte
}

// Open opens the file, or makes it.
func (f *File) Open(book *price.Book, now func() time.Time) (Ledgered, error) {
	return embedded.Open(f.Path, embedded.Options{Now: now, SeenDays: 40, Book: book})
}

// Crash puts back what stood in the files before they were closed.
func (f *File) Crash(store Ledgered) error {
	was, err := f.content()
	return errors.Join(err, store.Close(), f.put(was))
}

// Copy reads the files: between two transactions they are whole.
func (f *File) Copy() (err error) {
	f.old, err = f.content()
	return err
}

// SetBack writes the files as they once were.
func (f *File) SetBack() error {
	if f.old == nil {
		return nil
	}
	return f.put(f.old)
}

// content is what stands in the database and in its files of records.
func (f *File) content() (map[string][]byte, error) {
	names, err := filepath.Glob(filepath.Join(embedded.RecordsDir(f.Path), "*"))
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	for _, name := range append(names, f.Path) {
		if content[name], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return content, nil
}

func (f *File) put(content map[string][]byte) error {
	if err := os.RemoveAll(embedded.RecordsDir(f.Path)); err != nil {
		return err
	}
	if err := os.Mkdir(embedded.RecordsDir(f.Path), 0o700); err != nil {
		return err
	}
	for name, text := range content {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// local is a world's real store.
type local struct {
	w     *World
	is    Backing
	store Ledgered
}

func (l *local) open(book *price.Book) (accounting.Checkpointer, error) {
	if err := l.crash(); err != nil {
		return nil, err
	}
	var err error
	l.store, err = l.is.Open(book, l.w.now)
	return l.store, err
}

func (l *local) close() error {
	if l == nil || l.store == nil {
		return nil
	}
	err := l.store.Close()
	l.store = nil
	return err
}

// crash ends the store where its gateway went down.
func (l *local) crash() error {
	if l.store == nil {
		return nil
	}
	store := l.store
	l.store = nil
	return l.is.Crash(store)
}

func (l *local) copy() {
	if err := l.is.Copy(); err != nil {
		panic(err)
	}
}

// setBack puts the store back; its gateway is down.
func (l *local) setBack() {
	if err := errors.Join(l.crash(), l.is.SetBack()); err != nil {
		panic(err)
	}
}

// account is what the store holds, in the terms of the model.
func (l *local) account() (account, error) {
	a := newAccount()
	ctx := context.Background()
	clients, err := l.store.Clients(ctx)
	if err != nil {
		return a, err
	}
	for _, c := range clients {
		periods, err := l.store.Periods(ctx, c)
		if err != nil {
			return a, err
		}
		for _, p := range periods {
			if err := l.store.RecordsOf(ctx, c, p, func(r accounting.Record) error { return a.record(l.w, fieldsOf(&r)) }); err != nil {
				return a, err
			}
			n, err := l.store.CounterOf(ctx, c, p)
			if err != nil {
				return a, err
			}
			a.counted[c] += n.Charged
			a.count(c, n.Included, n.Cost, n.Frac)
		}
		b, err := l.store.Account(ctx, c)
		if err != nil {
			return a, err
		}
		a.balance[c] = b.Balance
	}
	return a, l.store.Parked(ctx, func(r accounting.Record, _ string) error {
		a.parked[r.ID]++
		return nil
	})
}

// fieldsOf are a record's fields as a stream's entry has them.
func fieldsOf(r *accounting.Record) map[string]string {
	f := map[string]string{}
	list := r.AppendFields(nil)
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		f[name] = wire([]any{list[i+1]})[0]
	}
	return f
}

// tariffs are what clients of a world are under: by their number, none for the
// first.
func tariffs() []*price.Tariff {
	var list []*price.Tariff
	for _, t := range []price.Terms{
		{Name: "bytes", PerMiB: 7_777_777, Increment: 1},
		{Name: "copies", PerMiB: 1_500_001, PerDelivery: 33, Increment: 1000, Included: 60_000, IncludedDeliveries: 4,
			Bands: []price.Band{{When: "Mo-Su 10:00-11:00", Percent: 33}}},
		{Name: "copies", PerMiB: 1_500_003, PerDelivery: 33, Increment: 7, Included: 60_000},
	} {
		t.Currency, t.Period, t.Timezone = "RUB", accounting.ByMonth, time.UTC.String()
		tariff, err := price.New(t)
		if err != nil {
			panic(err)
		}
		list = append(list, tariff)
	}
	return list
}
