package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

// askedFor tells when it is asked for the gateways.
type askedFor struct {
	accounting.Ledger
	asked func()
}

func (a askedFor) Gateways(ctx context.Context) ([]accounting.Gateway, error) {
	list, err := a.Ledger.Gateways(ctx)
	a.asked()
	return list, err
}

// What a busy gateway has waiting for a moment keeps no client from another currency: it
// is brought to the store first, and refused is what the store does not take.
func TestSwitchOfABusyGateway(t *testing.T) {
	rub := storetest.Tariff(t, price.Terms{Name: "rub", PerMiB: 1 << 20, Currency: "RUB"}).Plan()
	usd := storetest.Tariff(t, price.Terms{Name: "usd", PerMiB: 1 << 20, Currency: "USD", Period: accounting.ByWeek}).Plan()
	for _, drains := range []bool{true, false} {
		d := closedDaemon(t)
		s, err := embedded.Open(filepath.Join(d.cfg.StateDir, "account.db"), embedded.Options{Book: price.NewBook()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if d.spool, err = spool.Open(filepath.Join(d.cfg.StateDir, "spool"), spool.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := d.spool.Append(t.Context(), []accounting.Record{storetest.Usage(1, "b", "b@example.org", time.Now().UTC(), 10, 10)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		over := make(chan error, 1)
		l := askedFor{s, func() { go func() { over <- d.spool.Drain(ctx, s) }() }}
		if !drains {
			l.asked = func() { cancel(); over <- nil } // nobody waits for what does not come
		}
		err = d.mayChange(ctx, l, SwitchRequest{ID: "a"}, price.Plans(nil).With(rub, time.Now(), time.Now()), usd)
		if drains && err != nil || !drains && (err == nil || !strings.Contains(err.Error(), "1 records that wait")) {
			t.Errorf("drained %v: %v", drains, err)
		}
		cancel()
		if err := errors.Join(<-over, d.spool.Close()); err != nil {
			t.Error(err)
		}
	}
}
