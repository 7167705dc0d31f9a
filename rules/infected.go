package rules

// SourceInfected is what [antivirus] says is done with an infected message, as
// it was written. Problems stand at At[key] when the key is known there, else at
// Pos.
type SourceInfected struct {
	Pos Pos
	At  map[string]Pos

	Action       string // "reject", "discard", "hold", "tag"; "" is "reject"
	Reply        string
	TagSubject   string
	TagHeader    []string
	UnlessSigned string
}

// Infected is what is done with an infected message.
type Infected struct {
	// Action is Reject, Discard, Hold, or, where the message is only tagged,
	// Continue.
	Action Action
	Reply  *Reply // of Reject; nil: the caller's default
	Tags   Tags   // of a message that is tagged or held
}

// tagAction is the name of what only [antivirus] can do: to let the message
// through with its tags.
const tagAction = "tag"

// CompileInfected compiles what is done with an infected message, with the
// same checks as a rule's.
func CompileInfected(src SourceInfected) (Infected, Problems) {
	var c compiler
	at := func(key string) Pos { return keyPos(src.At, key, src.Pos) }
	i := Infected{Tags: c.tags(src.TagSubject, src.TagHeader, src.UnlessSigned, src.At, src.Pos)}
	known := true
	switch src.Action {
	case "", "reject":
		i.Action = Reject
	case "discard":
		i.Action = Discard
	case "hold":
		i.Action = Hold
	case tagAction:
		i.Action = Continue
		if src.TagSubject == "" && len(src.TagHeader) == 0 {
			c.errorf(at("action"), "action %q needs tag_subject or tag_header", tagAction)
		}
	default:
		c.err(at("action"), unknown("action", src.Action, []string{"reject", "discard", "hold", tagAction}))
		known = false
	}
	if known {
		c.infectedKeys(&src, &i)
	}
	c.problems.Sort()
	return i, c.problems
}

// infectedKeys checks the keys that go with one action and not with another.
func (c *compiler) infectedKeys(src *SourceInfected, i *Infected) {
	name := src.Action
	if name == "" {
		name = Reject.String()
	}
	if i.Action == Reject || i.Action == Discard {
		const wrong = "%s goes with action \"tag\" or \"hold\", not with %q"
		if src.TagSubject != "" {
			c.errorf(keyPos(src.At, "tag_subject", src.Pos), wrong, "tag_subject", name)
		}
		if len(src.TagHeader) > 0 {
			c.errorf(keyPos(src.At, "tag_header", src.Pos), wrong, "tag_header", name)
		}
	}
	if _, given := src.At["reply"]; i.Action != Reject && (given || src.Reply != "") {
		c.errorf(keyPos(src.At, "reply", src.Pos), "a reply goes with action \"reject\", not with %q", name)
		return
	}
	i.Reply = c.reply(src.Reply, i.Action, src.At, src.Pos)
}
