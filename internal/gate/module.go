package gate

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/journal"
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

// mostSymbols is how many of a module's are journalled.
const mostSymbols = 32

// symbols journals what a module found: where there is too much, the symbols with
// the largest scores, in the order of the finding.
func (j *prepared) symbols(hit *journal.ModuleHit, f *module.Finding) {
	shown := f.Symbols
	if len(shown) > mostSymbols {
		shown = slices.Clone(shown)
		slices.SortStableFunc(shown, func(a, b string) int {
			return cmp.Compare(size(f.Details[b].Score), size(f.Details[a].Score))
		})
		shown = shown[:mostSymbols]
		shown = slices.DeleteFunc(slices.Clone(f.Symbols), func(s string) bool { return !slices.Contains(shown, s) })
		shown = shown[:min(len(shown), mostSymbols)] // a name may come twice
	}
	for _, symbol := range shown {
		name := visible(j.text(symbol))
		hit.Symbols = append(hit.Symbols, name)
		d := f.Details[symbol]
		if d.Score != 0 {
			if hit.Scores == nil {
				hit.Scores = map[string]string{}
			}
			hit.Scores[name] = d.Score.String()
		}
		if len(d.About) == 0 {
			continue
		}
		if hit.About == nil {
			hit.About = map[string][]string{}
		}
		for _, text := range d.About {
			hit.About[name] = append(hit.About[name], visible(text))
		}
	}
}

func size(w rules.Weight) rules.Weight { return max(w, -w) }

// eachFinding visits what the modules found.
func (n *inspection) eachFinding(visit func(*module.Finding)) {
	if n.begun == nil {
		return
	}
	for i := range n.begun.results {
		if n.begun.modules[i] != nil && n.begun.results[i].Err == nil {
			visit(&n.begun.results[i].Finding)
		}
	}
}

// moduleValue answers module.NAME.score, .symbol and the other members.
func (n *inspection) moduleValue(k rules.Key) (rules.Value, error) {
	found, err := n.module(k.Name)
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

// virus is the value of the attribute.
func (n *inspection) virus() (rules.Value, error) {
	in := n.begun
	switch {
	case in == nil || in.scan == nil:
		return rules.Value{}, errUninspected
	case in.scan.Err != nil:
		return rules.Value{}, in.scan.Err
	case in.scan.Finding.Virus == "":
		return rules.Value{}, nil
	}
	return rules.TextValue(in.scan.Finding.Virus), nil
}
