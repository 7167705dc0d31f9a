package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/canary"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/history"
)

func (a *app) canary() *cobra.Command {
	c := &cobra.Command{
		Use:   "canary",
		Short: "put a candidate in force for a part of the mail",
		Long: `Canary puts a policy in force for a part of the mail and a time, on this gateway
alone. The old policy judges the same messages beside it, without effect: when
the candidate refuses what the old one does not, beyond a band, or there are
internal faults, or it is slow, the old policy is in force for all mail again,
at once and by itself; status and log say so, until "canary stop" acknowledges it.`,
		Example: `  tollgate canary start ./candidate.toml --share 10% --for 1h
  tollgate canary status
  tollgate canary promote`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef("which command? %q lists them", c.CommandPath()+" --help")
		},
	}
	c.AddCommand(a.canaryStart(),
		a.canaryAsk("status", "how the canary fares, or how the last one ended", daemon.CmdCanary),
		a.canaryAsk("stop", "put the old policy in force for all mail again, or acknowledge that it is", daemon.CmdCanaryStop), a.canaryPromote())
	return c
}

func (a *app) canaryStart() *cobra.Command {
	var share, band, message string
	var networks, recipients []string
	lasts := timeFlag(time.Hour)
	c := &cobra.Command{
		Use:   "start FILE",
		Short: "put a candidate in force for a part of the mail",
		Long: `Start chooses by the sending site (the registrable domain of the client's
verified name, else its /24 or /64), with a key of its own, so that all tries
of a sender meet one policy: --share of the sites, and all of --networks. With
--recipients the first accepted recipient of a message decides; one of the
other part is answered 452 4.5.3 and comes in a transaction of its own.

It ends after --for, when the candidate's file changes and a reload is given,
and by itself when of the messages judged by both surely more than --band are
refused by the candidate and not by the old policy. A restart goes on with it.`,
		Example: `  tollgate canary start ./candidate.toml --share 10% --for 1h
  tollgate canary start ./candidate.toml --recipients postmaster@example.org --for 30m`,
		Args: counted(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r := daemon.CanaryRequest{File: absolute(args[0]), Recipients: recipients, Seconds: int64(time.Duration(lasts) / time.Second), Message: message}
			if share == "" && len(networks) == 0 && len(recipients) == 0 {
				return usagef("for which mail? Name a part of it with --share 10%%, --networks or --recipients")
			}
			var err error
			if share != "" {
				if r.Share, err = canary.ParseShare(share); err != nil {
					return usagef("--share %v", err)
				}
			}
			if r.Band, err = canary.ParseShare(band); err != nil {
				return usagef("--band %v", err)
			}
			for _, n := range networks {
				p, err := parseClient(n)
				if err != nil {
					return err
				}
				r.Networks = append(r.Networks, p)
			}
			if err := a.askCanary(c, daemon.CmdCanaryStart, r); err != nil {
				return err
			}
			return a.ownFolder(r.File)
		},
	}
	f := c.Flags()
	f.StringVar(&share, "share", "", "of the sending sites, a `SHARE` such as 10%")
	f.StringSliceVar(&networks, "networks", nil, "`NETWORKS` of clients")
	f.StringSliceVar(&recipients, "recipients", nil, "`ADDRESSES`, or @domain")
	f.Var(&lasts, "for", "how long, a `TIME` such as 30m or 2d")
	f.StringVar(&band, "band", "5%", "the `SHARE` that it may refuse besides")
	f.StringVar(&message, "message", "", "why, for the history: a `TEXT`")
	return c
}

// ownFolder warns of a candidate that promote could not put in the policy's place: there
// its relative paths would name other files.
func (a *app) ownFolder(candidate string) error {
	if filepath.Dir(candidate) == filepath.Dir(absolute(a.policy)) {
		return nil
	}
	text, err := os.ReadFile(candidate)
	if err != nil {
		return away(err)
	}
	names, err := config.Relative(candidate, string(text))
	if err != nil {
		return away(err)
	}
	for _, name := range names {
		there, err := os.Stat(filepath.Join(filepath.Dir(absolute(a.policy)), name))
		here, hereErr := os.Stat(filepath.Join(filepath.Dir(candidate), name))
		if err == nil && hereErr == nil && os.SameFile(there, here) {
			continue
		}
		fmt.Fprintf(a.err, "tollgate: %q is a path from the folder of %s: \"tollgate canary promote\" cannot put it in force like that; write whole paths, or let the candidate stand beside %s\n", name, candidate, a.policy)
		break
	}
	return nil
}

func (a *app) canaryAsk(name, short, command string) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Long: strings.ToUpper(name[:1]) + name[1:] + ` prints how many messages the candidate has judged, how many of them it
refused that the old policy did not, and how the canary ended, where it did. Exit
code 1: there is none.`,
		Example: "  tollgate canary " + name,
		Args:    alone,
		RunE:    func(c *cobra.Command, _ []string) error { return a.askCanary(c, command, nil) },
	}
}

func (a *app) askCanary(c *cobra.Command, command string, request any) error {
	places, err := a.places()
	if err != nil {
		return err
	}
	var s canary.State
	if err := a.ask(c.Context(), places.StateDir, command, request, &s); err != nil {
		return err
	}
	if a.json {
		err = printJSON(a.out, s)
	} else {
		err = away(printCanary(a.out, &s))
	}
	if err == nil && s.Started.IsZero() {
		err = silent(exitNegative)
	}
	return err
}

func printCanary(out io.Writer, s *canary.State) error {
	if s.Started.IsZero() {
		_, err := fmt.Fprintln(out, "there has been no canary")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("candidate", "%s, version %s", visible(s.File), s.Version)
	var of []string
	if s.Share > 0 {
		of = append(of, percent(s.Share)+" of the sending sites")
	}
	for _, n := range s.Networks {
		of = append(of, n.String())
	}
	of = append(of, s.Recipients...)
	row("for", "%s", visible(strings.Join(of, ", ")))
	row("from", "%s to %s, by %s", local(s.Started), local(s.Until), visible(s.By))
	row("judged", "%d by both; %d refused by the candidate alone, %d by the old policy alone; %d faults, %d slow", s.Judged, s.Refused, s.Let, s.Faults, s.Slow)
	if s.Running() {
		row("state", "under way; at most %s may be refused besides", percent(s.Band))
	} else {
		row("state", "over since %s: %s", local(s.Ended), visible(s.Reason))
	}
	switch {
	case s.BySelf():
		row("", "it went back by itself: \"tollgate canary stop\" acknowledges that")
	case s.Seen != "":
		row("", "it went back by itself, acknowledged by %s", visible(s.Seen))
	}
	return w.Flush()
}

func (a *app) canaryPromote() *cobra.Command {
	message, over := "", false
	c := &cobra.Command{
		Use:   "promote",
		Short: "make the candidate the policy of all mail",
		Long: `Promote writes the candidate's file in place of the policy's, keeps that
beside it as NAME.before-TIME, and reloads. It is for who may write the
policy. Paths in the candidate must mean the same there (let it stand beside
the policy, or write whole paths): otherwise nothing is changed; nor is it
where the policy's file was edited since it was loaded, for the candidate does
not have that edit, unless --replace is given. Exit code 1: no canary is under
way, or it is refused.`,
		Example: `  tollgate canary promote --message "fewer false positives"`,
		Args:    alone,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := a.places()
			if err != nil {
				return err
			}
			var s canary.State
			if err := a.ask(c.Context(), places.StateDir, daemon.CmdCanary, nil, &s); err != nil {
				return err
			}
			if !s.Running() {
				return &failure{exitNegative, errors.New("no canary is under way")}
			}
			if err := mayWrite(a.policy); err != nil {
				return &failure{exitNegative, err}
			}
			if a.edited() && !over {
				return &failure{exitNegative, fmt.Errorf("%s was edited since it was loaded, and the candidate does not have that edit (\"tollgate policy diff\" shows it): put it into the candidate and start that, or give --replace", a.policy)}
			}
			text, err := os.ReadFile(s.File)
			if err != nil {
				return away(err)
			}
			cfg, problems := config.Load(s.File)
			if problems.Err() != nil || cfg.Gate.Version != s.Version {
				return &failure{exitNegative, fmt.Errorf("%s is not what the canary runs any more: start it again", s.File)}
			}
			if message == "" {
				message = s.Message
			}
			return a.putInForce(c, []durable.File{{Path: absolute(a.policy), Content: text}}, wantedPolicy{hash: cfg.Hash}, daemon.ReloadRequest{How: history.Promote, Message: message})
		},
	}
	c.Flags().StringVar(&message, "message", "", "why, for the history: a `TEXT`")
	c.Flags().BoolVar(&over, "replace", false, "also where the policy's file was edited since it was loaded: the edit is kept beside it")
	return c
}
