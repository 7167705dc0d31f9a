package simulate

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/tollgate-mail/tollgate/accounting"
)

// parts of a millionth that an account counts in.
const parts = 104_857_600

// money is a client's, in millionths: of the records as fractions, and as it is
// counted.
type money struct {
	amount, bytes  *big.Rat // what the records say; what bytes alone would cost
	included       int64
	counted        *big.Rat
	countedInclude int64
}

func (a *account) of(client string) *money {
	m := a.money[client]
	if m == nil {
		m = &money{amount: new(big.Rat), bytes: new(big.Rat), counted: new(big.Rat)}
		a.money[client] = m
	}
	return m
}

// count takes note of a period's counters.
func (a *account) count(client string, included, cost, frac int64) {
	m := a.of(client)
	m.countedInclude += included
	m.counted.Add(m.counted, new(big.Rat).SetInt64(cost)).Add(m.counted, big.NewRat(frac, parts))
}

// price takes note of what a record cost, and works out from its terms what it
// should have.
func (a *account) price(w *World, f map[string]string, sign int64) error {
	if f["tariff_version"] == "" {
		return nil
	}
	amount, ok := new(big.Rat).SetString(f["amount"])
	charged, err := strconv.ParseInt(f["charged"], 10, 64)
	included, err2 := strconv.ParseInt(f["included"], 10, 64)
	if !ok || err != nil || err2 != nil {
		return fmt.Errorf("%s: amount %q, charged %q, included %q", f["id"], f["amount"], f["charged"], f["included"])
	}
	m := a.of(f["client"])
	m.amount.Add(m.amount, new(big.Rat).Mul(amount, big.NewRat(sign, 1)))
	m.included += sign * included
	for _, t := range w.tariffs {
		if t.Version() != f["tariff_version"] {
			continue
		}
		priced := (charged + t.Increment - 1) / t.Increment * t.Increment
		want := big.NewRat((priced-included)*t.PerMiB, 1<<20)
		if f["included_delivery"] != "1" {
			want.Add(want, big.NewRat(t.PerDelivery, 1))
		}
		// The band holds from ten to eleven.
		at := f["time"]
		if f["kind"] == accounting.Void {
			at = "" // takes back what its record cost, whenever that was
		}
		if at != "" && len(t.Bands) > 0 && at[11:13] == "10" {
			want.Mul(want, big.NewRat(t.Bands[0].Percent, 100))
		}
		if at != "" && want.Cmp(amount) != 0 {
			return fmt.Errorf("%s costs %s millionths, want %s", f["id"], f["amount"], want.FloatString(22))
		}
		m.bytes.Add(m.bytes, big.NewRat(sign*charged*t.PerMiB, 1<<20))
	}
	return nil
}

// checkMoney compares; under the first tariff cost does not depend on how bytes
// were cut or in which order they came.
func (a *account) checkMoney(w *World) error {
	for _, client := range sorted(a.money) {
		m := a.money[client]
		if m.amount.Cmp(m.counted) != 0 {
			return fmt.Errorf("client %s: the records cost %s millionths, the counters say %s", client, m.amount.FloatString(22), m.counted.FloatString(22))
		}
		if m.included != m.countedInclude {
			return fmt.Errorf("client %s: %d bytes included, the counter says %d", client, m.included, m.countedInclude)
		}
		if w.tariffOf(client) == w.tariffs[0] && m.bytes.Cmp(m.amount) != 0 {
			return fmt.Errorf("client %s: its bytes cost %s millionths, its records %s", client, m.bytes.FloatString(22), m.amount.FloatString(22))
		}
		whole := new(big.Int).Div(m.amount.Num(), m.amount.Denom()) // rounded down
		if balance := -a.balance[client]; whole.Cmp(big.NewInt(balance)) != 0 {
			return fmt.Errorf("client %s: the balance is %d, what it used costs %s", client, -balance, whole)
		}
	}
	return nil
}
