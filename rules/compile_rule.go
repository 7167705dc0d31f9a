package rules

import "slices"

// rule compiles one rule. What is wrong with it is among the problems; nil is
// returned when there is no stage to put it in.
func (c *compiler) rule(src *SourceRule) *Rule {
	at := func(key string) Pos { return keyPos(src.At, key, src.Pos) }
	c.ruleName(src.Name, at("name"), src.Pos)
	r := &Rule{Pos: src.Pos, Name: src.Name, Weight: src.Weight, Last: src.Last, Shadow: src.Shadow, test: &test{}}
	stage, staged := ParseStage(src.Stage)
	switch {
	case src.Stage == "":
		c.errorf(src.Pos, "rule %q has no stage", src.Name)
	case !staged:
		c.err(at("stage"), unknown("stage", src.Stage, stageNames[:]))
	}
	r.Stage = stage
	limit := Complete
	if staged {
		limit = stage
	}
	r.test.match = c.conditions(src.Match, limit, src.Pos)
	r.test.any = c.conditions(src.Any, limit, src.Pos)
	r.test.unless = c.conditions(src.Unless, limit, src.Pos)
	r.test.tempfail = c.onTemperror(src.OnTemperror, at("on_temperror"))
	r.Tags = c.tags(src.TagSubject, src.TagHeader, src.UnlessSigned, src.At, src.Pos)
	var ok bool
	if r.Action, ok = c.ruleAction(src.Action, at("action"), stage, staged); ok {
		r.Reply = c.reply(src.Reply, r.Action, src.At, src.Pos)
		c.warnRule(src, r)
	}
	if !staged {
		return nil
	}
	return r
}

func (c *compiler) ruleName(name string, at, rule Pos) {
	if name == "" {
		c.errorf(rule, "a rule has no name")
		return
	}
	for _, r := range name {
		if !isNameRune(r) {
			c.errorf(at, "rule name %q has %q in it; names are made of a-z, 0-9, \".\", \"_\" and \"-\"", name, r)
			return
		}
	}
	if first, ok := c.names[name]; ok {
		c.errorf(at, "rule name %q is taken by the rule at %s", name, first)
		return
	}
	c.names[name] = at
}

func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.' || r == '_' || r == '-'
}

func (c *compiler) onTemperror(s string, at Pos) bool {
	if s != "" && s != "skip" && s != "tempfail" {
		c.err(at, unknown("value of on_temperror", s, []string{"skip", "tempfail"}))
	}
	return s == "tempfail"
}

// warnRule warns of what is allowed but hardly meant.
func (c *compiler) warnRule(src *SourceRule, r *Rule) {
	if len(src.Match)+len(src.Any)+len(src.Unless) == 0 {
		c.warnf(src.Pos, "rule %q has no condition and always matches", src.Name)
	}
	if r.Action == Continue && r.Weight == 0 && r.Tags.empty() && !r.Last && !r.test.tempfail {
		c.warnf(src.Pos, "rule %q does nothing: it has no weight, tag or action", src.Name)
	}
	if r.Action == Accept {
		c.warnForgeable(src, r)
	}
}

// warnForgeable warns of a white list that any sender can enter. It is none
// where the rule asks for the client, too.
func (c *compiler) warnForgeable(src *SourceRule, r *Rule) {
	vouched := slices.ContainsFunc(r.test.match, func(m *condition) bool { return catalogue[m.key.Attr].Client })
	if vouched {
		return
	}
	for _, clause := range [...][]*condition{r.test.match, r.test.any} {
		for _, m := range clause {
			if catalogue[m.key.Attr].Forgeable {
				c.warnf(keyPos(src.At, "action", src.Pos), "rule %q accepts on %s, which a sender can forge", src.Name, m.key)
				return
			}
		}
	}
}
