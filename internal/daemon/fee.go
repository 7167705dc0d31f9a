package daemon

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// feesEvery is how often it is looked whether a client owes the fee of a period
// that has begun.
const feesEvery = time.Minute

// chargeFees books the fee of each period, once for all gateways, also for
// clients without mail.
func (d *Daemon) chargeFees(ctx context.Context, ledger accounting.Ledger) {
	charged := map[string]string{} // client: the period that is done
	for {
		d.chargeDue(ctx, ledger, charged)
		if pause(ctx, feesEvery) != nil {
			return
		}
	}
}

func (d *Daemon) chargeDue(ctx context.Context, ledger accounting.Ledger, charged map[string]string) {
	clients := d.accounts.Live.Snapshot()
	if clients == nil {
		return
	}
	now, gateway := time.Now(), d.judge.Gate().Policy().Gateway
	for _, c := range clients.Clients() {
		t := d.accounts.Book.Find(c.TariffVersion)
		if t == nil || t.Fee == 0 {
			continue
		}
		if charged[c.ID] == t.PeriodOf(now) {
			continue
		}
		account, err := ledger.Account(ctx, c.ID)
		if err != nil {
			return // the store is away; the next round tries again
		}
		// A tariff that was changed holds from the next period on.
		if account.Tariff != "" && account.Tariff != t.Name {
			if t = d.accounts.Book.Named(account.Tariff); t == nil || t.Fee == 0 {
				continue
			}
		}
		period := t.PeriodOf(now)
		r := accounting.Record{
			ID: "fee/" + c.ID + "/" + period, Kind: accounting.Fee, Time: now.UTC().Truncate(time.Millisecond), Gateway: gateway,
			Client: c.ID, Tariff: t.Name, TariffVersion: t.Version(), Currency: t.Currency,
			Amount: strconv.FormatInt(t.Fee, 10), Period: period,
		}
		if _, err := ledger.Enter(ctx, r); err != nil {
			// A fee that was booked at another price stays as it was.
			if !errors.Is(err, accounting.ErrConflict) {
				return // the store is away; the next round tries again
			}
		}
		charged[c.ID] = period
	}
}
