package rules

import (
	"slices"
	"strings"
)

// rule compiles one rule. What is wrong with it is among the problems; nil is
// returned when there is no stage to put it in.
func (c *compiler) rule(src *SourceRule) *Rule {
	at := func(key string) Pos { return keyPos(src.At, key, src.Pos) }
	c.ruleName(src.Name, at("name"), src.Pos)
	c.current = src.Name
	defer func() { c.current = "" }()
	r := &Rule{Pos: src.Pos, Name: src.Name, Weight: src.Weight, Last: src.Last, Shadow: src.Shadow, test: &test{}}
	stage, staged := ParseStage(src.Stage)
	switch {
	case src.Stage == "":
		c.errorf(src.Pos, "rule %q has no stage", src.Name)
	case !staged:
		c.err(at("stage"), unknownStage(src.Stage))
	}
	r.Stage = stage
	limit := Complete
	if staged {
		limit = stage
	}
	c.limit = limit
	r.test.match = c.conditions(src.Match, limit, src.Pos)
	r.test.any = append(c.conditions(src.Any, limit, src.Pos), c.groupsOf(src.AnyOf, limit, src.Pos)...)
	c.groups = r.test.groups()
	defer func() { c.groups = 0 }()
	r.test.unless = append(c.conditions(src.Unless, limit, src.Pos), c.groupsOf(src.UnlessAll, limit, src.Pos)...)
	c.weights(src, r)
	r.test.tempfail = c.onTemperror(src.OnTemperror, at("on_temperror"))
	r.test.leaveOpen()
	r.Tags = c.tags(src.TagSubject, src.TagHeader, src.UnlessSigned, src.At, src.Pos)
	for _, name := range src.RemoveHeader {
		removed, err := parseRemoved(name)
		if c.err(at("remove_header"), err) {
			r.Tags.Remove = append(r.Tags.Remove, removed)
		}
	}
	var ok bool
	if r.Action, ok = c.ruleAction(src.Action, at("action"), stage, staged); ok {
		r.Reply = c.reply(src.Reply, r.Action, src.At, src.Pos)
		c.warnRule(src, r)
	}
	r.captures = r.Reply != nil && r.Reply.Text.groups() > 0 || r.Tags.groups() > 0
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
	if first := c.places[name]; first != c.number {
		c.errorf(at, "rule name %q is taken by the rule at %s", name, Pos{File: c.heads[first].Pos.File, Line: int(c.heads[first].NameLine)})
	}
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

// ruleAction parses the action of a rule and checks that its stage can do it.
func (c *compiler) ruleAction(s string, at Pos, stage Stage, staged bool) (Action, bool) {
	a, ok := c.action(s, at)
	if ok && staged && stage != RcptTo && a == Greylist {
		c.errorf(at, "action %q is for one recipient and only at stage rcptto", a)
		return a, false
	}
	if ok && staged && stage == RcptTo && (a == Discard || a == Hold) {
		// Postfix discards or holds a message for all its recipients.
		c.errorf(at, "action %q is for the whole message and not allowed at stage rcptto", a)
		return a, false
	}
	return a, ok
}

// action parses an action; "" is to continue.
func (c *compiler) action(s string, at Pos) (Action, bool) {
	if s == "" {
		return Continue, true
	}
	a, ok := ParseAction(s)
	if !ok {
		c.err(at, unknownAction(s))
	}
	return a, ok
}

// reply parses a reply; nil is the action's own.
func (c *compiler) reply(s string, a Action, at map[string]Pos, table Pos) *Reply {
	if _, given := at["reply"]; s == "" && !given {
		return nil
	}
	pos := keyPos(at, "reply", table)
	if _, ok := replyClass(a); !ok {
		c.errorf(pos, "a reply goes with action \"reject\", \"tempfail\" or \"greylist\", not with %q", a)
		return nil
	}
	r, err := parseReply(s, a)
	if c.err(pos, err) {
		c.err(pos, r.Text.checkGroups(c.groups))
	}
	return r
}

// tags parses what is put into Subject and header.
func (c *compiler) tags(subject string, headers []string, signed string, at map[string]Pos, table Pos) Tags {
	var t Tags
	_, given := at["tag_subject"]
	if given = given || subject != ""; given {
		text, err := parseTagText(subject)
		if err == nil {
			err = text.checkGroups(c.groups)
		}
		if c.err(keyPos(at, "tag_subject", table), err) {
			t.Subject = &text
		}
	}
	if pos := keyPos(at, "unless_signed", table); signed != "" {
		switch {
		case signed != "header":
			c.err(pos, unknown("value of unless_signed", signed, []string{"header"}))
		case !given:
			c.errorf(pos, "unless_signed says where tag_subject goes; there is none")
		}
		t.Signed = TagHeader
	}
	for _, h := range headers {
		tag, err := parseHeaderTag(h)
		if err == nil {
			err = tag.Value.checkGroups(c.groups)
		}
		if c.err(keyPos(at, "tag_header", table), err) {
			t.Headers = append(t.Headers, tag)
		}
	}
	return t
}

// threshold compiles one threshold.
func (c *compiler) threshold(src *SourceThreshold) *Threshold {
	t := &Threshold{Pos: src.Pos, Above: src.Above, Shadow: src.Shadow}
	t.Tags = c.tags(src.TagSubject, src.TagHeader, src.UnlessSigned, src.At, src.Pos)
	at := keyPos(src.At, "action", src.Pos)
	var ok bool
	if t.Action, ok = c.action(src.Action, at); !ok {
		return t
	}
	if t.Action == Greylist {
		c.errorf(at, "a threshold cannot greylist: it judges whole messages")
		return t
	}
	if t.Action == Accept {
		c.errorf(at, "a threshold cannot accept; its action is one of continue, reject, tempfail, discard, hold")
		return t
	}
	t.Reply = c.reply(src.Reply, t.Action, src.At, src.Pos)
	if t.Action == Continue && t.Tags.empty() {
		c.warnf(src.Pos, "the threshold does nothing: it has no tag and no action")
	}
	return t
}

func (t Tags) empty() bool { return t.Subject == nil && len(t.Headers) == 0 && len(t.Remove) == 0 }

// warnRule warns of what is allowed but hardly meant.
func (c *compiler) warnRule(src *SourceRule, r *Rule) {
	if len(src.Match)+len(src.Any)+len(src.Unless)+len(src.AnyOf)+len(src.UnlessAll) == 0 {
		c.warnf(src.Pos, "rule %q has no condition and always matches", src.Name)
	}
	if r.Action == Continue && r.Weight == 0 && r.each == 0 && r.Tags.empty() && len(src.TagHeader) == 0 && src.TagSubject == "" && !r.Last && !r.test.tempfail && !c.isAsked(src.Name) {
		c.warnf(src.Pos, "rule %q does nothing: it has no weight, tag or action", src.Name)
	}
	if r.Action == Accept {
		c.warnForgeable(src, r)
	}
	c.warnWhite(src, r)
}

// warnForgeable warns of a white list that any sender can enter. It is none
// where the rule asks for the client, too, or where the author's domain vouches for
// its own mailboxes (RFC 9989).
func (c *compiler) warnForgeable(src *SourceRule, r *Rule) {
	must := leavesOf(r.test.match)
	if slices.ContainsFunc(must, func(m *condition) bool { return catalogue[m.key.Attr].Client }) {
		return
	}
	aligned := slices.ContainsFunc(must, func(m *condition) bool { return m.key.Attr == DMARC && slices.Equal(m.names, []string{"pass"}) })
	for _, clause := range [...][]*condition{r.test.match, r.test.any} {
		for _, m := range leavesOf(clause) {
			hint := ""
			switch author := m.ofAuthor(); {
			case !catalogue[m.key.Attr].Forgeable, author && aligned:
				continue
			case author:
				hint = `; ask for dmarc = "pass", too`
			}
			c.warnf(keyPos(src.At, "action", src.Pos), "rule %q accepts on %s, which a sender can forge%s", src.Name, m.key, hint)
			return
		}
	}
}

// ofAuthor tells whether a condition looks at the author's mailboxes and at nothing
// else of the field: an expression on the whole of it sees display names, too.
func (c *condition) ofAuthor() bool {
	switch c.key.Attr {
	case Author, AuthorDomain:
		return true
	case HeaderField:
		return strings.EqualFold(c.key.Name, "From") && len(c.lists) > 0 && len(c.patterns) == 0 && len(c.truths) == 0 && len(c.refs) == 0
	}
	return false
}
