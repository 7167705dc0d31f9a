package replay

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// WeightCount is how many messages have a weight from From on and below the next.
type WeightCount struct {
	From     int `json:"from"`
	Messages int `json:"messages"`
}

// Unknown is an attribute of which the value was not known, and in how many
// messages a rule hung on it.
type Unknown struct {
	Attribute string `json:"attribute"`
	Messages  int    `json:"messages"`
}

// figures gathers what is counted of outcomes.
type figures struct {
	weights map[int]int
	unknown map[string]int
}

// count takes what one policy says of a message, for against (nil for none) what the
// other does, and which attributes of its envelope nothing tells.
func (f *figures) count(o, against *trial.Outcome, absent []string) {
	n := int(o.Result.Weight / 1000)
	if o.Result.Weight < 0 && o.Result.Weight%1000 != 0 {
		n--
	}
	f.weights[n]++
	hung := map[string]bool{}
	for _, one := range []*trial.Outcome{o, against} {
		if one == nil {
			continue
		}
		for name := range unknown(one) {
			hung[name] = true
		}
		for _, e := range one.Events {
			// A rule may have matched without the value, too: tls = false does, and what
			// stands under unless.
			if asked, ok := e.(gate.Asked); ok && slices.Contains(absent, asked.Key.String()) {
				hung[asked.Key.String()] = true
			}
		}
	}
	for name := range hung {
		f.unknown[name]++
	}
}

// unknown are attributes for which a rule did not match because they were not
// known: nobody was asked, or the value could not be had.
func unknown(o *trial.Outcome) map[string]bool {
	missing := missing(o)
	hung := map[string]bool{}
	for _, e := range o.Events {
		if tried, ok := e.(gate.Tried); ok && !tried.Matched && missing[tried.Attr] {
			hung[tried.Attr] = true
		}
	}
	return hung
}

// missing are attributes that were asked for and not known.
func missing(o *trial.Outcome) map[string]bool {
	all := map[string]bool{}
	for _, e := range o.Events {
		if asked, ok := e.(gate.Asked); ok && trial.NotKnown(asked) {
			all[asked.Key.String()] = true
		}
	}
	return all
}

func (f *figures) histogram() []WeightCount {
	all := []WeightCount{}
	for from, n := range f.weights {
		all = append(all, WeightCount{from, n})
	}
	slices.SortFunc(all, func(a, b WeightCount) int { return a.From - b.From })
	return all
}

func (f *figures) unknowns() []Unknown {
	all := []Unknown{}
	for name, n := range f.unknown {
		all = append(all, Unknown{name, n})
	}
	slices.SortFunc(all, func(a, b Unknown) int {
		return cmp.Or(b.Messages-a.Messages, strings.Compare(a.Attribute, b.Attribute))
	})
	return all
}
