package mutation

import (
	"maps"
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
)

// mostSums bounds the sums of weights that are kept apart.
const mostSums = 50_000

// sums are all sums of weights that a message can have at its end, as far as the
// rules tell, in order; not known where there are too many, or a module adds what
// it likes.
func (m *maker) sums() (all []rules.Weight, known bool) {
	if m.scored {
		return nil, false
	}
	set := map[rules.Weight]bool{0: true}
	for i := range m.src.Rules {
		src := &m.src.Rules[i]
		if src.Disabled || !m.weighs(i) {
			continue
		}
		for _, s := range sorted(set) {
			for _, w := range m.adds(i) {
				set[s+w] = true
			}
		}
		if len(set) > mostSums {
			return nil, false
		}
	}
	return sorted(set), true
}

// adds are what a rule that matches can add.
func (m *maker) adds(i int) []rules.Weight {
	src := &m.src.Rules[i]
	if src.WeightEach == 0 {
		return []rules.Weight{src.Weight}
	}
	var all []rules.Weight
	for k := range m.forms[i].Match {
		for n := range m.forms[i].Match[k].Wants {
			each := src.WeightEach * rules.Weight(n+1)
			all = append(all, src.Weight+max(min(each, src.WeightMost), -src.WeightMost))
		}
	}
	return append(all, src.Weight+max(min(src.WeightEach, src.WeightMost), -src.WeightMost))
}

// weighs tells whether a rule's weight can be in a sum that thresholds see.
func (m *maker) weighs(i int) bool {
	src := &m.src.Rules[i]
	if src.Weight == 0 && src.WeightEach == 0 || m.idle(i) != "" {
		return false
	}
	switch src.Action {
	case "accept", "reject", "tempfail":
		return src.Stage == "rcptto"
	}
	return true
}

// nextSums are the least sum above a weight, and the greatest that is not; nil
// for none. Where the sums are not known they are those next to it.
func nextSums(sums []rules.Weight, above rules.Weight, known bool) (up, down *rules.Weight) {
	if !known {
		u, d := above+1000, above
		return &u, &d
	}
	for _, s := range sums {
		if s > above {
			return &s, down
		}
		down = &s
	}
	return nil, down
}

// subset are rules whose weights are a sum, few of them; nil for none.
func (m *maker) subset(sum rules.Weight) []int {
	ways := map[rules.Weight][]int{0: {}}
	for i := range m.src.Rules {
		if m.src.Rules[i].Disabled || !m.weighs(i) {
			continue
		}
		w := m.adds(i)[0]
		more := map[rules.Weight][]int{}
		for _, s := range sorted(ways) {
			next := append(slices.Clone(ways[s]), i)
			other, there := ways[s+w]
			if (!there || len(next) < len(other)) && len(ways) < mostSums && !m.conflict(next) {
				more[s+w] = next
			}
		}
		maps.Copy(ways, more)
	}
	return ways[sum]
}

// sorted are the keys of a map, in order.
func sorted[T any](ways map[rules.Weight]T) []rules.Weight {
	var all []rules.Weight
	for s := range ways {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// conflict tells whether the last of some rules excludes another one.
func (m *maker) conflict(all []int) bool {
	last := all[len(all)-1]
	for _, i := range all[:len(all)-1] {
		if m.prover.Disjoint(i, last) {
			return true
		}
	}
	return false
}
