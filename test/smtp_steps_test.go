package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

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
	s.capture(re, m)
	if id := r.QueueID(); id != "" {
		s.accepted = append(s.accepted, id)
	}
	return nil
}

// capture keeps the named groups of a match for later commands.
func (s *session) capture(re *regexp.Regexp, match []string) {
	for i, name := range re.SubexpNames() {
		if name != "" {
			s.captured = append(s.captured, "{"+name+"}", match[i])
		}
	}
}

// message is what a step sends: its text, or the file that it names. Line
// ends become CR LF.
func (s *session) message(step script.Step) ([]byte, error) {
	text := []byte(strings.Join(step.Text, "\n") + "\n")
	if len(step.Text) == 0 {
		name, _, _ := strings.Cut(step.Arg, " ")
		var err error
		if text, err = os.ReadFile(filepath.Join(s.dir, name)); err != nil {
			return nil, err
		}
	}
	whole := string(text)
	if strings.Contains(whole, "{{") {
		whole = replacer(s.gateway).Replace(whole)
	}
	return []byte(strings.ReplaceAll(whole, "\n", "\r\n")), nil
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
	return c.Raw([]byte(replacer(s.gateway).Replace(octets)))
}

func (s *session) drop(step script.Step) error {
	c, err := s.conn(step)
	if err != nil {
		return err
	}
	delete(s.conns, step.Conn)
	return c.Close()
}
