package policydiff

import "slices"

// moved tells of those common to both that stand in another order among the tables of
// their stage: the order of stages is not the file's.
func (d *diff) moved(word string, was, is names) {
	var stages []string
	for _, name := range is.names {
		if s := plain(is.by[name]["stage"]); !slices.Contains(stages, s) {
			stages = append(stages, s)
		}
	}
	for _, s := range stages {
		there := func(name string) bool {
			return was.by[name] != nil && is.by[name] != nil && plain(was.by[name]["stage"]) == s && plain(is.by[name]["stage"]) == s
		}
		d.movedAmong(word, was.only(there), is.only(there))
	}
}

// movedAmong tells as few as explain the order.
func (d *diff) movedAmong(word string, was, is names) {
	var common []string
	at := map[string]int{}
	for _, name := range was.names {
		if is.by[name] != nil {
			at[name] = len(common)
			common = append(common, name)
		}
	}
	var order []int
	var now []string
	for _, name := range is.names {
		if was.by[name] != nil {
			order = append(order, at[name])
			now = append(now, name)
		}
	}
	stay := longest(order)
	for i, name := range now {
		if stay[i] {
			continue
		}
		behind := func(all []string, i int) string {
			if i == 0 {
				return "first"
			}
			return "behind " + all[i-1]
		}
		d.add(Change{Where: word + " " + name, What: Moved, Before: behind(common, at[name]), After: behind(now, i)})
	}
}

// longest marks a longest increasing subsequence.
func longest(order []int) []bool {
	last := make([]int, 0, len(order)) // index of the smallest end of each length
	before := make([]int, len(order))
	for i, v := range order {
		n, _ := slices.BinarySearchFunc(last, v, func(j, v int) int { return order[j] - v })
		before[i] = -1
		if n > 0 {
			before[i] = last[n-1]
		}
		if n == len(last) {
			last = append(last, i)
		} else {
			last[n] = i
		}
	}
	stay := make([]bool, len(order))
	if len(last) > 0 {
		for i := last[len(last)-1]; i >= 0; i = before[i] {
			stay[i] = true
		}
	}
	return stay
}

// only has those that are kept.
func (n names) only(keep func(name string) bool) names {
	out := names{by: map[string]tables{}}
	for _, name := range n.names {
		if keep(name) {
			out.names = append(out.names, name)
			out.by[name] = n.by[name]
		}
	}
	return out
}
