package rules

import "strings"

// ruleActions and thresholdActions are what may be said to be done.
var (
	ruleActions      = actionNames[:]
	thresholdActions = []string{"continue", "reject", "tempfail", "discard", "hold"}
)

// ruleAction parses the action of a rule and checks that its stage can do it.
func (c *compiler) ruleAction(s string, at Pos, stage Stage, staged bool) (Action, bool) {
	a, ok := c.action(s, at, ruleActions)
	switch {
	case !ok || !staged:
	case stage == RcptTo && (a == Discard || a == Hold):
		// Postfix discards or holds a message for all its recipients.
		c.errorf(at, "action %q is for the whole message and not allowed at stage rcptto", a)
		return a, false
	case stage != RcptTo && a == Greylist:
		// What is waited for is the second try of a sender for a recipient.
		c.errorf(at, "action %q answers one recipient: it is allowed at stage rcptto only, not at %s", a, stage)
		return a, false
	}
	return a, ok
}

// action parses an action; "" is to continue.
func (c *compiler) action(s string, at Pos, valid []string) (Action, bool) {
	if s == "" {
		return Continue, true
	}
	a, ok := ParseAction(s)
	if !ok {
		c.err(at, unknown("action", s, valid))
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
	r, err := ParseReply(s, a)
	c.err(pos, err)
	return r
}

// threshold compiles one threshold.
func (c *compiler) threshold(src *SourceThreshold) *Threshold {
	t := &Threshold{Pos: src.Pos, Above: src.Above}
	t.Tags = c.tags(src.TagSubject, src.TagHeader, src.UnlessSigned, src.At, src.Pos)
	at := keyPos(src.At, "action", src.Pos)
	var ok bool
	if t.Action, ok = c.action(src.Action, at, thresholdActions); !ok {
		return t
	}
	if t.Action == Accept || t.Action == Greylist {
		c.errorf(at, "a threshold cannot %s; its action is one of %s", t.Action, strings.Join(thresholdActions, ", "))
		return t
	}
	t.Reply = c.reply(src.Reply, t.Action, src.At, src.Pos)
	if t.Action == Continue && t.Tags.empty() {
		c.warnf(src.Pos, "the threshold does nothing: it has no tag and no action")
	}
	return t
}
