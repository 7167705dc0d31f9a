package config

import (
	"fmt"
	"maps"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/rules"
)

// manyRules are [[rule]] tables, of which there may be very many: they are read one
// after the other when they are compiled.
func (d *decoder) manyRules(all *node) {
	d.ruleList = append(d.ruleList, all.Children...)
	all.Forget() // each goes when it has been read
}

func (d *decoder) aRule(n *node) { d.ruleList = append(d.ruleList, n) }

// reading reads the rules for those who compile them. No tree of text stays beside
// what was read of it.
func (d *decoder) reading() rules.Reading {
	r := rules.Reading{Heads: make([]rules.Head, len(d.ruleList))}
	var room document.Room
	for i, n := range d.ruleList {
		n = n.Open(&room)
		r.Heads[i] = headOf(n, i)
		r.Named = appendNamed(r.Named, n)
	}
	r.Rule = func(i int) *rules.SourceRule {
		d.rule(d.ruleList[i].Open(&room), i)
		d.ruleList[i] = nil
		d.checkOversize(&d.oneRule)
		if d.kept != nil {
			one := d.oneRule
			one.At = maps.Clone(one.At)
			d.kept = append(d.kept, one)
		}
		return &d.oneRule
	}
	return r
}

// headOf is the head of rule number i.
func headOf(n *node, i int) rules.Head {
	h := rules.Head{Pos: n.Pos(), NameLine: int32(n.Line), Name: ruleName(n, i), Stage: rules.Complete.String()}
	if c := n.Child("name"); c != nil && !notText(n, "name") {
		h.NameLine = int32(c.Line)
	}
	if !notText(n, "stage") {
		h.Stage = textOf(n.Child("stage"))
	}
	if c := n.Child("enabled"); c != nil {
		h.Disabled = c.Value == false
	}
	if c := n.Child("shadow"); c != nil {
		h.Shadow = c.Value == true
	}
	return h
}

// ruleName is that of rule number i: one of its own for a name that is no text.
func ruleName(n *node, i int) string {
	if notText(n, "name") {
		return fmt.Sprintf("rule-%d", i)
	}
	return textOf(n.Child("name"))
}

func textOf(n *node) string {
	if n == nil {
		return ""
	}
	s, _ := n.Value.(string)
	return s
}

// appendNamed adds the operands of the rule's conditions on other rules.
func appendNamed(named []string, rule *node) []string {
	for _, c := range rule.Children {
		switch c.Key {
		case "match", "all", "any", "unless":
			clauses := []*node{c}
			if c.Kind == document.Array {
				clauses = c.Children
			}
			for _, clause := range clauses {
				if of := clause.Child("rule"); of != nil {
					named = appendTexts(named, of)
				}
			}
		}
	}
	return named
}

// appendTexts adds all texts that stand in a value.
func appendTexts(all []string, n *node) []string {
	if n.Kind == document.Single {
		if s, ok := n.Value.(string); ok {
			all = append(all, s)
		}
		return all
	}
	for _, c := range n.Children {
		all = appendTexts(all, c)
	}
	return all
}

// rule is [[rule]] number i. What its texts mean is for rules to say; a text that is
// none has been told of, and rules gets one that says nothing more.
func (d *decoder) rule(n *node, i int) {
	if d.ruleKeys == nil {
		d.ruleKeys = d.ruleFields(&d.oneRule)
	}
	r := &d.oneRule
	*r = rules.SourceRule{Pos: n.Pos(), At: placesInto(r.At, n)}
	before := len(d.Problems)
	d.Read(n, "[[rule]]", d.ruleKeys)
	d.broken(n, before, "name", "stage")
	r.Name = ruleName(n, i)
	if notText(n, "stage") {
		r.Stage = rules.Complete.String()
	}
	if notText(n, "action") {
		r.Reply = "" // it may agree
		delete(r.At, "reply")
	}
}

func notText(n *node, key string) bool {
	c := n.Child(key)
	if c == nil {
		return false
	}
	_, ok := c.Value.(string)
	return !ok
}

// broken notes that a rule or threshold has had errors, or lacks what it needs:
// warnings that it does nothing or always matches would be beside the point.
func (d *decoder) broken(n *node, before int, needs ...string) {
	bad := d.Problems[before:].Err() != nil
	for _, key := range needs {
		bad = bad || n.Child(key) == nil
	}
	if bad {
		d.brokenAt[n.Pos()] = true
	}
}

func (d *decoder) ruleFields(r *rules.SourceRule) []field {
	enabled := func(n *node) {
		on := true
		d.Boolean(&on)(n)
		r.Disabled = !on
	}
	return []field{
		{Key: "name", Read: d.Text(&r.Name)},
		{Key: "stage", Read: d.Text(&r.Stage)},
		{Key: "match", Read: d.conditions(&r.Match)},
		{Key: "all", Read: d.conditions(&r.Match)},
		{Key: "any", Read: d.groups(&r.Any, &r.AnyOf)},
		{Key: "unless", Read: d.groups(&r.Unless, &r.UnlessAll)},
		{Key: "weight", Read: d.weight(&r.Weight)},
		{Key: "weight_each", Read: d.weight(&r.WeightEach)},
		{Key: "weight_max", Read: d.weight(&r.WeightMost)},
		{Key: "remove_header", Read: d.tagHeader(&r.RemoveHeader)},
		{Key: "tag_subject", Read: d.Text(&r.TagSubject)},
		{Key: "tag_header", Read: d.tagHeader(&r.TagHeader)},
		{Key: "action", Read: d.Text(&r.Action)},
		{Key: "reply", Read: d.Text(&r.Reply)},
		{Key: "last", Read: d.Boolean(&r.Last)},
		{Key: "on_temperror", Read: d.Text(&r.OnTemperror)},
		{Key: "shadow", Read: d.Boolean(&r.Shadow)},
		{Key: "enabled", Read: enabled},
		{Key: "comment", Read: d.Text(&r.Comment)},
		{Key: "unless_signed", Read: d.Text(&r.UnlessSigned)},
	}
}

// threshold is [[threshold]].
func (d *decoder) threshold(n *node) {
	t := rules.SourceThreshold{Pos: n.Pos(), At: textPlaces(n)}
	before := len(d.Problems)
	d.Read(n, "[[threshold]]", d.thresholdFields(&t))
	d.broken(n, before)
	d.source.Thresholds = append(d.source.Thresholds, t)
}

func (d *decoder) thresholdFields(t *rules.SourceThreshold) []field {
	return []field{
		{Key: "above", Read: d.weight(&t.Above), Required: true},
		{Key: "tag_subject", Read: d.Text(&t.TagSubject)},
		{Key: "tag_header", Read: d.tagHeader(&t.TagHeader)},
		{Key: "action", Read: d.Text(&t.Action)},
		{Key: "reply", Read: d.Text(&t.Reply)},
		{Key: "unless_signed", Read: d.Text(&t.UnlessSigned)},
		{Key: "shadow", Read: d.Boolean(&t.Shadow)},
	}
}

// textPlaces are the places of the keys that stand there, but for texts that
// are none: those are left out as if they did not.
func textPlaces(n *node) map[string]rules.Pos { return placesInto(nil, n) }

// placesInto is textPlaces in a map that is used again.
func placesInto(at map[string]rules.Pos, n *node) map[string]rules.Pos {
	if at == nil {
		at = make(map[string]rules.Pos, len(n.Children))
	}
	clear(at)
	for _, c := range n.Children {
		at[c.Key] = c.Pos()
	}
	for _, key := range [...]string{"name", "stage", "tag_subject", "action", "reply", "on_temperror"} {
		if notText(n, key) {
			delete(at, key)
		}
	}
	return at
}

// tagHeader reads one header field or an array of them.
func (d *decoder) tagHeader(into *[]string) func(*node) {
	return func(n *node) {
		if n.Kind == document.Single {
			if s, ok := d.ReadString(n); ok {
				*into = []string{s}
			}
			return
		}
		for _, c := range d.TextNodes(n) {
			*into = append(*into, c.Value.(string))
		}
	}
}
