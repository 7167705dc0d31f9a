package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// mostMessage bounds a message that is explained, in octets.
const mostMessage = 256 << 20

// explanation is the command line of explain.
type explanation struct {
	clientIP, clientHost, helo, sender, tls, user string
	recipients                                    []string
	size                                          int64
	online, offline                               bool
	answers, at, ref                              string
	standing, redact                              bool
}

func (a *app) explain() *cobra.Command {
	var x explanation
	c := &cobra.Command{
		Use:   "explain [MESSAGE.eml|-]",
		Short: "what each stage would do to this message, and why",
		Long: `Explain judges a message by the policy file as it would be judged live, and shows
what each stage did: the attributes that rules asked for with their values, each
rule tried and what decided about it, the weight so far, the verdict and reply,
what would change in the header, and the usage records with their prices: those
of a period in which nothing was used before. With --standing the clients'
accounts are asked of the daemon: a quota or a balance that is used up refuses as
live, and prices are those of the period as it stands; without, neither refuses
anybody, and explain says that they were not asked for. Nothing is sent,
journalled, remembered or charged.

With --ref it shows what the journals know of a message that came, and what they
do not; with the message, or --policy, beside it what would happen now.

Without a message only the envelope is judged, up to RCPT. What the command line
does not say of the envelope is taken from the message: the sender from
Return-Path or From, recipients from Delivered-To, X-Original-To or To and Cc.
Greylisting sees every client for the first time. Clients of Redis are those
that the gateway keeps in state_dir; where none are kept, or they cannot be read,
who is not the policy's is deferred, and explain says so.

Look-ups: --online (the default) asks DNS and the inspectors as live mail does;
--offline asks nobody, and what hangs on it is not known; --answers takes what
DNS says from the table [dns] of a file, as cases of "tollgate test" have it.`,
		Example: `  tollgate explain --client-ip 192.0.2.7 --helo mail.example.com lottery.eml
  tollgate explain --client-ip 192.0.2.7 --sender a@example.com --recipient ivan@example.org
  tollgate explain --ref 4v1kz8m2p0q3
  tollgate explain --ref 4v1kz8m2p0q3 --policy policy.toml.new lottery.eml
  tollgate explain --offline --json - < lottery.eml | jq '.verdict, .weight'`,
		Args: counted(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			var text []byte
			if len(args) > 0 {
				if args[0] == "" {
					return usagef("the name of the message is empty: \"-\" is standard input")
				}
				var err error
				if text, err = a.readMessage(args[0]); err != nil {
					return err
				}
			}
			if x.ref != "" {
				now := text != nil || c.Flag("policy").Changed
				return a.explainRef(c.Context(), &x, c.Flags().Changed("sender"), now, text)
			}
			e, err := a.explained(c.Context(), &x, c.Flags().Changed("sender"), text)
			if err != nil {
				return err
			}
			if x.redact {
				a.redactions().explanation(e)
			}
			if a.json {
				return printJSON(a.out, e)
			}
			return away(printExplanation(a.printer(), e))
		},
	}
	f := c.Flags()
	f.StringVar(&x.clientIP, "client-ip", "", "the SMTP client's `ADDRESS`")
	f.StringVar(&x.clientHost, "client-host", "", "its verified DNS `NAME`; none without")
	f.StringVar(&x.helo, "helo", "", "its HELO `NAME`")
	f.StringVar(&x.sender, "sender", "", "the envelope sender's `ADDRESS`; \"\" is the null sender")
	f.StringArrayVar(&x.recipients, "recipient", nil, "an envelope recipient's `ADDRESS`; several times for several")
	f.StringVar(&x.tls, "tls", "", "the session is encrypted, with this `VERSION` such as TLSv1.3")
	f.StringVar(&x.user, "auth-user", "", "the client has authenticated as this `USER`")
	x.size = -1
	f.Var((*sizeFlag)(&x.size), "size", "the `SIZE` that MAIL declares, such as \"10 MiB\" or in bytes; none without")
	f.BoolVar(&x.online, "online", false, "ask DNS and inspectors (the default)")
	f.BoolVar(&x.offline, "offline", false, "ask nobody")
	f.StringVar(&x.answers, "answers", "", "what DNS answers, from this `FILE`")
	f.StringVar(&x.ref, "ref", "", "what the journals know of this `REF`, or queue id; with a message or --policy what would happen now, too")
	f.BoolVar(&x.standing, "standing", false, "quotas, balances and prices are those of the clients' accounts as the daemon has them, not of an empty period")
	f.BoolVar(&x.redact, "redact", false, "show "+redactHelp)
	f.StringVar(&x.at, "time", "", "judge it as of this `TIME`, such as \"2026-11-23 10:00\"; now without")
	c.MarkFlagsMutuallyExclusive("online", "offline", "answers")
	return c
}

// readMessage reads a file, or standard input for "-".
func (a *app) readMessage(name string) ([]byte, error) {
	in := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, notThere(err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, mostMessage+1))
	switch {
	case err != nil:
		return nil, away(err)
	case len(text) > mostMessage:
		return nil, usagef("%s: larger than %d MiB", name, mostMessage>>20)
	case len(text) == 0:
		return nil, usagef("%s: there is no message in it", name)
	}
	return text, nil
}

// explained judges the message of a command line.
func (a *app) explained(ctx context.Context, x *explanation, nullSender bool, text []byte) (e *trial.Explanation, err error) {
	cfg, problems := config.Load(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return nil, silent(exitPolicy)
	}
	m, err := x.message(nullSender, text)
	if err != nil {
		return nil, err
	}
	kept := assemble.KeptClients(cfg)
	o := trial.Options{Config: cfg, Clients: kept.Directory()}
	switch {
	case x.answers != "":
		answers, err := trial.ReadAnswers(x.answers)
		if err != nil {
			return nil, notThere(err)
		}
		o.Lookups = answers
	case !x.offline:
		o.Lookups, o.Inspectors = &assemble.Resolvers{}, &assemble.Inspectors{Folder: os.TempDir()}
	}
	if x.at != "" {
		at, err := parseWhen(x.at, time.Now())
		if err != nil {
			return nil, usagef("--time %q: %w", x.at, err)
		}
		o.Now = func() time.Time { return at.at }
	}
	var standing standing
	if x.standing {
		if standing, err = a.standingOf(ctx, cfg, o.Clients); err != nil {
			return nil, err
		}
	}
	o.Standings = standing.all
	b, err := trial.New(ctx, o)
	if err != nil {
		return nil, away(err)
	}
	defer func() { err = errors.Join(err, away(b.Close())) }()
	outcome, err := b.Judge(ctx, *m)
	if err != nil {
		return nil, away(err)
	}
	if err := trial.Price(cfg, outcome.Records, standing.used); err != nil {
		return nil, away(err)
	}
	e = trial.Explain(outcome)
	e.Clients, e.Standing = kept.About(), standing.said(o.Clients)
	return e, nil
}

// message is what the command line and the text say together.
func (x *explanation) message(nullSender bool, text []byte) (*trial.Message, error) {
	addr, err := trial.ParseClient(x.clientIP)
	if err != nil {
		return nil, usagef("--client-ip %w", err)
	}
	sender, recipients := trial.Guess(text)
	if x.sender != "" || nullSender {
		sender = x.sender
	}
	if len(x.recipients) > 0 {
		recipients = x.recipients
	}
	if len(recipients) == 0 {
		return nil, usagef("to whom? Name recipients with --recipient")
	}
	m := &trial.Message{Client: trial.Peer(addr, x.clientHost, ""), Helo: x.helo, Recipients: recipients, Text: text}
	m.Envelope.Sender, m.Envelope.Size, m.Envelope.TLSVersion = sender, x.size, x.tls
	if x.user != "" {
		m.Envelope.AuthType, m.Envelope.AuthUser = "PLAIN", x.user
	}
	return m, nil
}

// printExplanation is an explanation for eyes.
func printExplanation(p *printer, e *trial.Explanation) error {
	for i := range e.Stages {
		p.stage(&e.Stages[i])
	}
	p.line("")
	if e.Rule != "" {
		p.paint(ofVerdict(e.Verdict), "verdict: %s by rule %s", e.Verdict, e.Rule)
	} else {
		p.paint(ofVerdict(e.Verdict), "verdict: %s", e.Verdict)
	}
	p.line("weight: %s", e.Weight)
	if e.Reply != "" {
		p.line("reply: %s", e.Reply)
	}
	if e.Reason != "" {
		p.line("reason: %s", e.Reason)
	}
	if len(e.Header) > 0 {
		p.line("header:")
	}
	for _, c := range e.Header {
		paint := good
		if c.Op == "-" {
			paint = bad
		}
		p.paint(paint, "  %s %s: %s", c.Op, c.Name, strings.ReplaceAll(c.Value, "\n", ""))
	}
	if len(e.Records) > 0 {
		p.line("records:")
	}
	for _, r := range e.Records {
		cost := ""
		if r.Cost != "" {
			cost = fmt.Sprintf(", %s %s by tariff %s", r.Cost, r.Currency, r.Tariff)
		}
		who := "client " + r.Client
		if r.Payer == accounting.BySender {
			who += " that sends"
		}
		p.line("  %s: %s, %d bytes, %d charged%s", r.Recipient, who, r.Size, r.Charged, cost)
	}
	if e.Standing == notAsked {
		p.line("quotas and balances of clients were not asked for: live mail of a client that has used its up is refused; --standing asks the daemon")
	}
	p.clients(e.Clients)
	return p.err
}

// printer prints lines of outsiders' text, safe to be shown.
type printer struct {
	out      io.Writer
	coloured bool
	err      error
}

func (p *printer) line(format string, args ...any) { p.paint(plainLine, format, args...) }

// paint prints a line in a colour, where there are any.
func (p *printer) paint(c colour, format string, args ...any) {
	if p.err != nil {
		return
	}
	s := visible(fmt.Sprintf(format, args...))
	if p.coloured && c != plainLine {
		s = string(c) + s + noColour
	}
	_, p.err = fmt.Fprintln(p.out, s)
}

// ofVerdict is the colour of one.
func ofVerdict(verdict string) colour {
	if verdict == "accept" {
		return good
	}
	return bad
}

func (p *printer) stage(s *trial.Stage) {
	head := s.Stage
	if s.Recipient != "" {
		head += " " + s.Recipient
	}
	p.paint(strong, "%s", head)
	for _, at := range s.Attributes {
		switch {
		case at.Error != "":
			p.line("    %s: not known now: %s", at.Name, at.Error)
		case at.Unknown:
			p.line("    %s: not known, nobody was asked", at.Name)
		case len(at.Values) == 0:
			p.line("    %s: none", at.Name)
		}
		for _, v := range at.Values {
			p.line("    %s = %s", at.Name, v)
		}
		if at.More > 0 {
			p.line("    %s: and %d more", at.Name, at.More)
		}
	}
	for _, r := range s.Rules {
		sign, gives := "-", ""
		if r.Matched {
			sign = "+"
			if r.Weight != "0" {
				gives += ", weight " + r.Weight
			}
			if r.Action != "continue" {
				gives += ", " + r.Action
			}
			switch {
			case r.Shadow:
				gives += " (shadow: without effect)"
			case r.Again:
				gives += " (counted already)"
			}
		}
		why := ""
		if !r.Matched && r.Error == "" {
			why = " did not match"
		}
		if r.Clause != "" {
			why += ": " + r.Clause + " " + r.Attribute
			if r.Value != "" {
				why += " = " + shorten(r.Value, 200)
			}
		}
		if r.Error != "" {
			why += ": not known now: " + r.Error
		}
		paint := plainLine
		if r.Matched {
			paint = strong
		}
		p.paint(paint, "  %s %s%s%s", sign, r.Rule, why, gives)
	}
	for _, t := range s.Thresholds {
		p.paint(strong, "  + %s", passedText(&t))
	}
	switch {
	case s.Reply != "":
		p.line("  = %s: %s (%s)", s.Verdict, s.Reply, s.Reason)
	case s.Verdict != "":
		p.line("  = %s", s.Verdict)
	}
	p.line("  weight %s", s.Weight)
}
