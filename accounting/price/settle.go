package price

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// ErrBalance: a balance is one number, and would be of another currency.
var ErrBalance = errors.New("settle it first")

// Relabels tells whether under want the balance (millionths) would be of another
// currency than it came to be in: that of the last tariff that had one. The error is
// an ErrBalance, with both. A balance that is 0, or never had a currency, is not.
func (p Plans) Relabels(want Plan, balance int64, now time.Time) error {
	was := p.CurrencyAt(now)
	if balance == 0 || was == "" || want.Currency == "" || was == want.Currency {
		return nil
	}
	return fmt.Errorf("its balance of %s %s would be one of %s: %w", FormatMoney(balance), was, want.Currency, ErrBalance)
}

// CurrencyAt is the currency of the last plan, up to a time, that has one; "" for none.
func (p Plans) CurrencyAt(t time.Time) string {
	was := ""
	for i, one := range p {
		if i > 0 && one.From > t.UnixMilli() {
			break
		}
		if one.Currency != "" {
			was = one.Currency
		}
	}
	return was
}

// Take tells whether money of a currency may change the balance, which is one number of
// one currency. An error wraps accounting.ErrCurrency and names both.
func (p Plans) Take(currency string, now time.Time) error {
	if is := p.CurrencyAt(now); is != "" && currency != "" && is != currency {
		return fmt.Errorf("%w: this is of %s, and the balance is one of %s by now: adjust the account by hand", accounting.ErrCurrency, currency, is)
	}
	return nil
}

// Of tells whether money of a currency may count in a period that has money of another
// one; "" is none yet.
func Of(currency, period, has string) error {
	if has != "" && currency != "" && has != currency {
		return fmt.Errorf("%w: this is of %s, and %s has %s: adjust the account by hand", accounting.ErrCurrency, currency, period, has)
	}
	return nil
}

// Room tells whether a client may come under want now: not where the period that it
// would be in then has money of another currency, from an earlier time under another
// tariff. An error wraps ErrCurrency of this package, or is the ledger's.
func Room(ctx context.Context, l accounting.Ledger, client string, want Plan, now time.Time) error {
	period := (Plans{want}).PeriodAt(now)
	c, err := l.CounterOf(ctx, client, period)
	if err != nil {
		return err
	}
	if c.Currency != "" && want.Currency != "" && c.Currency != want.Currency {
		return fmt.Errorf("%s has money of %s: %w", period, c.Currency, ErrCurrency)
	}
	return nil
}

// FirstCurrency is that of the first tariff that the client had, as far as that is kept;
// "" for none.
func (p Plans) FirstCurrency() string {
	for _, one := range p {
		if one.Currency != "" {
			return one.Currency
		}
	}
	return ""
}
