package proof

import (
	"strings"

	"github.com/tollgate-mail/tollgate/rules"
)

// weights tells of those that reach no threshold, and of thresholds that no sum
// reaches.
func (f *findings) weights() {
	var most rules.Weight
	weighs := -1
	for i := range f.src.Rules {
		src := &f.src.Rules[i]
		if src.Disabled || src.Shadow {
			continue
		}
		up := max(src.Weight, 0)
		if src.WeightEach > 0 {
			up += src.WeightMost
		}
		if src.Weight != 0 && weighs < 0 {
			weighs = i
		}
		if alone(src) {
			if src.Weight != 0 && !strings.Contains(src.Reply, "{weight}") {
				f.tell(src.At["weight"].OrElse(src.Pos), "rule %q: its weight can reach no threshold: the rule has the last word itself", src.Name)
			}
			continue
		}
		if f.Dead(i) == "" && f.Covered(i) < 0 {
			most += up
		}
	}
	switch {
	case f.policy.Scored:
		return
	case len(f.src.Thresholds) == 0 && weighs >= 0:
		src := &f.src.Rules[weighs]
		f.tell(src.At["weight"].OrElse(src.Pos), "rule %q: its weight can reach no threshold: there is no [[threshold]]", src.Name)
		return
	}
	for i := range f.src.Thresholds {
		if t := &f.src.Thresholds[i]; t.Above >= most {
			f.tell(t.Pos, "no message is ever above %s: all weights together are %s", t.Above, most)
		}
	}
}

// alone tells a rule after which no threshold is judged.
func alone(src *rules.SourceRule) bool {
	switch src.Action {
	case "accept", "reject", "tempfail":
		return src.Stage != "rcptto"
	}
	return false
}
