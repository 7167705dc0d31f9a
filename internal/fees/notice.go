package fees

import (
	"context"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// notice sees whose tariff is another than when it was looked at last or, after a
// start, than the store says. With a fee or without, with mail or without, the store
// is to be told before the period turns.
func (c *Charger) notice(ctx context.Context, clients []*accounting.Client) error {
	var ids []string
	var fresh []*accounting.Client
	for _, client := range clients {
		switch was, known := c.told[client.ID]; {
		case !known:
			ids, fresh = append(ids, client.ID), append(fresh, client)
		case was != client.TariffVersion:
			c.told[client.ID], c.news[client.ID] = client.TariffVersion, true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	accounts, err := c.Ledger.Accounts(ctx, ids)
	if err != nil {
		return err
	}
	for i, client := range fresh {
		a := accounts[i]
		if a.Err != nil {
			c.unreadable(client.ID, ofAccount, a.Err)
			continue // it is looked at again with the next round
		}
		delete(c.said, part{client.ID, ofAccount})
		c.told[client.ID] = client.TariffVersion
		is := price.Plan{Tariff: a.Tariff, Period: a.Period, Zone: a.Zone, Currency: a.Currency}
		// Of an account that was never under anything nothing can be pending: the first
		// tariff holds at once.
		if a.Zone != "" && (a.Pending || !is.Is(c.wanted(c.Book.Find(client.TariffVersion)))) {
			c.news[client.ID] = true
		}
	}
	return nil
}

// part is one of what the store has of a client.
type part struct{ client, of string }

const (
	ofAccount = "account"
	ofPlans   = "plans"
)

// unreadable says, once for each reason until it is gone, that a client's fees are not
// looked after.
func (c *Charger) unreadable(client, of string, err error) {
	if c.said == nil {
		c.said = map[part]string{}
	}
	text := err.Error()
	said := c.said[part{client, ofAccount}] == text || c.said[part{client, ofPlans}] == text
	if c.said[part{client, of}] = text; !said {
		c.Log.Error("a client's fees are not booked: what the store has of it cannot be read; once it is repaired, book as adjustments what is missing", "client", client, "error", err)
	}
}

// wanted is what a client of a tariff is to be under; of none it has months.
func (c *Charger) wanted(t *price.Tariff) price.Plan {
	if t != nil {
		return t.Plan()
	}
	loc := c.Location
	if loc == nil {
		loc = time.UTC
	}
	return price.Plan{Period: accounting.ByMonth, Zone: loc.String()}
}

// warn says of a client that gets another currency with its next period, and has a
// balance: the number stays. That is no error of anybody; but who does not settle it
// should know.
func (c *Charger) warn(ctx context.Context, client string, plans price.Plans, t *price.Tariff, now time.Time) error {
	if !c.news[client] || t == nil {
		return nil
	}
	account, err := c.Ledger.Account(ctx, client)
	if err != nil {
		return err
	}
	if err := plans.Relabels(t.Plan(), account.Balance, now); err != nil {
		c.Log.Warn("a client gets another currency with its next period", "client", client, "balance", price.FormatMoney(account.Balance), "to", t.Currency, "error", err)
	}
	return nil
}
