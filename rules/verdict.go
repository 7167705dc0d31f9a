package rules

// SourceVerdict is what an action outside of the rules says and marks, as it was
// written: texts, and their places as in [SourceRule].
type SourceVerdict struct {
	Pos        Pos
	At         map[string]Pos
	Action     Action
	Reply      string
	TagSubject string
	TagHeader  []string
}

// CompileVerdict reads reply and tags of an action; the reply is nil where there
// is none. All problems are errors.
func CompileVerdict(src SourceVerdict) (*Reply, Tags, Problems) {
	var c compiler
	t := c.tags(src.TagSubject, src.TagHeader, "", src.At, src.Pos)
	r := c.reply(src.Reply, src.Action, src.At, src.Pos)
	return r, t, c.problems
}
