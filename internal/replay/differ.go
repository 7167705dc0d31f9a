package replay

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/rules"
)

// otherMarks tells whether a message that passes, or is held, would be marked otherwise.
func otherMarks(was, is *trial.Outcome) bool {
	if v := was.Result.Verdict; v != gate.Accepted && v != gate.Held || !marked(was) && !marked(is) {
		return false
	}
	return !slices.Equal(marksOf(was), marksOf(is))
}

// marked tells whether a rule or a threshold marks.
func marked(o *trial.Outcome) bool {
	return slices.ContainsFunc(o.Events, func(ev gate.Event) bool { _, is := ev.(gate.Tagged); return is })
}

// marksOf are the changes of the header, but for the report: it names the policy.
func marksOf(o *trial.Outcome) (all []string) {
	for _, c := range trial.Explain(o).Header {
		if !strings.Contains(c.Value, "; ref=") {
			all = append(all, c.Op+c.Name+": "+c.Value)
		}
	}
	return all
}

// hanging are the attributes on which the difference of two outcomes hangs: that
// were not known to a rule of one of them. What both do not know of the same rule
// they do not differ by.
func hanging(was, is *trial.Outcome) []string {
	all := []string{}
	for _, o := range []*trial.Outcome{was, is} {
		for name := range unknown(o) {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
		for _, ev := range o.Events {
			hit, ok := ev.(gate.Hit)
			if ok && hit.Temperror && !hit.Rule.Shadow && !slices.Contains(all, hit.Rule.Name) {
				all = append(all, hit.Rule.Name)
			}
		}
	}
	if greylisted(was) != greylisted(is) {
		all = append(all, "greylist") // whether its client had come before
	}
	slices.Sort(all)
	return all
}

// greylisted is how many recipients rules wanted greylisted.
func greylisted(o *trial.Outcome) (n int) {
	for _, ev := range o.Events {
		if hit, ok := ev.(gate.Hit); ok && hit.Rule.Action == rules.Greylist && !hit.Rule.Shadow {
			n++
		}
	}
	return n
}

// alike tells whether two outcomes stay alike whatever the journal does not know: all
// rules that hang on it say the same in both policies, and so does all that is no rule;
// so far the same matched and weighs the same. What they would find is the same then.
func (r *comparing) alike(was, is *trial.Outcome) bool {
	if r.Both == nil || !r.Both.Rest || was.Result.Weight != is.Result.Weight {
		return false
	}
	var matched [2][]string
	for n, o := range []*trial.Outcome{was, is} {
		missing := missing(o)
		for _, ev := range o.Events {
			switch ev := ev.(type) {
			case gate.Tried:
				if !ev.Matched && missing[ev.Attr] && !r.Both.Whole[ev.Rule.Name] {
					return false
				}
			case gate.Hit:
				if ev.Temperror && !r.Both.Whole[ev.Rule.Name] {
					return false
				}
				matched[n] = append(matched[n], ev.Rule.Name+" "+ev.Recipient)
			}
		}
	}
	return slices.Equal(matched[0], matched[1])
}
