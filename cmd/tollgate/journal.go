package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// journalVerdicts and journalStages are what entries may have.
func journalVerdicts() []string {
	return []string{"accept", "reject", "tempfail", "discard", "hold", "greylist", "aborted", "released", "deleted", "voided", "closed"}
}

func journalStages() []string {
	return []string{"connect", "helo", "mailfrom", "rcptto", "headers", "complete", "hold", "queue", "close"}
}

// looking is a search of the journals as the command line asks for it.
type looking struct {
	journal.Query
	client, since, until, size string
	dir, countBy               string
	last, limit, top           int
	follow, utc, redact        bool
}

func (a *app) journal() *cobra.Command {
	var l looking
	c := &cobra.Command{
		Use:   "journal [" + strings.Join(journal.Kinds(), "|") + "]... [ANYTHING]",
		Short: "find mail: where is it, and why was it refused?",
		Long: `Journal searches the journals, rotated and compressed ones too, and prints what
matches in the order of time, one line a message. ANYTHING is a reference, a
queue id, a Message-ID, a part of an address, or the whole text of a bounce. The
kinds of journals are ` + strings.Join(journal.Kinds(), ", ") + `; where
none is named all are searched but looks, which has who looked.

All conditions must hold, in any case. --sender and --recipient take a whole
address, a part of one, "@domain" for all of a domain, or "<>" for the null
sender. Times: "2h", "3d" or "10 minutes" ago, "today", "yesterday", "tuesday",
"21:40", "24.11.2026", "2026-11-24", "2026-11-24 10:00" in the local time zone
(--utc: in UTC), or RFC 3339. --until a day means to its end.

Exit code 1: nothing was found. What Postfix refuses before it asks a milter (552
at MAIL, 452 for too many recipients, postscreen) is in Postfix's own log only.
It works on the files: no daemon need run.`,
		Example: `  tollgate journal 4v1kz8m2p0q3                          the reference of a refusal
  tollgate journal ivan --since yesterday                a part of an address
  tollgate journal "550 5.7.1 Refused (ref 4v1kz8m2p0q3)"
  tollgate journal show 4v1kz8m2p0q3                     all about one message
  tollgate journal blocks --sender partner.example --since tuesday
  tollgate journal blocks --verdict reject --since today --count-by rule
  tollgate journal -n 20 --size '> 10 MiB'
  tollgate journal -f`,
		ValidArgs: journal.Kinds(),
		Args:      cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := l.prepare(args, time.Now()); err != nil {
				return err
			}
			return a.look(c.Context(), l)
		},
	}
	f := c.Flags()
	f.StringVar(&l.Recipient, "recipient", "", "sent to this `ADDRESS`, or a part of one, or \"@domain\"")
	f.StringVar(&l.Sender, "sender", "", "sent by this `ADDRESS`, or a part of one, \"@domain\", \"<>\"")
	f.StringVar(&l.client, "client-ip", "", "from this `ADDRESS` or network")
	f.StringVar(&l.Host, "host", "", "the client's name has this `TEXT` in it")
	f.StringVar(&l.since, "since", "", "not before this `TIME`")
	f.StringVar(&l.until, "until", "", "before this `TIME`")
	f.StringVar(&l.Ref, "ref", "", "the `REFERENCE` that replies name")
	f.StringVar(&l.QueueID, "queue-id", "", "Postfix's queue `ID`")
	f.StringVar(&l.Rule, "rule", "", "the rule `NAME` decided or matched; or \"threshold above 6\", \"(mta)\" as --count-by rule prints them")
	f.StringVar(&l.MessageID, "message-id", "", "the Message-ID, with or without angle `BRACKETS`")
	f.StringVar(&l.Subject, "subject", "", "the Subject has this `TEXT` in it")
	f.StringVar(&l.Verdict, "verdict", "", "`VERDICT`: "+strings.Join(journalVerdicts(), ", "))
	f.StringVar(&l.Stage, "stage", "", "decided at this `STAGE`: "+strings.Join(journalStages(), ", "))
	f.StringVar(&l.Helo, "helo", "", "the client's HELO `NAME`")
	f.StringVar(&l.Direction, "direction", "", "`DIRECTION`: inbound or outbound")
	f.StringVar(&l.AuthUser, "auth-user", "", "sent by this authenticated `USER`")
	f.StringVar(&l.size, "size", "", "of this `SIZE`: \"> 10 MiB\", \"< 1 KiB\"")
	f.IntVarP(&l.last, "last", "n", 0, "only the newest `N` messages; with --json or --count-by, entries")
	f.IntVar(&l.limit, "limit", 0, "end after `N` of them")
	f.BoolVarP(&l.follow, "follow", "f", false, "go on with what comes")
	f.StringVar(&l.countBy, "count-by", "", "only count, by this `FIELD`: "+strings.Join(countFields(), ", "))
	f.IntVar(&l.top, "top", 0, "with --count-by only the `N` most frequent, and all others as one")
	f.BoolVar(&l.utc, "utc", false, "times are UTC")
	f.BoolVar(&l.redact, "redact", false, "show "+redactHelp)
	f.StringVar(&l.dir, "dir", "", "search this `FOLDER` instead of the policy's")
	conditions(c)
	show := a.journalShow()
	conditions(show)
	c.AddCommand(show, a.journalIndex())
	values(c, "verdict", journalVerdicts)
	values(c, "stage", journalStages)
	values(c, "direction", func() []string { return []string{"inbound", "outbound"} })
	values(c, "count-by", countFields)
	values(c, "rule", a.ruleNames)
	return c
}

// meant is the verdict or stage for which people say a word; "" for none.
func meant(word string) string {
	switch strings.ToLower(word) {
	case "rejected", "refused", "blocked":
		return "reject"
	case "accepted", "passed":
		return "accept"
	case "deferred", "temporary":
		return "tempfail"
	case "discarded", "dropped":
		return "discard"
	case "held", "quarantine":
		return "hold"
	case "greylisted":
		return "greylist"
	case "rcpt":
		return "rcptto"
	case "mail":
		return "mailfrom"
	case "ehlo":
		return "helo"
	case "data", "eom":
		return "complete"
	case "header":
		return "headers"
	}
	return ""
}

// wordOf is oneOf that also knows what people say.
func wordOf(flag, word string, valid []string) error {
	if say := meant(word); slices.Contains(valid, say) {
		return usagef("%s %q: did you mean %q? There are %s", flag, word, say, strings.Join(valid, ", "))
	}
	return oneOf(flag, word, valid)
}

// prepare reads what the command line says.
func (l *looking) prepare(args []string, now time.Time) (err error) {
	var words []string
	for _, arg := range args {
		if slices.Contains(journal.Kinds(), arg) && len(words) == 0 {
			l.Kinds = append(l.Kinds, arg)
			continue
		}
		words = append(words, arg)
	}
	if l.Any, err = anything(words); err != nil {
		return err
	}
	if strings.TrimSpace(l.Recipient) == "<>" {
		return usagef("--recipient \"<>\": no mail has the null address for a recipient")
	}
	if err := wordOf("--verdict", l.Verdict, journalVerdicts()); err != nil {
		return err
	}
	if err := wordOf("--stage", l.Stage, journalStages()); err != nil {
		return err
	}
	if err := oneOf("--direction", l.Direction, []string{"inbound", "outbound"}); err != nil {
		return err
	}
	if err := oneOf("--count-by", l.countBy, countFields()); err != nil {
		return err
	}
	if l.countBy != "" && len(l.Kinds) == 0 {
		l.Kinds = ofMail()
	}
	l.byCause()
	if l.ClientIP, err = parseClient(l.client); err != nil {
		return err
	}
	if l.LeastSize, l.MostSize, err = parseSizes(l.size); err != nil {
		return err
	}
	if l.utc {
		now = now.UTC()
	}
	if l.Since, l.Until, err = parseSpan(l.since, l.until, now); err != nil {
		return err
	}
	switch {
	case l.last < 0:
		return usagef("--last %d: want how many", l.last)
	case l.top < 0:
		return usagef("--top %d: want how many", l.top)
	case l.top > 0 && l.countBy == "":
		return usagef("--top goes with --count-by")
	case l.limit < 0:
		return usagef("--limit %d: want how many", l.limit)
	case l.follow && l.countBy != "":
		return usagef("--count-by counts what is there: it does not go with -f")
	}
	return nil
}

// ofMail are the journals whose entries are of mail: steps of the trace are not.
func ofMail() []string {
	return slices.DeleteFunc(journal.Kinds(), func(k string) bool { return k == journal.Trace || k == journal.Looks })
}

// zone is the one of all times of the command.
func (l *looking) zone() *time.Location {
	if l.utc {
		return time.UTC
	}
	return time.Local
}

// parseClient reads an address or a network; "" is none.
func parseClient(s string) (netip.Prefix, error) {
	p, err := daemon.ParseClient(s)
	if err != nil {
		return p, usagef("%w", err)
	}
	return p, nil
}

func parseSpan(since, until string, now time.Time) (from, to time.Time, err error) {
	if since != "" {
		m, err := parseWhen(since, now)
		if err != nil {
			return from, to, usagef("--since %q: %w", since, err)
		}
		from = m.at
	}
	if until != "" {
		m, err := parseWhen(until, now)
		if err != nil {
			return from, to, usagef("--until %q: %w", until, err)
		}
		to = m.until()
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, usagef("--until %q is not after --since %q", until, since)
	}
	return from, to, nil
}

// ruleNames are those of the policy; none where it cannot be read.
func (a *app) ruleNames() []string {
	cfg, problems := config.Load(a.policy)
	if cfg == nil || problems.Err() != nil {
		return nil
	}
	var names []string
	for _, r := range cfg.Gate.Rules.Rules() {
		names = append(names, r.Name)
	}
	return names
}

// notFound says what may be wrong with a search that found nothing.
func (a *app) notFound(l looking) {
	fmt.Fprintln(a.err, "nothing found")
	for _, word := range l.Any {
		if _, err := daemon.ParseClient(word); err == nil {
			fmt.Fprintf(a.err, "tollgate: --client-ip %s finds the mail of a client by its address\n", visible(word))
		} else if strings.Contains(word, ".") && !strings.ContainsAny(word, "@ ") {
			fmt.Fprintf(a.err, "tollgate: --host %s finds the mail of a client by its name\n", visible(word))
		}
		if near := config.Nearest(word, journal.Kinds()); near != "" {
			fmt.Fprintf(a.err, "tollgate: there is no journal %q; did you mean %q?\n", visible(word), near)
		}
	}
	if l.Rule == "" || journal.NamesThreshold(l.Rule) {
		return
	}
	names := a.ruleNames()
	if len(names) == 0 || slices.Contains(names, l.Rule) {
		return
	}
	if near := config.Nearest(l.Rule, names); near != "" {
		fmt.Fprintf(a.err, "tollgate: the policy has no rule %q; did you mean %q?\n", visible(l.Rule), near)
		return
	}
	fmt.Fprintf(a.err, "tollgate: the policy has no rule %q\n", visible(l.Rule))
}
