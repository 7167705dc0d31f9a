package embedded

import bolt "go.etcd.io/bbolt"

// kept is what was read of the database, and stays true: nobody else writes it.
type kept struct {
	use, rcpt, days  *totals
	chains, segments *totals
	accounts         *accounts
	noted            map[string]string // what periods were told last
}

// keptMost bounds what is kept of one bucket between two groups, entries.
const keptMost = 1 << 16

// in is what is kept, for another transaction.
func (k *kept) in(tx *bolt.Tx) *kept {
	if k == nil {
		return &kept{
			use: newTotals(tx, use, useWidth), rcpt: newTotals(tx, rcpt, 3), days: newTotals(tx, days, 3),
			chains: newTotals(tx, index, chainWidth), segments: newTotals(tx, segments, 1),
			accounts: newAccounts(tx), noted: map[string]string{},
		}
	}
	for _, t := range k.totals() {
		if t.in(tx); len(t.loaded) > keptMost {
			t.loaded = map[string]*counts{}
		}
	}
	if k.accounts.in(tx); len(k.accounts.loaded) > keptMost {
		k.accounts.loaded = map[string]*account{}
	}
	if len(k.noted) > keptMost {
		k.noted = map[string]string{}
	}
	return k
}

func (k *kept) totals() []*totals { return []*totals{k.use, k.rcpt, k.days, k.chains, k.segments} }
