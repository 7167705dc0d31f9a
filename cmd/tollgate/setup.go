package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/confine"
	"github.com/tollgate-mail/tollgate/internal/postfix"
	"github.com/tollgate-mail/tollgate/internal/setup"
	"github.com/tollgate-mail/tollgate/internal/survey"
)

// untouched is in the policy that is installed, until it is edited.
const untouched = "EDIT THIS LINE"

// settingUp is what setup was told.
type settingUp struct {
	name, domains, nextHop, outbound, antivirus, store string
	yes, force, policyOnly                             bool
}

func (a *app) setup() *cobra.Command {
	var s settingUp
	c := &cobra.Command{
		Use:   "setup",
		Short: "six questions, a policy, and the first message",
		Long: `Setup asks what this gateway is called, which domains' mail comes here, where
that mail goes, who may send out, and about an antivirus and a store that it has
found. It writes a commented policy, tells Postfix domains and next hop, starts
tollgate, attaches it, sends a test message and shows what became of it; each
step that changes something is asked about first. What a flag answers is not
asked. A policy that somebody has edited is replaced with --force only, and kept
beside the new one.`,
		Example: `  tollgate setup
  tollgate setup --domains example.org --next-hop mail.example.org --outbound 10.0.0.0/8 --yes
  tollgate setup --policy ./policy.toml --policy-only --name mx1.example.org --domains example.org --next-hop local --outbound none --yes`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error { return a.setUp(c.Context(), c, s) },
	}
	f := c.Flags()
	f.StringVar(&s.name, "name", "", "the gateway's `NAME`")
	f.StringVar(&s.domains, "domains", "", "whose mail comes here, `DOMAINS` with commas between")
	f.StringVar(&s.nextHop, "next-hop", "", "the `HOST` or host:port that gets it, or \"local\"")
	f.StringVar(&s.outbound, "outbound", "", "who may send anywhere: `NETWORKS` with commas between, and with them who has logged in; \"users\", these alone; or \"none\"")
	f.StringVar(&s.antivirus, "antivirus", "", "the `ADDRESS` of clamd, as unix:/path or tcp:host:port, or \"none\"")
	f.StringVar(&s.store, "store", "", "host:port of a `REDIS`, or \"embedded\"")
	f.BoolVar(&s.yes, "yes", false, "do not ask; what no flag answers is as it was found")
	f.BoolVar(&s.force, "force", false, "replace a policy that was edited")
	f.BoolVar(&s.policyOnly, "policy-only", false, "write the policy, and nothing else")
	return c
}

// errEdited: somebody's own policy is not overwritten.
var errEdited = errors.New("this policy was edited: --force replaces it, and keeps it beside the new one")

func (a *app) setUp(ctx context.Context, c *cobra.Command, s settingUp) error {
	old, err := os.ReadFile(a.policy)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return away(err)
	}
	edited := len(bytes.TrimSpace(old)) > 0 && !bytes.Contains(old, []byte(untouched)) && !setup.Untouched(string(old))
	if edited && !s.force {
		return &failure{exitNegative, fmt.Errorf("%s: %w", a.policy, errEdited)}
	}
	answers, err := a.questions(ctx, c, s)
	if err != nil {
		return err
	}
	if err := a.writePolicy(answers.Policy(), old, edited); err != nil {
		return err
	}
	a.tryServices(ctx, answers)
	if s.policyOnly {
		return nil
	}
	return a.bringUp(ctx, s, answers)
}

// interview asks one question after the other of the same input.
type interview struct {
	*app
	in   *bufio.Scanner
	yes  bool
	flag func(string) bool // whether a flag was given
}

// ask puts a question until its answer can be read. Nothing is the proposal, where there
// is one.
func (i *interview) ask(flag, given, question, proposal string, read func(string) error) error {
	if i.flag(flag) {
		if err := read(given); err != nil {
			return usagef("--%s: %w", flag, err)
		}
		return nil
	}
	for {
		answer := proposal
		if !i.yes {
			fmt.Fprint(i.err, question, proposed(proposal), "\n> ")
			if !i.in.Scan() {
				return usagef("no answer; --%s answers this", flag)
			}
			if text := strings.TrimSpace(i.in.Text()); text != "" {
				answer = text
			}
		}
		err := read(answer)
		if err == nil {
			return nil
		}
		if i.yes {
			return usagef("--%s: %w", flag, err)
		}
		fmt.Fprintln(i.err, "  "+err.Error())
	}
}

// proposed shows a proposal.
func proposed(text string) string {
	if text == "" {
		return ""
	}
	return " [" + text + "]"
}

// elsewhere reads a next hop that is not this gateway: mail would go round for ever.
func elsewhere(name, text string) (string, error) {
	hop, err := setup.ParseNextHop(text)
	if host, _, _ := net.SplitHostPort(hop); err == nil && host != "" && strings.EqualFold(host, name) {
		return "", fmt.Errorf("%s is this gateway: its mail would come back to it; \"local\" is for mailboxes on this machine", host)
	}
	return hop, err
}

// tryServices says which of the services that were named does not answer: mail waits
// for an antivirus, and records for a store.
func (a *app) tryServices(ctx context.Context, is setup.Answers) {
	try := func(what, network, address, meanwhile string) {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			fmt.Fprintf(a.err, "warning: %s: %v; until it answers, %s\n", what, err, meanwhile)
			return
		}
		_ = c.Close()
	}
	if is.Antivirus != "" {
		network, address, _ := strings.Cut(is.Antivirus, ":")
		try("the antivirus", network, address, "all mail is deferred")
	}
	if is.Redis != "" {
		try("the store", "tcp", is.Redis, "records wait in the spool")
	}
}

func (a *app) questions(ctx context.Context, c *cobra.Command, s settingUp) (setup.Answers, error) {
	is := setup.Answers{Confine: confine.Able() == nil}
	i := &interview{app: a, in: bufio.NewScanner(a.in), yes: s.yes, flag: c.Flags().Changed}
	a.in = rest{i.in} // what attaching asks is answered by the lines after these
	host, mail := here(ctx)
	keep := func(into *string, read func(string) (string, error)) func(string) error {
		return func(text string) (err error) { *into, err = read(text); return err }
	}
	for _, q := range []struct {
		flag, given, text, proposal string
		read                        func(string) error
	}{
		{"name", s.name, "1/6 What is this gateway called in the Internet?", host, keep(&is.Name, setup.ParseName)},
		{"domains", s.domains, "2/6 Whose mail comes here? Domains, with commas between", mail, func(t string) (err error) { is.Domains, err = setup.ParseDomains(t); return err }},
		{"next-hop", s.nextHop, "3/6 Where does it go? A host, or \"local\" for mailboxes on this machine", "local", keep(&is.NextHop, func(t string) (string, error) { return elsewhere(is.Name, t) })},
		{"outbound", s.outbound, "4/6 Who may send anywhere? Networks, \"users\" (who has logged in), or \"none\"", "none", func(t string) (err error) {
			is.Outbound, is.LoggedIn, err = setup.ParseSenders(t)
			return err
		}},
		{"antivirus", s.antivirus, "5/6 Which antivirus? The address of clamd, or \"none\"", foundClamd(ctx), keep(&is.Antivirus, func(t string) (string, error) { return given(t, "none", "unix:", "tcp:") })},
		{"store", s.store, "6/6 Where is the account kept? host:port of a Redis that gateways share, or \"embedded\"", "embedded", keep(&is.Redis, func(t string) (string, error) {
			if t == "embedded" {
				return "", nil
			}
			_, _, err := net.SplitHostPort(t)
			return t, err
		})},
	} {
		if q.flag == "store" && foundRedis() {
			q.text += " (a Redis answers at 127.0.0.1:6379)"
		}
		if err := i.ask(q.flag, q.given, q.text, q.proposal, q.read); err != nil {
			return is, err
		}
	}
	return is, nil
}

// rest is what a scanner has not given out yet, line by line.
type rest struct{ in *bufio.Scanner }

func (r rest) Read(p []byte) (int, error) {
	if !r.in.Scan() {
		return 0, errors.Join(r.in.Err(), fs.ErrClosed)
	}
	return copy(p, r.in.Text()+"\n"), nil
}

// given reads an address with one of the beginnings, or the word for none.
func given(text, none string, beginnings ...string) (string, error) {
	if text == none {
		return "", nil
	}
	for _, b := range beginnings {
		if strings.HasPrefix(text, b) && !strings.ContainsAny(text, "\"\\ ") {
			return text, nil
		}
	}
	return "", fmt.Errorf("%q: want %s..., or %s", text, strings.Join(beginnings, "... or "), none)
}

// here is what this machine and its Postfix call themselves and their mail.
func here(ctx context.Context) (host, domain string) {
	host, _ = os.Hostname() // a proposal
	if v, err := (postfix.Instance{Config: "/etc/postfix"}).Settings(ctx, "myhostname", "mydomain"); err == nil {
		host, domain = v["myhostname"], v["mydomain"]
	}
	if _, parent, ok := strings.Cut(host, "."); ok && !strings.Contains(domain, ".") {
		domain = parent
	}
	return proposals(host, domain)
}

// proposals are the names that can be answered with, "" for others: a machine that was
// just installed is "debian", or "debian.localdomain".
func proposals(host, domain string) (string, string) {
	if _, err := setup.ParseName(host); err != nil || strings.HasSuffix(host, ".localdomain") {
		host = ""
	}
	if _, err := setup.ParseDomains(domain); err != nil {
		domain = ""
	}
	return host, domain
}

// foundClamd is the first place where a clamd answers, or "none".
func foundClamd(ctx context.Context) string {
	for _, addr := range []string{"unix:/run/clamav/clamd.ctl", "unix:/var/run/clamav/clamd.sock", "tcp:127.0.0.1:3310"} {
		if survey.ClamdAnswers(ctx, addr) == nil {
			return addr
		}
	}
	return "none"
}

func foundRedis() bool {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:6379", time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
