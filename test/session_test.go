package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

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
	"idle":     func(s *session, _ script.Step) error { return s.postfix.Idle(20 * time.Second) },
	"delivers": (*session).delivers,
	"logs":     (*session).logs,
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

// client connects and says by XCLIENT who it is.
func (s *session) client(step script.Step) error {
	pairs, err := script.Pairs(step.Arg)
	if err != nil {
		return err
	}
	addr := s.postfix.Addr
	switch pairs["port"] {
	case "plain":
		addr = s.postfix.Plain
	case "return":
		addr = s.postfix.Return
	}
	client, err := harness.Dial(addr)
	if err != nil {
		return err
	}
	client.Dialogue = func(who byte, line string) {
		fmt.Fprintf(&s.dialogue, "%s %c: %s\n", step.Conn, who, line)
	}
	c := &connection{Client: client}
	s.conns[step.Conn] = c
	greeting, err := c.Reply()
	if err != nil {
		return err
	}
	c.reply = &greeting
	if ip := pairs["ip"]; ip != "" {
		attributes := []string{"ADDR=" + ip, "NAME=" + pairs["name"]}
		if strings.Contains(ip, ":") {
			attributes[0] = "ADDR=IPV6:" + ip
		}
		if pairs["name"] == "" {
			attributes[1] = "NAME=[UNAVAILABLE]"
		}
		if login := pairs["login"]; login != "" {
			attributes = append(attributes, "LOGIN="+login)
		}
		return c.hear(c.XClient(attributes...))
	}
	return nil
}

// hear keeps a reply for the next S: step.
func (c *connection) hear(r harness.Reply, err error) error {
	if err == nil {
		c.reply = &r
	}
	return err
}

func (s *session) ehlo(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	return expect(250)(c.Cmd("EHLO " + step.Arg))
}

func (s *session) startTLS(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	return expect(220)(c.StartTLS())
}

func expect(code int) func(harness.Reply, error) error {
	return func(r harness.Reply, err error) error {
		if err == nil && r.Code != code {
			err = fmt.Errorf("the reply is %q", r)
		}
		return err
	}
}

// mail is a whole transaction; the reply to its end is left to the next step.
func (s *session) mail(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	pairs, err := script.Pairs(step.Arg)
	if err != nil {
		return err
	}
	step.Arg = pairs["file"]
	message, err := s.message(step)
	if err != nil {
		return err
	}
	if err := expect(250)(c.Cmd("MAIL FROM:<" + pairs["from"] + "> BODY=8BITMIME")); err != nil {
		return err
	}
	for _, to := range strings.Split(pairs["to"], ",") {
		if err := expect(250)(c.Cmd("RCPT TO:<" + to + ">")); err != nil {
			return err
		}
	}
	return c.hear(c.Data(message))
}

func (s *session) says(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	return c.Send(step.Arg)
}

// answers compares a reply, one that was read with the step before or else
// the next one, with a regular expression that begins with its code.
func (s *session) answers(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	if c.reply == nil {
		if err := c.hear(c.Reply()); err != nil {
			return err
		}
	}
	r := *c.reply
	c.reply = nil
	re, err := regexp.Compile("^(?:" + step.Arg + ")")
	if err != nil {
		return err
	}
	m := re.FindStringSubmatch(r.String())
	if m == nil {
		return fmt.Errorf("the reply is %q", r)
	}
	for i, name := range re.SubexpNames() {
		if name != "" {
			s.captured = append(s.captured, "{"+name+"}", m[i])
		}
	}
	if id := r.QueueID(); id != "" {
		s.accepted = append(s.accepted, id)
	}
	return nil
}

// message is what a step sends: its text, or the file that it names. Line
// ends become CR LF.
func (s *session) message(step script.Step) ([]byte, error) {
	if len(step.Text) > 0 {
		return []byte(strings.Join(step.Text, "\r\n") + "\r\n"), nil
	}
	name, _, _ := strings.Cut(step.Arg, " ")
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	return []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), err
}

func (s *session) data(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	message, err := s.message(step)
	if err != nil {
		return err
	}
	return c.hear(c.Data(message))
}

// bdat sends a message in chunks: "BDAT FILE CHUNKSIZE".
func (s *session) bdat(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	message, err := s.message(step)
	if err != nil {
		return err
	}
	_, size, _ := strings.Cut(step.Arg, " ")
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	for len(message) > n {
		if r, err := c.Bdat(message[:n], false); err != nil || !r.OK() {
			return fmt.Errorf("%v %v", r, err)
		}
		message = message[n:]
	}
	return c.hear(c.Bdat(message, true))
}

func (s *session) half(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	message, err := s.message(step)
	if err != nil {
		return err
	}
	if r, err := c.Half(message); err != nil || r.Code != 354 {
		return fmt.Errorf("%v %v", r, err)
	}
	return nil
}

// raw sends octets in Go's notation of a string.
func (s *session) raw(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	octets, err := strconv.Unquote(step.Arg)
	if err != nil {
		return err
	}
	return c.Raw([]byte(octets))
}

func (s *session) drop(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	delete(s.conns, step.Conn)
	return c.Close()
}

func (s *session) kill(script.Step) error       { return s.gate.Process().Kill() }
func (s *session) startAgain(script.Step) error { return s.gate.Start() }
func (s *session) term(script.Step) error       { return s.gate.Process().Signal(syscall.SIGTERM) }
func (s *session) hup(script.Step) error        { return s.gate.Process().Signal(syscall.SIGHUP) }

// ended waits until the daemon has ended by itself, well.
func (s *session) ended(script.Step) error {
	if err := s.gate.Process().Wait(20 * time.Second); err != nil {
		return err
	}
	if code := s.gate.Process().ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d", code)
	}
	return nil
}

func (s *session) store(step script.Step) error {
	if step.Arg == "stop" {
		return s.redis.Stop()
	}
	return s.redis.Start()
}

// install puts another file of the case in the place of one of the policy's:
// "install FILE as NAME".
func (s *session) install(step script.Step) error {
	file, name, ok := strings.Cut(step.Arg, " as ")
	if !ok {
		return fmt.Errorf("want: install FILE as NAME")
	}
	return installFile(filepath.Join(s.dir, file), s.box.Path("policy", name), s.gateway)
}

func (s *session) sendmail(step script.Step) error {
	message := []byte(strings.Join(step.Text, "\n") + "\n")
	return s.postfix.Sendmail(message, strings.Fields(step.Arg)...)
}

// logs waits until the daemon's log has a line that matches.
func (s *session) logs(step script.Step) error {
	re, err := regexp.Compile(step.Arg)
	if err != nil {
		return err
	}
	return eventually(20*time.Second, func() error {
		text, err := os.ReadFile(s.box.Path("tollgate.log"))
		if err == nil && !re.Match(text) {
			err = fmt.Errorf("nothing in the log matches")
		}
		return err
	})
}

// delivers waits until so many messages have arrived at the next hop.
func (s *session) delivers(step script.Step) error {
	n, err := strconv.Atoi(step.Arg)
	if err != nil {
		return err
	}
	ctx, cancel := contextFor(s.t, 20*time.Second)
	defer cancel()
	return s.sink.Wait(ctx, n)
}
