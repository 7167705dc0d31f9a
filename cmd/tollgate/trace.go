package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

func (a *app) trace() *cobra.Command {
	var r daemon.TraceRequest
	var l looking
	c := &cobra.Command{
		Use:   "trace on|off|follow",
		Short: "turn the trace journal on or off while running, or follow it live",
		Long: `Trace turns on what the trace journal gets: the SMTP protocol, the rules as they
are tried, or, where neither is named, both; of all clients or of some, of all
messages or of those from or to somebody. "off" ends what is named, or all. It
lasts until the next start, or until the policy's own setting changes. Trace
only while looking for something: each message makes many lines.

"follow" shows the same here as it happens, and writes it nowhere, until it is
interrupted. What comes faster than it is shown is dropped, and the number said.

--sender and --recipient take an address, "@domain", or a part of an address.
What a client says before MAIL belongs to no message, and is left out then. Who
traces is written to the journal of looks.`,
		Example: `  tollgate trace on --rules --client-ip 192.0.2.7
  tollgate trace follow --rules --recipient ivan@example.org
  tollgate journal trace --since 5m
  tollgate trace off`,
		ValidArgs: []string{"on", "off", "follow"},
		Args:      cobra.MatchAll(counted(1, 1), cobra.OnlyValidArgs),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := parseClient(r.ClientIP); err != nil {
				return err
			}
			r.On = args[0] == "on"
			places, err := a.places()
			if err != nil {
				return err
			}
			if args[0] == "follow" {
				return a.followTrace(c.Context(), places.StateDir, r, l)
			}
			var now daemon.TraceState
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdTrace, r, &now); err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, now)
			}
			_, err = fmt.Fprintln(a.out, now)
			return away(err)
		},
	}
	f := c.Flags()
	f.BoolVar(&r.Protocol, "protocol", false, "the SMTP dialogue")
	f.BoolVar(&r.Rules, "rules", false, "each rule tried")
	f.StringVar(&r.ClientIP, "client-ip", "", "only of this `ADDRESS` or network")
	f.StringVar(&r.Sender, "sender", "", "only of messages from this `ADDRESS`")
	f.StringVar(&r.Recipient, "recipient", "", "only of messages to this `ADDRESS`")
	f.BoolVar(&l.redact, "redact", false, "with follow: "+redactHelp)
	f.BoolVar(&l.utc, "utc", false, "with follow: times are UTC")
	return c
}

// endTime is how long a daemon may take to end a following.
const endTime = 2 * time.Second

// followTrace shows the trace until ctx ends.
func (a *app) followTrace(ctx context.Context, stateDir string, r daemon.TraceRequest, l looking) error {
	// Who has seen enough presses Ctrl-C: the daemon is told, and traces no more for us.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	request := daemon.WatchRequest{TraceRequest: r}
	var got journal.Watched
	if err := a.ask(ctx, stateDir, daemon.CmdWatch, request, &got); err != nil {
		return err
	}
	request.ID = got.ID
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		request.End = true
		// Where it cannot be told the daemon ends it by itself.
		_ = control.NewClient(stateDir).Call(end, daemon.CmdWatch, request, nil)
	}()
	for {
		err := a.ask(ctx, stateDir, daemon.CmdWatch, request, &got)
		if ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, line := range got.Lines {
			if err := a.traceLine(line, l); err != nil {
				return err
			}
		}
		if got.Dropped > 0 {
			fmt.Fprintf(a.err, "tollgate: %s dropped: they came faster than they were shown\n", daemon.Plural(int(got.Dropped), "line"))
		}
	}
}

func (a *app) traceLine(line []byte, l looking) error {
	e := journal.Entry{Line: string(line)}
	if err := json.Unmarshal(line, &e); err != nil {
		return away(err)
	}
	if l.redact {
		e = a.redactions().entry(e)
	}
	if a.json {
		return a.jsonLine(e)
	}
	what := e.Detail
	if e.Rule != "" {
		what = e.Stage + " " + e.Rule + ": " + what
	}
	_, err := fmt.Fprintf(a.out, "%s  %-12s  %s\n", e.Time.In(l.zone()).Format("15:04:05.000"), visible(e.Ref), visible(what))
	return away(err)
}
