package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// WriteCSV writes a statement with a header line, and a row for each of its lines. The
// amounts of all rows but the last, which is the closing balance, sum to that: what is
// owed is below zero. They are in units of the currency and exact, so that usage may
// have many decimals; less than a millionth is never owed and has a row of its own.
// Times are in loc.
func (s *Statement) WriteCSV(w io.Writer, d Dialect, loc *time.Location) error {
	if _, err := io.WriteString(w, d.Begin); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = d.Comma, true // RFC 4180 section 2.1
	if err := c.Write([]string{
		"client", "period", "line", "time", "id", "tariff", "tariff_version", "band", "payer", "late", "deliveries", "size", "charged", "priced",
		"included", "included_deliveries", "amount", "currency", "by", "note",
	}); err != nil {
		return err
	}
	point := func(amount string) string { return strings.Replace(amount, ".", d.Point, 1) }
	row := func(line string, middle []string, amount, by, note string) error {
		all := append([]string{s.Client, s.Period, line}, middle...)
		return c.Write(append(all, point(amount), s.Currency, neutral(by), neutral(note)))
	}
	bare := make([]string, 13)
	money := price.FormatMoney
	if err := row("opening", bare, money(s.Opening), "", ""); err != nil {
		return err
	}
	for _, e := range s.Entries {
		amount := e.Amount
		if e.Kind == accounting.Fee {
			amount = -amount
		}
		middle := append([]string{e.Time.In(loc).Format(time.RFC3339), neutral(e.ID)}, bare[2:]...)
		if err := row(e.Kind, middle, money(amount), e.By, e.Note); err != nil {
			return err
		}
	}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	if s.Between != 0 {
		if err := row("between", bare, money(s.Between), "", ""); err != nil {
			return err
		}
	}
	for i := range s.Usage {
		u := &s.Usage[i]
		amount, err := units(u.Amount, -1)
		if err != nil {
			return err
		}
		band, payer, late := "", "", ""
		if u.Band > 0 {
			band = fmt.Sprintf("%s %d%%", u.When, u.Percent)
		}
		if u.Sent {
			payer = accounting.BySender
		}
		if u.Late {
			late = "late"
		}
		if err := row(accounting.Usage, []string{
			"", "", u.Tariff, u.Version, band, payer, late, whole(u.Deliveries), whole(u.Size), whole(u.Charged), whole(u.Priced),
			whole(u.Included), whole(u.IncludedDeliveries),
		}, amount, "", ""); err != nil {
			return err
		}
	}
	remainder, err := units(s.Remainder, 1)
	if err != nil {
		return err
	}
	if err := row("remainder", bare, remainder, "", ""); err != nil {
		return err
	}
	if err := row("closing", bare, money(s.Closing), "", ""); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// units are millionths, which may have a fraction, in units of the currency, exactly;
// "" is nothing.
func units(millionths string, sign int64) (string, error) {
	if millionths == "" {
		millionths = "0"
	}
	n, ok := new(big.Rat).SetString(millionths)
	if !ok {
		return "", fmt.Errorf("%q is no sum of money", millionths)
	}
	n.Mul(n, big.NewRat(sign, 1_000_000))
	// A millionth has 104,857,600 parts: 2^22 times 5^2.
	decimals, _ := n.FloatPrec()
	return n.FloatString(max(decimals, 2)), nil
}
