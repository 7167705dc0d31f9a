package price

import (
	"errors"
	"fmt"
	"time"
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
