// Package maillog reads what Postfix logs of the messages in its queue: which
// were queued, which were not although their content had been accepted by the
// milters before, which were removed by hand.
package maillog

import (
	"regexp"
	"strings"
	"time"
)

// Kind of an event.
type Kind uint8

// The kinds.
const (
	Queued    Kind = iota + 1 // qmgr took it up
	Held                      // cleanup put it on hold at a milter's word
	Refused                   // a milter refused it at its end, or for now
	Unwritten                 // its queue file could not be written
	Delivered                 // qmgr has removed it: delivered or returned
	Deleted                   // postsuper has removed it
	Requeued                  // postsuper gave it a new queue id
	Released                  // postsuper let it go from hold
	Begun                     // it has got a queue id
	Asked                     // Postfix's own rules want it on hold; it has not ended yet
)

func (k Kind) String() string {
	return [...]string{"", "queued", "held", "refused", "unwritten", "delivered", "deleted", "requeued", "released", "begun", "hold asked for"}[k]
}

// Event is what one line says of one message.
type Event struct {
	Time    time.Time
	Kind    Kind
	QueueID string
}

// traditional is how a line of the traditional form begins: syslog's time
// without a year. The newer begins with a time of RFC 3339.
var traditional = regexp.MustCompile(`^([A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}) `)

// queueID is a short one, hexadecimal, or a long one, of digits and consonants. The
// number of the file that it ends with has 64 bits on some file systems: 16 or 12
// characters, behind 5 and behind 11.
var queueID = regexp.MustCompile(`^(?:warning: )?([0-9A-Za-z]{6,23}): (.*)$`)

// Parser reads the lines of one log. Now gives the year to times without one;
// Location is the zone of those without one.
type Parser struct {
	Now      func() time.Time
	Location *time.Location
	// Writes tells of a user whether lines of its processes in systemd's journal may
	// be Postfix's; nil: of any. Everybody may write there in any name, and a line
	// can void what mail costs.
	Writes func(uid int) bool
}

// PostfixWrites is Writes where Postfix has the account of that uid; below zero: it
// is not known. Accounts of the system are from 0 to 999.
func PostfixWrites(postfix int) func(uid int) bool {
	return func(uid int) bool { return uid == postfix || uid == 0 || postfix < 0 && uid < 1000 }
}

// Parse reads a line; false when it says nothing of a message in the queue.
func (p *Parser) Parse(line string) (Event, bool) {
	at, rest, ok := p.time(line)
	if !ok {
		return Event{}, false
	}
	// The host's name, and the tag: postfix/qmgr[1234]:
	_, rest, ok = strings.Cut(rest, " ")
	if !ok {
		return Event{}, false
	}
	tag, text, ok := strings.Cut(rest, ": ")
	if !ok {
		return Event{}, false
	}
	return parseText(at, tag, text)
}

// parseText reads what a program said.
func parseText(at time.Time, tag, text string) (Event, bool) {
	instance, program, ok := strings.Cut(tag, "/")
	if i := strings.LastIndexByte(program, '/'); i >= 0 {
		program = program[i+1:] // postfix/submission/smtpd
	}
	program, _, _ = strings.Cut(program, "[")
	if !ok || !strings.HasPrefix(instance, "postfix") {
		return Event{}, false
	}
	m := queueID.FindStringSubmatch(text)
	if m == nil {
		return Event{}, false
	}
	kind := kindOf(program, m[2])
	return Event{at, kind, m[1]}, kind != 0
}

// kindOf tells what a program says of a message. The same word means another
// thing from another program: what qmgr removed was delivered or returned, what
// postsuper removed is gone.
func kindOf(program, text string) Kind {
	switch program {
	case "qmgr", "oqmgr":
		switch {
		case strings.HasSuffix(text, "(queue active)"):
			return Queued
		case text == "removed":
			return Delivered
		}
	case "cleanup":
		switch {
		case strings.HasPrefix(text, "milter-hold: "):
			return Held
		case strings.HasPrefix(text, "milter-reject: END-OF-MESSAGE "):
			return Refused
		case unwritten(text):
			return Unwritten
		case strings.HasPrefix(text, "hold: "): // header_checks(5)
			return Asked
		case strings.HasPrefix(text, "message-id="):
			return Begun
		}
	case "smtpd", "pickup", "qmqpd":
		switch {
		case unwritten(text):
			return Unwritten
		case strings.HasPrefix(text, "hold: "): // access(5); at the first recipient there is no queue id yet
			return Asked
		case strings.HasPrefix(text, "client="), strings.HasPrefix(text, "uid="):
			return Begun
		}
	case "postsuper":
		switch text {
		case "removed":
			return Deleted
		case "requeued":
			return Requeued
		case "released from hold":
			return Released
		}
	}
	return 0
}

// unwritten: the words of cleanup and of its clients for a queue file that could
// not be written to its end. They begin what is said: further on stands what a
// sender has written.
func unwritten(text string) bool {
	return strings.HasPrefix(text, "write queue file: ") || strings.HasPrefix(text, "queue file size limit exceeded") ||
		strings.HasPrefix(text, "queue file write error")
}

// time reads the time at the begin of a line.
func (p *Parser) time(line string) (time.Time, string, bool) {
	if m := traditional.FindStringSubmatch(line); m != nil {
		now := p.Now().In(p.Location)
		at, err := time.ParseInLocation("2006 Jan _2 15:04:05", now.Format("2006 ")+m[1], p.Location)
		if err != nil {
			return time.Time{}, "", false
		}
		// A line of December that is read in January is of last year.
		if at.Sub(now) > 7*24*time.Hour {
			at = at.AddDate(-1, 0, 0)
		}
		return at, line[len(m[0]):], true
	}
	text, rest, ok := strings.Cut(line, " ")
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, rest, ok && err == nil
}
