package daemon

import (
	"context"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/fees"
)

// feesEvery is how often it is looked whether a client owes the fee of a period
// that has begun.
const feesEvery = time.Minute

// chargeFees books the fee of each period, once for all gateways, also for
// clients without mail.
func (d *Daemon) chargeFees(ctx context.Context, ledger accounting.Ledger) {
	charger := fees.Charger{
		Ledger: ledger, Clients: d.accounts.Live, Book: d.accounts.Book, Now: time.Now, Log: d.log,
		Gateway: func() string { return d.judge.Gate().Policy().Gateway },
	}
	said := ""
	for {
		err := charger.Round(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			d.log.Warn("not all fees are booked; the next round tries again", "error", err)
		}
		if pause(ctx, feesEvery) != nil {
			return
		}
	}
}
