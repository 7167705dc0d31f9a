package gate

import "github.com/tollgate-mail/tollgate/rules"

// texts are the replies no policy sets: of a rule or threshold without one of
// its own, and of what should not happen. They say nothing of the inside; the
// reference leads to the journal, which does.
type texts struct {
	reject, tempfail, fault, noRecipients, infected, oversize, unscanned, greylisted *rules.Reply

	beyond [len(bounds)]*rules.Reply // nil of bounds without a reply
}

func newTexts() texts {
	return texts{
		reject:       fixed("550 5.7.1 Refused by local policy", rules.Reject),
		tempfail:     fixed("451 4.7.1 Deferred by local policy, please try again later", rules.Tempfail),
		fault:        fixed("451 4.3.0 Temporary fault here, please try again later", rules.Tempfail),
		noRecipients: fixed("554 5.5.1 No valid recipients", rules.Reject), // RFC 5321 §3.3
		infected:     fixed("550 5.7.1 Infected: {virus}", rules.Reject),
		oversize:     fixed("552 5.3.4 Too large to be scanned for viruses", rules.Reject), // RFC 3463 §3.4
		unscanned:    fixed("451 4.7.1 Cannot be checked at the moment, please try again later", rules.Tempfail),
		greylisted:   fixed("451 4.7.1 Greylisted, please try again later", rules.Tempfail),
		beyond:       boundReplies(),
	}
}

// fixed parses a reply that is part of the program: one that does not parse
// is a mistake in it.
func fixed(s string, a rules.Action) *rules.Reply {
	r, err := rules.ParseReply(s, a)
	if err != nil {
		panic("gate: " + err.Error())
	}
	return r
}
