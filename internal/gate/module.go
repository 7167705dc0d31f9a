package gate

import (
	"math/big"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// maxWeight bounds what one module can give, so that no sum can overflow.
const maxWeight = 1_000_000_000 * 1000

// times is a score with its factor, in thousandths, rounded half away from
// zero.
func times(score, factor rules.Weight) rules.Weight {
	product := new(big.Int).Mul(big.NewInt(int64(score)), big.NewInt(int64(factor)))
	half := big.NewInt(500 * int64(product.Sign()))
	product.Quo(product.Add(product, half), big.NewInt(1000))
	if !product.IsInt64() {
		return rules.Weight(product.Sign()) * maxWeight
	}
	return rules.Weight(min(max(product.Int64(), -maxWeight), maxWeight))
}

// eachFinding visits what the modules found.
func (m *Message) eachFinding(visit func(*module.Finding)) {
	if m.inspections == nil {
		return
	}
	for i := range m.inspections.results {
		if m.inspections.modules[i] != nil && m.inspections.results[i].Err == nil {
			visit(&m.inspections.results[i].Finding)
		}
	}
}

// moduleValue answers module.NAME.score, .symbol and the other members.
func (m *Message) moduleValue(k rules.Key) (rules.Value, error) {
	found, err := m.module(k.Name)
	if err != nil {
		return rules.Value{}, err
	}
	switch k.Attr {
	case rules.ModuleScore:
		return rules.Value{Known: true, Num: int64(found.Score)}, nil
	case rules.ModuleSymbol:
		return rules.TextValues(found.Symbols), nil
	case rules.ModuleText:
		return rules.TextValues(found.Text), nil
	case rules.ModuleHiddenText:
		return rules.TextValues(found.HiddenText), nil
	case rules.ModuleURL:
		return rules.TextValues(found.URLs), nil
	case rules.ModuleURLDomain:
		return rules.TextValues(found.URLDomains), nil
	}
	return rules.Value{Known: found.Action != "", Text: found.Action}, nil
}
