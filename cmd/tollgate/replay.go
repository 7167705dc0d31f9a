package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/replay"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

func (a *app) replay() *cobra.Command {
	var against, answers, changed, since string
	var fromJournal, redact bool
	c := &cobra.Command{
		Use:   "replay PATH... | --journal",
		Short: "judge stored mail by a policy: what changes?",
		Long: `Replay judges stored messages by the policy file, and with --against by another
one besides: it shows which messages that treats otherwise. Nothing is delivered,
remembered or charged. A PATH is a message, a folder of .eml files, a Maildir, a
mailbox (mbox) or a tar of any.

What delivery and tollgate added is taken off first. The envelope is the one that
the policy's journals have under the reference in the report header, else that of
Return-Path, Delivered-To, X-Original-To and the topmost foreign Received; where
nothing tells the recipients they are taken from To and Cc. Each message is
judged as of when it came, by the journal or its own Date, as one that has passed
greylisting. DNS says what the table [dns] of --answers has; what the journal
keeps of a message goes before: the answer by which a rule matched, what the
antivirus and modules that ask a service said. What nothing tells is not known:
the summary says of how many messages, by attribute. Clients of Redis are those
that the gateway keeps in state_dir; the summary says how old they are.

With --journal no message is judged: of each rule it tells from the journals how
often it matched, and how many verdicts it alone decided, under the thresholds of
the version that judged.`,
		Example: `  tollgate replay ~/Maildir
  tollgate replay --against policy.toml.new /var/mail/archive/*.mbox
  tollgate replay --journal --since 30d
  tollgate replay --against new.toml --changed ./changed --json ./corpus | jq .changes`,
		RunE: func(c *cobra.Command, args []string) error {
			o := replay.Options{Changed: changed}
			var err error
			if o.Policy, err = a.loaded(a.policy); err != nil {
				return err
			}
			switch {
			case fromJournal && len(args) > 0:
				return usagef("--journal is about the mail in the journals; it takes no paths")
			case fromJournal:
				return a.replayJournal(c.Context(), o.Policy, since)
			case since != "":
				return usagef("--since is for --journal")
			case len(args) == 0:
				return usagef("which mail? Name messages, folders, Maildirs or mailboxes")
			}
			if changed != "" && against == "" {
				return usagef("--changed: against which policy? Name it with --against")
			}
			if against != "" {
				if o.Against, err = a.loaded(against); err != nil {
					return err
				}
			}
			if answers != "" {
				if o.Answers, err = trial.ReadAnswers(answers); err != nil {
					return notThere(err)
				}
			}
			if changed != "" {
				if err := os.MkdirAll(changed, 0o700); err != nil {
					return away(err)
				}
			}
			if o.Sent, err = a.envelopes(c.Context(), o.Policy); err != nil {
				return away(err)
			}
			step, end := a.progress()
			o.Done = step
			s, err := replay.Run(c.Context(), o, args)
			end()
			if err != nil {
				return notThere(err)
			}
			if redact {
				a.redactions().replay(s)
			}
			if a.json {
				return printJSON(a.out, s)
			}
			return a.printReplay(s)
		},
	}
	f := c.Flags()
	f.StringVar(&against, "against", "", "compare with this policy `FILE`")
	f.BoolVar(&fromJournal, "journal", false, "tell from the journals what each rule decided")
	f.StringVar(&since, "since", "", "with --journal: from this `TIME` on, such as 30d")
	f.StringVar(&answers, "answers", "", "what DNS answers, from this `FILE`")
	f.BoolVar(&redact, "redact", false, "show "+redactHelp)
	f.StringVar(&changed, "changed", "", "copy messages that are treated otherwise to this `FOLDER`")
	return c
}

// loaded is a policy, or the failure that it is bad.
func (a *app) loaded(file string) (*config.Config, error) {
	cfg, problems := config.Load(file)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return nil, silent(exitPolicy)
	}
	return cfg, nil
}

// printReplay is the summary for eyes.
func (a *app) printReplay(s *replay.Summary) error {
	p := &printer{out: a.out}
	for _, c := range s.Changes {
		p.line("%s", c.Path)
		p.line("    %s", outcomeLine(c.Before))
		p.line("    %s", outcomeLine(c.After))
	}
	for _, u := range s.Unread {
		p.line("%s (left out)", u)
	}
	line := daemon.Plural(s.Messages, "message") + ": " + verdictCounts(s.Verdicts)
	if s.Against != nil {
		line += fmt.Sprintf("; against: %s; %d changed", verdictCounts(s.Against), len(s.Changes)+s.More)
	}
	p.line("%s", line)
	if s.Guessed > 0 {
		p.line("of %d the recipients are those of To and Cc", s.Guessed)
	}
	if s.FromJournal > 0 {
		p.line("of %d the envelope is that of the journal", s.FromJournal)
	}
	if s.More > 0 {
		p.line("and %d more changes", s.More)
	}
	for _, u := range s.Unknown {
		p.line("%s was not known, and a rule hangs on it: %s", u.Attribute, daemon.Plural(u.Messages, "message"))
	}
	p.clients(s.Clients)
	p.histogram(s.Weights)
	for _, r := range s.Rules {
		hits := fmt.Sprintf("%d", r.Hits)
		if s.Against != nil {
			hits += fmt.Sprintf(" -> %d", r.Against)
		}
		p.line("  %s: %s", r.Rule, hits)
	}
	return away(p.err)
}

// histogram is how many messages have which weight.
func (p *printer) histogram(weights []replay.WeightCount) {
	most := 1
	for _, w := range weights {
		most = max(most, w.Messages)
	}
	for _, w := range weights {
		p.line("  weight %4d to below %d: %7d %s", w.From, w.From+1, w.Messages, strings.Repeat("#", (w.Messages*40+most-1)/most))
	}
}

func outcomeLine(o replay.Outcome) string {
	s := fmt.Sprintf("%s, weight %s, %d charged", o.Verdict, o.Weight, o.Charged)
	if o.Rule != "" {
		s += ", by " + o.Rule
	}
	if o.Tags != "" {
		s += ", adds " + o.Tags
	}
	return s + ": " + shorten(o.Subject, 80)
}

func verdictCounts(counts map[string]int) string {
	var all []string
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[v], v))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
