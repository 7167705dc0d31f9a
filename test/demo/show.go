package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

// section prints a heading.
func (d *demo) section(title string) {
	d.printf("\n%s\n%s\n", title, strings.Repeat("-", len([]rune(title))))
}

// printf writes to whoever watches; that he has gone is noticed at the end.
func (d *demo) printf(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

func (d *demo) introduce() {
	d.section("tollgate: the gate and its toll")
	d.printf(`A Postfix of its own listens on %s, with contrib/postfix/main.cf as it is; tollgate judges on a unix
socket before mail is queued; a next hop keeps what arrives. Clients introduce themselves by XCLIENT (not shown), so
that one machine can be many. Four clients own the addresses of example.org:

`, d.postfix.Addr)
	text, err := fs.ReadFile(files, "clients.toml")
	if err == nil {
		d.printf("%s\n", indent(strings.TrimSpace(string(text))))
	}
}

func indent(text string) string {
	return strings.ReplaceAll("    "+strings.ReplaceAll(text, "\n", "\n    "), "    \n", "\n")
}

// play sends one scene and shows the dialogue.
func (d *demo) play(n int, s scene) error {
	d.section(fmt.Sprintf("%d. %s", n, s.title))
	if s.why != "" {
		d.printf("%s\n", wrap(s.why, 110))
	}
	client := s.ip
	if s.host != "" {
		client = s.host + " [" + s.ip + "]"
	}
	d.printf("    client %s\n", client)
	message, err := fs.ReadFile(files, "mail/"+s.mail+".eml")
	if err != nil {
		return err
	}
	// The virus all scanners agree on stands in no file of ours.
	eicar := base64.StdEncoding.EncodeToString([]byte(harness.EICAR()))
	message = harness.CRLF(bytes.ReplaceAll(message, []byte("{{eicar}}"), []byte(eicar)))

	c, err := harness.Dial(d.postfix.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	name := "NAME=" + s.host
	if s.host == "" {
		name = "NAME=[UNAVAILABLE]"
	}
	for _, step := range []func() (harness.Reply, error){
		c.Reply,
		func() (harness.Reply, error) { return c.XClient("ADDR="+s.ip, name) },
		func() (harness.Reply, error) { return c.Cmd("EHLO " + s.helo) },
	} {
		if r, err := step(); err != nil || !r.OK() {
			return fmt.Errorf("scene %d: %v %w", n, r, err)
		}
	}
	d.printf("    C: EHLO %s\n", s.helo)
	c.Dialogue = func(who byte, line string) {
		if who == 'S' && strings.HasPrefix(line, "354") || line == "DATA" {
			return // the description of the message says as much
		}
		if strings.HasPrefix(line, "[message") {
			line += " Subject: " + subject(message)
		}
		d.printf("    %c: %s\n", who, line)
	}
	return d.talk(c, s, message)
}

// subject is the decoded Subject of a message.
func subject(message []byte) string {
	for _, raw := range script.ReadMessage(message).All("Subject") {
		if text, err := script.Decode(raw); err == nil {
			return text
		}
	}
	return "none"
}

// talk is the transaction, as far as it gets.
func (d *demo) talk(c *harness.Client, s scene, message []byte) error {
	if r, err := c.Cmd("MAIL FROM:<" + s.from + "> BODY=8BITMIME"); err != nil || !r.OK() {
		return err
	}
	accepted := 0
	for _, to := range s.to {
		r, err := c.Cmd("RCPT TO:<" + to + ">")
		if err != nil {
			return err
		}
		if r.OK() {
			accepted++
		} else {
			d.counted.recipients++
		}
	}
	if accepted > 0 {
		r, err := c.Data(message)
		if err != nil {
			return err
		}
		if r.OK() {
			d.counted.accepted++
		} else {
			d.counted.refused++
		}
	} else {
		d.counted.early++
	}
	c.Dialogue = nil
	_, err := c.Cmd("QUIT")
	return err
}

// arrivals shows what the next hop got.
func (d *demo) arrivals() error {
	d.section("What arrived at the next hop")
	for _, m := range d.sink.Messages() {
		parsed := script.ReadMessage(m.Data)
		d.printf("to %s\n", strings.Join(m.To, ", "))
		for _, name := range []string{"Subject", "X-Spam-Flag", "X-Tollgate"} {
			for _, raw := range parsed.All(name) {
				text, err := script.Decode(raw)
				if err != nil {
					return err
				}
				d.printf("    %s: %s\n", name, text)
				if name == "Subject" && strings.Contains(raw, "=?") {
					d.printf("%s\n", indent(indent("as sent on:"+strings.ReplaceAll(raw, "\r\n", "\n"))))
				}
			}
		}
	}
	held, err := d.postfix.Queued("hold")
	if err != nil {
		return err
	}
	d.counted.held = len(held)
	d.printf("and in the hold queue of Postfix: %s\n", strings.Join(held, ", "))
	return nil
}

// commands runs what an operator would ask next.
func (d *demo) commands(ctx context.Context) error {
	for _, c := range []struct {
		title string
		args  []string
	}{
		{"Everything that was blocked, and why", []string{"journal", "blocks"}},
		{"\"Where is my mail?\", asks Olga", []string{"journal", "--recipient", "olga@example.org"}},
		{"Who pays what", []string{"report", "--by", "client"}},
		{"and by recipient", []string{"report", "--by", "recipient"}},
		{"A share of a message: what is charged is not its size", []string{"report", "--by", "client,recipient"}},
		{"What is up", []string{"status"}},
	} {
		d.section(c.title)
		d.printf("$ tollgate %s\n", strings.Join(c.args, " "))
		out, err := d.gate.Command(ctx, c.args...)
		if err != nil {
			return err
		}
		if out.Exit != 0 {
			return fmt.Errorf("tollgate %s: exit code %d: %s", c.args[0], out.Exit, out.Stderr)
		}
		d.printf("%s", out.Stdout)
	}
	return nil
}

// counts are what became of the scenes.
type counts struct{ accepted, refused, early, held, recipients int }

// summary is the demo in five lines: what was shown, and where to look.
func (d *demo) summary() {
	d.section("In five lines")
	n := &d.counted
	for _, line := range []string{
		fmt.Sprintf("%d messages: %d accepted (%d of them held), %d refused at the end, %d before they were sent; %d recipients refused.", len(scenes), n.accepted, n.held, n.refused, n.early, n.recipients),
		"Decided at each stage, by lists, names, weights, clamd and names in archives; the rules: test/demo/policy.toml, docs/policy.md.",
		"Marked: Subjects that keep their encoding, X-Spam-Flag, X-Tollgate (\"What arrived at the next hop\"); who reads it: docs/start.md.",
		"Charged: two recipients share one message, so charged is less than size (the report by client and recipient); docs/accounting.md.",
		"Every refusal has a (ref ...): \"tollgate journal REF\" and \"tollgate journal show REF\" say who, when and why; docs/journal.md.",
	} {
		d.printf("%s\n", line)
	}
}

// wrap breaks a text at spaces.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		if column > 0 && column+1+len(word) > width {
			b.WriteByte('\n')
			column = 0
		} else if column > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
