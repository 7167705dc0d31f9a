package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Fewer says what there is less of than in the policy before: a file that was
// cut reads like one that somebody shortened.
func (c *Config) Fewer(before *Config) []string {
	var all []string
	fewer := func(what string, now, then int) {
		if now < then {
			all = append(all, fmt.Sprintf("%s, %d fewer", what, then-now))
		}
	}
	rules, were := len(c.Gate.Rules.Rules()), len(before.Gate.Rules.Rules())
	fewer(plural(rules, "rule"), rules, were)
	rules, were = len(c.Gate.Rules.Thresholds(math.MaxInt64)), len(before.Gate.Rules.Thresholds(math.MaxInt64))
	fewer(plural(rules, "threshold"), rules, were)
	clients, had := len(c.Gate.Directory.Clients()), len(before.Gate.Directory.Clients())
	fewer(plural(clients, "client"), clients, had)
	for _, name := range slices.Sorted(maps.Keys(before.ListSizes)) {
		now, there := c.ListSizes[name]
		if !there {
			all = append(all, fmt.Sprintf("list %s: gone", name))
			continue
		}
		fewer(fmt.Sprintf("list %s: %d %s", name, now, entries(now)), now, before.ListSizes[name])
	}
	return all
}

func entries(n int) string {
	if n == 1 {
		return "entry"
	}
	return "entries"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
