package storetest

import (
	"math/big"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
)

// model is what a client's period must say, made apart from the product's
// arithmetic: of fractions.
type model struct {
	deliveries, charged, priced, included, free int64
	cost                                        *big.Rat // millionths
}

// apply adds a record, and returns what it cost.
func (m *model) apply(r *accounting.Record, terms price.Terms, percent int64) (priced, included, free int64, amount *big.Rat) {
	priced = r.Charged
	for priced%terms.Increment != 0 {
		priced++
	}
	paid := priced
	if left := terms.Included - m.included; left > 0 {
		paid -= min(paid, left)
	}
	amount = big.NewRat(terms.PerMiB, 1<<20)
	amount.Mul(amount, big.NewRat(paid, 1))
	if m.free < terms.IncludedDeliveries {
		free = 1
	} else {
		amount.Add(amount, big.NewRat(terms.PerDelivery, 1))
	}
	amount.Mul(amount, big.NewRat(percent, 100))
	m.add(1, r.Charged, priced, priced-paid, free, amount)
	return priced, priced - paid, free, amount
}

func (m *model) add(deliveries, charged, priced, included, free int64, amount *big.Rat) {
	m.deliveries, m.charged, m.priced = m.deliveries+deliveries, m.charged+charged, m.priced+priced
	m.included, m.free = m.included+included, m.free+free
	if m.cost == nil {
		m.cost = new(big.Rat)
	}
	m.cost.Add(m.cost, amount)
}

// split is a cost in whole millionths, rounded down, and parts of one.
func (m *model) split() (whole, parts int64) {
	if m.cost == nil {
		return 0, 0
	}
	n := new(big.Int).Mul(m.cost.Num(), big.NewInt(price.Parts))
	n.Quo(n, m.cost.Denom())
	w, p := new(big.Int).DivMod(n, big.NewInt(price.Parts), new(big.Int))
	return w.Int64(), p.Int64()
}

func (m *model) check(t *testing.T, what string, c accounting.Counter) {
	t.Helper()
	whole, parts := m.split()
	if c.Deliveries != m.deliveries || c.Charged != m.charged || c.Priced != m.priced || c.Included != m.included ||
		c.IncludedDeliveries != m.free || c.Cost != whole || c.Frac != parts {
		t.Fatalf("%s: got %+v\nwant %+v, cost %d and %d parts", what, c, m, whole, parts)
	}
}

// counter of a client, or one with nothing in it.
func counter(t *testing.T, s accounting.Store, client, period string) accounting.Counter {
	t.Helper()
	for _, c := range counters(t, s, period) {
		if c.Client == client {
			return c
		}
	}
	return accounting.Counter{Client: client, Period: period}
}
