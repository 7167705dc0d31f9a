package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// session carries out the steps of a case.
type session struct {
	*gateway
	t        *testing.T
	dir      string // of the case
	conns    map[string]*connection
	dialogue strings.Builder
	output   harness.Output // of the last command
	accepted []string       // queue ids, in the order of their 250
	captured []string       // "{name}" and text, for strings.NewReplacer
}

// connection is one SMTP connection and the reply that is not yet compared.
type connection struct {
	*harness.Client
	reply *harness.Reply
}

// verbs are the steps of a session file.
var verbs = map[string]func(*session, script.Step) error{
	"client":   (*session).client,
	"EHLO":     (*session).ehlo,
	"STARTTLS": (*session).startTLS,
	"mail":     (*session).mail,
	"C:":       (*session).says,
	"S:":       (*session).answers,
	"DATA":     (*session).data,
	"BDAT":     (*session).bdat,
	"HALF":     (*session).half,
	"RAW":      (*session).raw,
	"DROP":     (*session).drop,
	"$":        (*session).command,
	"exit":     (*session).exit,
	">":        (*session).prints,
	"!":        (*session).printsNot,
	"kill":     (*session).kill,
	"start":    (*session).startAgain,
	"term":     (*session).term,
	"hup":      (*session).hup,
	"ended":    (*session).ended,
	"until":    (*session).until,
	"redis":    (*session).store,
	"install":  (*session).install,
	"sendmail": (*session).sendmail,
	"idle":     func(s *session, _ script.Step) error { return s.postfix.Idle(harness.Patience) },
	"delivers": (*session).delivers,
	"logs":     (*session).logs,
	"clamd":    (*session).harm,
	"dns":      (*session).harm,
	"rspamd":   (*session).harm,
	"spamd":    (*session).harm,
	"scanner":  (*session).harm,
}

func (s *session) run(steps []script.Step) {
	s.t.Helper()
	for i, step := range steps {
		verb, ok := verbs[step.Verb]
		if !ok {
			s.t.Fatalf("%s: unknown step %q", step.Where(), step.Verb)
		}
		err := verb(s, step)
		if err == nil && step.Verb == "$" && (i+1 == len(steps) || steps[i+1].Verb != "exit") {
			err = s.exit(script.Step{Arg: "0"})
		}
		if err != nil {
			s.t.Fatalf("%s: %s %s: %v\n--- dialogue\n%s", step.Where(), step.Verb, step.Arg, err, s.dialogue.String())
		}
	}
	for name, c := range s.conns {
		if c.reply != nil {
			s.t.Errorf("connection %q: no step looked at the reply %q", name, c.reply)
		}
		c.Close()
	}
}

func (s *session) conn(step script.Step) (*connection, error) {
	c, ok := s.conns[step.Conn]
	if !ok {
		return nil, fmt.Errorf("no connection %q", step.Conn)
	}
	if c.reply != nil && step.Verb != "S:" {
		return nil, fmt.Errorf("no step looked at the reply %q", c.reply)
	}
	return c, nil
}
