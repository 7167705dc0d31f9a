package simulate

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// local is the embedded store of the one gateway of a world, in a real file that
// may be set back while its gateway is down.
type local struct {
	w     *World
	path  string
	store *embedded.Store
	old   []byte // the file as it once was
}

func (l *local) open(book *price.Book) (accounting.Checkpointer, error) {
	if err := l.close(); err != nil {
		return nil, err
	}
	var err error
	l.store, err = embedded.Open(l.path, embedded.Options{Now: l.w.now, SeenDays: 40, Book: book})
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

// copy keeps the file as it is now: between two transactions it is whole.
func (l *local) copy() {
	text, err := os.ReadFile(l.path)
	if err != nil {
		panic(err)
	}
	l.old = text
}

// setBack puts the file back; its gateway is down.
func (l *local) setBack() {
	if l.old == nil {
		return
	}
	if err := errors.Join(l.close(), os.WriteFile(l.path, l.old, 0o600)); err != nil {
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
