// Package rules compiles the rules of a policy and evaluates them. It is pure:
// it reads no file, asks no network, knows no clock and keeps no globals. What
// it needs to know of a message it asks through [Facts].
package rules

// Stage is one of the six events at which mail is judged (RFC 5321 commands
// and the two points inside DATA at which headers and message are complete).
type Stage uint8

const (
	Connect  Stage = iota // a client connected
	Helo                  // HELO or EHLO
	MailFrom              // MAIL FROM
	RcptTo                // RCPT TO, once per recipient
	Headers               // all header fields received
	Complete              // the whole message received
	// Inspected are those rules of Complete that ask for what inspectors find.
	// Policies cannot name it: they say "complete".
	Inspected
)

var stageNames = [...]string{"connect", "helo", "mailfrom", "rcptto", "headers", "complete"}

// String returns the name used in policies and journals.
func (s Stage) String() string {
	if s == Inspected {
		s = Complete
	}
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown"
}

// ParseStage is the inverse of [Stage.String].
func ParseStage(name string) (Stage, bool) {
	for i, n := range stageNames {
		if n == name {
			return Stage(i), true
		}
	}
	return 0, false
}

// Action is what a rule or threshold does besides weight and tags.
type Action uint8

const (
	Continue Action = iota
	Accept
	Reject
	Tempfail
	Discard
	Hold
	Greylist
)

var actionNames = [...]string{"continue", "accept", "reject", "tempfail", "discard", "hold", "greylist"}

// String returns the name used in policies and journals.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "unknown"
}

// ParseAction is the inverse of [Action.String].
func ParseAction(name string) (Action, bool) {
	for i, n := range actionNames {
		if n == name {
			return Action(i), true
		}
	}
	return 0, false
}

func (c *compiler) stageOf(place int32) Stage {
	s, _ := ParseStage(c.heads[place].Stage)
	return s
}
