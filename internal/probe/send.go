package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"time"
)

// ErrNoServer: nobody speaks SMTP there.
var ErrNoServer = errors.New("no SMTP server answers")

// Answer is how the message was answered.
type Answer struct {
	Step    string `json:"step"` // "RCPT": what was answered so
	Code    int    `json:"code"`
	Text    string `json:"text"`
	QueueID string `json:"queue_id"` // "" when it was not taken
	Ref     string `json:"ref"`      // of a refusal, where it names one
}

// Taken tells whether Postfix has the message.
func (a Answer) Taken() bool { return a.Step == "." && a.Code/100 == 2 }

var (
	queued = regexp.MustCompile(`queued as ([0-9A-Za-z]+)`)
	refs   = regexp.MustCompile(`\(ref ([0-9a-z]+)\)`)
)

// Send hands a message to an SMTP server. An answer that is a refusal is no
// error.
func Send(ctx context.Context, server, helo, from, to string, message []byte) (Answer, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // reads then fail, which says more
	defer stop()
	c := textproto.NewConn(conn)
	defer c.Close()
	var a Answer
	hear := func(step string) (bool, error) {
		code, text, err := c.ReadResponse(0)
		var wrong *textproto.Error
		if err != nil && !errors.As(err, &wrong) {
			return false, fmt.Errorf("after %s: %w", step, errors.Join(err, ctx.Err()))
		}
		a = Answer{Step: step, Code: code, Text: strings.ReplaceAll(text, "\n", " ")}
		return code/100 == 2 || code == 354, nil
	}
	if ok, err := hear("greeting"); err != nil || !ok {
		return a, err
	}
	for _, step := range []struct{ name, line string }{
		{"EHLO", "EHLO " + helo}, {"MAIL", "MAIL FROM:<" + from + ">"}, {"RCPT", "RCPT TO:<" + to + ">"}, {"DATA", "DATA"},
	} {
		if err := c.PrintfLine("%s", step.line); err != nil {
			return a, err
		}
		if ok, err := hear(step.name); err != nil || !ok {
			a.named()
			return a, err
		}
	}
	w := c.DotWriter()
	if _, err := w.Write(message); err != nil {
		return a, err
	}
	if err := w.Close(); err != nil {
		return a, err
	}
	if _, err := hear("."); err != nil {
		return a, err
	}
	a.named()
	return a, c.PrintfLine("QUIT")
}

// named reads what the answer calls the message.
func (a *Answer) named() {
	if m := queued.FindStringSubmatch(a.Text); m != nil {
		a.QueueID = m[1]
	}
	if m := refs.FindStringSubmatch(a.Text); m != nil {
		a.Ref = m[1]
	}
}
