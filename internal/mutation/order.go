package mutation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules"
)

// order swaps rules that follow each other in a stage.
func (m *maker) order() {
	index := map[string]int{}
	for i := range m.src.Rules {
		index[m.src.Rules[i].Name] = i
	}
	for s := rules.Connect; s <= rules.Inspected; s++ {
		tried := m.policy.Tried(s)
		for k := 0; k+1 < len(tried); k++ {
			a, b := index[tried[k].Name], index[tried[k+1].Name]
			m.add(m.src.Rules[b].Pos, m.unordered(a, b), &Mutant{
				made: m.variants.Swapped(tried[k], tried[k+1]), of: []*rules.Rule{tried[k], tried[k+1]},
				goal: goal{matches: []int{a, b}},
			}, "rule %q is tried before rule %q", m.src.Rules[b].Name, m.src.Rules[a].Name)
		}
	}
}

// unordered tells why the order of two rules does not matter.
func (m *maker) unordered(a, b int) string {
	x, y := &m.src.Rules[a], &m.src.Rules[b]
	names := func(f *rules.Form) bool {
		for _, clause := range [...][]rules.Term{f.Match, f.Any, f.Unless} {
			for _, t := range clause {
				if t.Key.Attr == rules.RuleName || slices.ContainsFunc(t.Group, func(g rules.Term) bool { return g.Key.Attr == rules.RuleName }) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case names(&m.forms[a]) || names(&m.forms[b]):
		return ""
	case x.Shadow || y.Shadow:
		return "shadow = true: the rule is without effect"
	case m.prover.Disjoint(a, b):
		return "no message is for both rules"
	case !ends(x) && !ends(y) && !(marks(x) && marks(y)) && !(later(x) && x.Action == y.Action):
		return "neither rule ends the stage: both are tried in any order"
	}
	return ""
}

func ends(r *rules.SourceRule) bool {
	return r.Last || r.OnTemperror == "tempfail" || r.Action == "accept" || r.Action == "reject" || r.Action == "tempfail"
}

// later tells what is carried out at the end, and then for the first that asked.
func later(r *rules.SourceRule) bool {
	return r.Action == "discard" || r.Action == "hold" || r.Action == "greylist"
}

func marks(r *rules.SourceRule) bool {
	return r.TagSubject != "" || len(r.TagHeader) > 0 || len(r.RemoveHeader) > 0
}

// thresholds moves each to the next sum that there can be, takes it away, and
// changes its action.
func (m *maker) thresholds() {
	all := m.policy.Thresholds(1<<63 - 1)
	sums, known := m.sums()
	for i := range m.src.Thresholds {
		src := &m.src.Thresholds[i]
		if i >= len(all) {
			return
		}
		t := all[i]
		if t.Shadow {
			continue // no case can notice it
		}
		other := func(pos diag.Pos, why string, made *rules.Threshold, from, to rules.Weight, wish *rules.Weight, format string, args ...any) {
			others := slices.Clone(all)
			if made == nil {
				others = slices.Delete(others, i, i+1)
			} else {
				others[i] = made
			}
			m.add(pos, why, &Mutant{made: m.variants.WithThresholds(others), above: &[2]rules.Weight{from, to}, goal: goal{sum: wish}},
				"the threshold above %s: %s", src.Above, fmt.Sprintf(format, args...))
		}
		at := src.At["above"].OrElse(src.Pos)
		up, down := nextSums(sums, src.Above, known)
		const high = rules.Weight(1 << 60)
		if up == nil && known {
			other(src.Pos, "no sum of weights is above it", nil, src.Above, high, nil, "it is gone")
			continue
		}
		move := func(w *rules.Weight, above rules.Weight, what string) {
			if w == nil {
				other(at, "no sum of weights lies between", t, 0, 0, nil, "%s", what)
				return
			}
			made := *t
			made.Above = above
			other(at, "", &made, min(src.Above, above), max(src.Above, above), w, "%s", what)
		}
		other(src.Pos, "", nil, src.Above, high, up, "it is gone")
		move(up, *up, fmt.Sprintf("it is above %s", *up))
		if down != nil {
			move(down, *down-1, fmt.Sprintf("it is passed by %s, too", *down))
		} else {
			move(nil, 0, "it is lower")
		}
		actions := map[rules.Action][]rules.Action{
			rules.Reject: {rules.Continue, rules.Tempfail}, rules.Tempfail: {rules.Continue, rules.Reject}, rules.Discard: {rules.Continue, rules.Hold}, rules.Hold: {rules.Continue, rules.Discard},
		}
		for _, a := range actions[t.Action] {
			made := *t
			made.Action, made.Reply = a, nil
			other(src.At["action"].OrElse(src.Pos), "", &made, src.Above, high, up, "action %q is %s", t.Action, strings.Replace(a.String(), "continue", "gone", 1))
		}
	}
}
