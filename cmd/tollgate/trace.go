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
	c := &cobra.Command{
		Use:   "trace",
		Short: "turn the trace journal on or off while running, or follow it live",
		Long: `Trace turns on what the trace journal gets: the SMTP protocol, the rules as they
are tried, or, where neither is named, both; of all clients or of some, of all
messages or of those from or to somebody. It lasts until the next start, or
until the policy's own setting changes. Trace only while looking for something:
each message makes many lines.

--sender and --recipient take an address, "@domain", or a part of an address.
What a client says before MAIL belongs to no message, and is left out then. Who
traces is written to the journal of looks. "tollgate status" says what is traced.`,
		Example: `  tollgate trace on --rules --client-ip 192.0.2.7
  tollgate trace follow --rules --recipient ivan@example.org
  tollgate journal trace --since 5m
  tollgate trace off`,
		Args: cobra.ArbitraryArgs,
		RunE: commandOf,
	}
	c.AddCommand(a.traceOn(), a.traceOff(), a.traceFollow())
	return c
}

func (a *app) traceOn() *cobra.Command {
	r := daemon.TraceRequest{On: true}
	c := &cobra.Command{
		Use:   "on",
		Short: "write what is named to the trace journal",
		Long: `On has what is named written to the trace journal, besides what is written
already; of which clients and messages is said anew.`,
		Example: `  tollgate trace on --rules --client-ip 192.0.2.7
  tollgate trace on --sender @partner.example`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error { return a.askTrace(c, r) },
	}
	tracedParts(c, &r)
	tracedMail(c, &r)
	return c
}

func (a *app) traceOff() *cobra.Command {
	r := daemon.TraceRequest{}
	c := &cobra.Command{
		Use:     "off",
		Short:   "end what is named, or all of it",
		Long:    `Off ends what is named, or all of it. What was written stays.`,
		Example: "  tollgate trace off",
		Args:    alone,
		RunE:    func(c *cobra.Command, _ []string) error { return a.askTrace(c, r) },
	}
	tracedParts(c, &r)
	return c
}

func (a *app) traceFollow() *cobra.Command {
	var r daemon.TraceRequest
	var l looking
	c := &cobra.Command{
		Use:   "follow",
		Short: "show a trace as it happens",
		Long: `Follow shows what a trace would have, as it happens, and writes it nowhere, until
it is interrupted. What comes faster than it is shown is dropped, and the number
said.`,
		Example: "  tollgate trace follow --rules --recipient ivan@example.org",
		Args:    alone,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := parseClient(r.ClientIP); err != nil {
				return err
			}
			places, err := a.places()
			if err != nil {
				return err
			}
			return a.followTrace(c.Context(), places.StateDir, r, l)
		},
	}
	tracedParts(c, &r)
	tracedMail(c, &r)
	c.Flags().BoolVar(&l.redact, "redact", false, "show "+redactHelp)
	c.Flags().BoolVar(&l.utc, "utc", false, "times are UTC")
	return c
}

// tracedParts are the flags for what is traced.
func tracedParts(c *cobra.Command, r *daemon.TraceRequest) {
	c.Flags().BoolVar(&r.Protocol, "protocol", false, "the SMTP dialogue")
	c.Flags().BoolVar(&r.Rules, "rules", false, "each rule tried")
}

// tracedMail are the flags for whose mail is traced.
func tracedMail(c *cobra.Command, r *daemon.TraceRequest) {
	f := c.Flags()
	f.StringVar(&r.ClientIP, "client-ip", "", "only of this `ADDRESS` or network")
	f.StringVar(&r.Sender, "sender", "", "only of messages from this `ADDRESS`")
	f.StringVar(&r.Recipient, "recipient", "", "only of messages to this `ADDRESS`")
}

// askTrace switches it.
func (a *app) askTrace(c *cobra.Command, r daemon.TraceRequest) error {
	if _, err := parseClient(r.ClientIP); err != nil {
		return err
	}
	places, err := a.places()
	if err != nil {
		return err
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
