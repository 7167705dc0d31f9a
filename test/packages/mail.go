package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// errRefused: a message was refused for good.
var errRefused = errors.New("refused")

// try hands one message to Postfix; deferred when it is to be tried again.
func (h *host) try(subject string) (deferred bool, err error) {
	c, err := harness.Dial("127.0.0.1:25")
	if err != nil {
		return true, err
	}
	defer c.Close()
	ask := func(r harness.Reply, err error) error {
		switch {
		case err != nil:
			return err
		case r.Code >= 500:
			return fmt.Errorf("%w: %s", errRefused, r)
		case !r.OK():
			return errors.New(r.String())
		}
		return nil
	}
	if err = ask(c.Reply()); err != nil {
		return !errors.Is(err, errRefused), err
	}
	for _, line := range []string{"EHLO mail.example.com", "MAIL FROM:<anna@example.com>", "RCPT TO:<ivan@example.org>"} {
		if err = ask(c.Cmd(line)); err != nil {
			return !errors.Is(err, errRefused), err
		}
	}
	err = ask(c.Data([]byte("From: anna@example.com\r\nTo: ivan@example.org\r\nSubject: " + subject + "\r\n\r\nHello\r\n")))
	return err != nil && !errors.Is(err, errRefused), err
}

// send hands a message to Postfix, as often as it is deferred, and gives how
// often that was.
func (h *host) send(ctx context.Context, subject string) (deferrals int, err error) {
	for {
		again, err := h.try(subject)
		if err == nil {
			h.sent++
			return deferrals, nil
		}
		if !again {
			return deferrals, err
		}
		deferrals++
		select {
		case <-ctx.Done():
			return deferrals, errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// delivered is what the mailbox has: subjects, and how many have our mark.
func delivered() (subjects map[string]int, marked int, err error) {
	b, err := os.ReadFile(mailbox)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, 0, err
	}
	subjects = map[string]int{}
	for line := range strings.Lines(string(b)) {
		if s, ok := strings.CutPrefix(line, "Subject: "); ok {
			subjects[strings.TrimSpace(s)]++
		}
		if strings.HasPrefix(line, "X-Tollgate:") {
			marked++
		}
	}
	return subjects, marked, nil
}

// arrived waits for messages, each once, and gives how many of all are marked.
func (h *host) arrived(ctx context.Context, subjects ...string) (marked int, err error) {
	err = await(ctx, func() error {
		have, m, err := delivered()
		marked = m
		for _, s := range subjects {
			if have[s] == 0 {
				err = errors.Join(err, fmt.Errorf("%q has not arrived", s))
			}
		}
		return err
	})
	have, _, again := delivered()
	for s, n := range have {
		if n > 1 {
			err = errors.Join(err, fmt.Errorf("%q came %d times", s, n))
		}
	}
	return marked, errors.Join(err, again)
}

// listening waits for Postfix.
func listening(ctx context.Context) error {
	return await(ctx, func() error {
		c, err := net.Dial("tcp", "127.0.0.1:25")
		if err != nil {
			return err
		}
		return c.Close()
	})
}
