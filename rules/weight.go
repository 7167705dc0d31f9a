package rules

import "strconv"

// Weight is fixed point, in thousandths, so that sums do not depend on order.
type Weight int64

// String prints without trailing zeros: 3.5, -0.5, 12.
func (w Weight) String() string {
	b := strconv.AppendInt(nil, int64(w)/1000, 10)
	if w > -1000 && w < 0 {
		b = append([]byte("-"), b...)
	}
	f := int64(w) % 1000
	if f < 0 {
		f = -f
	}
	if f == 0 {
		return string(b)
	}
	b = append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return string(b)
}

// weights reads what a rule adds for each value that matches.
func (c *compiler) weights(src *SourceRule, r *Rule) {
	at := func(key string) Pos { return keyPos(src.At, key, src.Pos) }
	_, each := src.At["weight_each"]
	_, most := src.At["weight_max"]
	each, most = each || src.WeightEach != 0, most || src.WeightMost != 0
	switch {
	case each && !most:
		c.errorf(at("weight_each"), "weight_each needs weight_max: what a sender can repeat must have a bound")
	case most && !each:
		c.errorf(at("weight_max"), "weight_max bounds weight_each; there is none")
	case src.WeightMost < 0:
		c.errorf(at("weight_max"), "weight_max is how far weight_each goes, up or down, and not below zero")
	}
	r.each, r.most = src.WeightEach, src.WeightMost
}

// groups is the most that an expression of match or any has.
func (t *test) groups() int {
	n := 0
	for _, clause := range [...][]*condition{t.match, t.any} {
		for _, leaf := range leavesOf(clause) {
			for _, p := range leaf.patterns {
				n = max(n, p.Groups())
			}
		}
	}
	return n
}

func leavesOf(clause []*condition) []*condition {
	var all []*condition
	for _, c := range clause {
		all = append(all, c.leaves()...)
	}
	return all
}

// groups is the highest that a tag asks for.
func (t Tags) groups() int {
	n := 0
	if t.Subject != nil {
		n = t.Subject.groups()
	}
	for _, h := range t.Headers {
		n = max(n, h.Value.groups())
	}
	return n
}
