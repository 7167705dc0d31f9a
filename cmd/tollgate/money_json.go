package main

import (
	"fmt"
	"math/big"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

// In JSON sums of money are decimal texts in units of the currency, so that no
// reader's numbers round them. What follows are the daemon's answers with such texts
// in the place of millionths.

type clientJSON struct {
	daemon.ClientRow
	Balance     string `json:"balance"`
	CreditLimit string `json:"credit_limit"`
}

func clientOf(r daemon.ClientRow) clientJSON {
	return clientJSON{r, price.FormatMoney(r.Balance), price.FormatMoney(r.CreditLimit)}
}

type entryAnswerJSON struct {
	daemon.EntryAnswer
	Amount  string `json:"amount"`
	Balance string `json:"balance"`
}

func entryAnswerOf(a daemon.EntryAnswer) entryAnswerJSON {
	return entryAnswerJSON{a, price.FormatMoney(a.Amount), price.FormatMoney(a.Balance)}
}

type statementJSON struct {
	*report.Statement
	Opening   string      `json:"opening"`
	Paid      string      `json:"paid"`
	Adjusted  string      `json:"adjusted"`
	Fee       string      `json:"fee"`
	Cost      string      `json:"cost"`
	Closing   string      `json:"closing"`
	Between   string      `json:"between,omitempty"`
	Remainder string      `json:"remainder"`
	Usage     []usageJSON `json:"usage"`
	Entries   []entryJSON `json:"entries"`
}

type usageJSON struct {
	report.UsageLine
	Amount string `json:"amount"`
}

type entryJSON struct {
	report.Entry
	Amount string `json:"amount"`
}

// statementOf has usage and remainder exactly, to the last decimal that they have.
func statementOf(s *report.Statement) (*statementJSON, error) {
	j := &statementJSON{
		Statement: s, Usage: []usageJSON{}, Entries: []entryJSON{},
		Opening: price.FormatMoney(s.Opening), Paid: price.FormatMoney(s.Paid), Adjusted: price.FormatMoney(s.Adjusted),
		Fee: price.FormatMoney(s.Fee), Cost: price.FormatMoney(s.Cost), Closing: price.FormatMoney(s.Closing),
	}
	if s.Between != 0 {
		j.Between = price.FormatMoney(s.Between)
	}
	var err error
	if j.Remainder, err = exactUnits(s.Remainder); err != nil {
		return nil, err
	}
	for _, u := range s.Usage {
		amount, err := exactUnits(u.Amount)
		if err != nil {
			return nil, err
		}
		j.Usage = append(j.Usage, usageJSON{u, amount})
	}
	for _, e := range s.Entries {
		j.Entries = append(j.Entries, entryJSON{e, price.FormatMoney(e.Amount)})
	}
	return j, nil
}

// exactUnits are millionths, which may have a fraction, in units of the currency.
func exactUnits(millionths string) (string, error) {
	n, ok := new(big.Rat).SetString(millionths)
	if !ok {
		return "", fmt.Errorf("%q is no sum of money", millionths)
	}
	n = inUnits(n)
	// A millionth has 104,857,600 parts: 2^22 times 5^2.
	decimals, _ := n.FloatPrec()
	return n.FloatString(max(decimals, 2)), nil
}
