package report

import (
	"context"

	"github.com/tollgate-mail/tollgate/accounting"
)

// balances reads how accounts stand. A balance is one number, in one currency: of
// several rows of a client the one in that currency has it or, where none is, one of
// its own.
func balances(ctx context.Context, l accounting.Ledger, rows []Row) ([]Row, error) {
	var ids []string
	of := map[string][]int{} // a client's rows
	for i := range rows {
		id := rows[i].Client
		if accounting.CheckID(id) != nil {
			continue
		}
		if len(of[id]) == 0 {
			ids = append(ids, id)
		}
		of[id] = append(of[id], i)
	}
	accounts, err := l.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	own := map[int]Row{} // rows to put behind another
	for i, id := range ids {
		// Without its balance a report would look as if there were none.
		if err := accounts[i].Err; err != nil {
			return nil, err
		}
		balance, currency := accounts[i].Balance, accounts[i].Currency
		at := -1
		for _, k := range of[id] {
			if rows[k].Currency == currency || at < 0 && (currency == "" || rows[k].Currency == "") {
				at = k
			}
		}
		last := of[id][len(of[id])-1]
		switch {
		case at >= 0:
			rows[at].Balance = &balance
		case balance == 0:
			rows[last].Balance = &balance
		default:
			own[last] = Row{Client: id, Currency: currency, Balance: &balance}
		}
	}
	if len(own) == 0 {
		return rows, nil
	}
	all := make([]Row, 0, len(rows)+len(own))
	for i := range rows {
		all = append(all, rows[i])
		if r, ok := own[i]; ok {
			all = append(all, r)
		}
	}
	return all, nil
}
