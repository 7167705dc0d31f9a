package mutation

import (
	"net/netip"
	"slices"

	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// holds tells whether a condition most likely holds for a draft.
func (w *world) holds(t *rules.Term, d *draft) bool {
	one := func(want *rules.Want) bool {
		key := t.Key
		if want.Kind == rules.WantZone {
			key.Name = want.Zone
		}
		return fits(want, w.value(d, key), t.Key.Attr)
	}
	count := 0
	for i := range t.Wants {
		if one(&t.Wants[i]) {
			count++
		}
	}
	switch {
	case t.All:
		return count == len(t.Wants)
	case t.Hits != "":
		cmp, err := number.ParseComparison(t.Hits, number.Plain)
		return err == nil && cmp.Holds(int64(count)*1000)
	}
	return count > 0
}

// fits tells whether a value is what is wanted.
func fits(want *rules.Want, v value, of rules.Attr) bool {
	switch want.Kind {
	case rules.WantPattern:
		return slices.ContainsFunc(v.texts, func(s string) bool { return want.Pattern.Match(expr.Spaced(s), rules.Work()) })
	case rules.WantList:
		return slices.ContainsFunc(v.texts, func(s string) bool {
			return want.List.HasText(s, rules.Work()) ||
				of == rules.HeaderField && want.List.HasMailbox(s, rules.Work()) ||
				of == rules.AttachmentName && want.List.HasEnding(s)
		}) || slices.ContainsFunc(v.ips, func(a netip.Addr) bool { return want.List.HasAddr(a, rules.Work()) })
	case rules.WantPrefix:
		return slices.ContainsFunc(v.ips, want.Prefix.Contains)
	case rules.WantNumber:
		return v.known && want.Low <= v.number && v.number <= want.High
	case rules.WantName:
		return v.known && v.name == want.Name
	case rules.WantTruth:
		if v.texts != nil || v.known && v.name == "" && !v.truth && v.number == 0 && len(v.ips) == 0 {
			// Whether there is a text, or what is true or false.
			return want.Truth == (len(v.texts) > 0)
		}
		return v.known && v.truth == want.Truth
	case rules.WantZone:
		return slices.ContainsFunc(v.ips, func(a netip.Addr) bool {
			for i, n := range a.As4() {
				if want.Answers[i] != nil && !want.Answers[i][int(n)] {
					return false
				}
			}
			return true
		})
	}
	return false
}
