package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/maillog"
)

func (a *app) maillog() *cobra.Command {
	c := &cobra.Command{
		Use:   "maillog",
		Short: "bring Postfix's log to the daemon",
		Long: `With follow_maillog = "journal" in [accounting] the daemon is brought the lines
of Postfix's log by "tollgate maillog feed", which reads them from journalctl: it
executes nothing itself. contrib/systemd has a unit for it.`,
		Example: `  tollgate maillog place
  tollgate maillog feed < /var/log/mail.log`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("which command? %q lists them", c.CommandPath()+" --help")
		},
	}
	c.AddCommand(&cobra.Command{
		Use:   "feed",
		Short: "take lines from standard input to the daemon",
		Long: `Feed reads lines of "journalctl -o json", or of a log, from standard input and
takes to the daemon what they say of messages in the queue, within a second,
until its input ends. A daemon that is away is waited for.

  journalctl -f -o json --since "$(tollgate maillog place)" |
    tollgate maillog feed`,
		Example: `  tollgate maillog feed < /var/log/mail.log`,
		Args:    alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			return a.feed(c.Context(), places.StateDir)
		},
	}, &cobra.Command{
		Use:   "place",
		Short: "print from when on the daemon wants lines",
		Long: `Place prints a time as journalctl understands it: lines before it are known to
the daemon, or say nothing of what it still waits for.`,
		Example: `  tollgate maillog place`,
		Args:    alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var answer daemon.MaillogAnswer
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdMaillog, daemon.MaillogRequest{}, &answer); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "@%d\n", answer.Since.Unix())
			return away(err)
		},
	})
	return c
}

const (
	feedEvery = 500 * time.Millisecond // how long lines wait to go together
	feedMost  = 2000                   // events that go together
	feedAgain = 2 * time.Second        // between attempts to reach the daemon
)

// feed takes what it reads to the daemon.
func (a *app) feed(ctx context.Context, stateDir string) error {
	lines := make(chan daemon.MaillogRequest)
	read := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(lines)
		read <- readEvents(ctx, a.in, lines)
	}()
	var batch daemon.MaillogRequest
	send := func() error {
		for {
			err := a.ask(ctx, stateDir, daemon.CmdMaillog, batch, nil)
			var f *failure
			if err == nil || !errors.As(err, &f) || f.code != exitAway {
				batch = daemon.MaillogRequest{}
				return err
			}
			fmt.Fprintln(a.err, "tollgate:", err)
			select {
			case <-time.After(feedAgain):
			case <-ctx.Done():
				return away(ctx.Err())
			}
		}
	}
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		select {
		case one, ok := <-lines:
			if !ok {
				return errors.Join(send(), away(<-read))
			}
			batch.Events = append(batch.Events, one.Events...)
			batch.Last = one.Last
			if len(batch.Events) < feedMost {
				continue
			}
		case <-tick.C:
			if batch.Last.IsZero() {
				continue
			}
		case <-ctx.Done():
			return nil
		}
		if err := send(); err != nil {
			return err
		}
	}
}

// postfixAccount is the uid of Postfix's mail_owner by its usual name, -1 where
// there is none.
func postfixAccount() int {
	account, err := user.Lookup("postfix")
	if err != nil {
		return -1
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return -1
	}
	return uid
}

// readEvents reads lines of journalctl, or of a log.
func readEvents(ctx context.Context, in io.Reader, to chan<- daemon.MaillogRequest) error {
	p := maillog.Parser{Now: time.Now, Location: time.Local, Writes: maillog.PostfixWrites(postfixAccount())}
	b := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := b.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
			line = nil // what is so long says nothing of a message
		}
		var one daemon.MaillogRequest
		if len(line) > 0 {
			e, at, ok := p.ParseAny(line)
			if one.Last = at; ok {
				one.Events = []maillog.Event{e}
			}
			if !at.IsZero() {
				select {
				case to <- one:
				case <-ctx.Done():
					return nil
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
