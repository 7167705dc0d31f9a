package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/postfix"
)

// opnsense is where OPNsense keeps its own part of the system. Its Postfix is
// rendered from templates, which undo what is changed by hand.
const opnsense = "/usr/local/opnsense"

// attaching is what attach and detach share.
type attaching struct {
	configs     []string // --config
	dryRun, yes bool
	detach      bool
	unmet       bool // no Postfix has connected since the daemon's start
}

// changeRow is a change to Postfix in JSON.
type changeRow struct {
	Config string `json:"config"` // config_directory of the instance
	postfix.Change
	Done bool `json:"done"`
}

func (a *app) attach() *cobra.Command {
	var t attaching
	c := &cobra.Command{
		Use:   "attach",
		Short: "have Postfix ask tollgate",
		Long: `Attach changes Postfix's main.cf by postconf(1) so that it asks tollgate, last of
all milters, for mail that comes by SMTP (smtpd_milters) and for mail of local
programs (non_smtpd_milters); services of master.cf that have a list of their
own get tollgate there. Where this Postfix has smtpd_forbid_bare_newline and
smtpd_forbid_unauth_pipelining, and they are off because nobody has set them,
it sets them, so that no message hides in the text of another. It first finds
out whether Postfix can open the socket from its chroot and as its user, then
says what it would change, asks, changes it, and reloads Postfix. What was there
before is remembered for "tollgate detach". Where nothing is to be changed, and
no Postfix has connected since tollgate's start, it offers to reload Postfix.

tollgate must be running: Postfix defers all mail while it cannot ask.`,
		Example: `  tollgate attach --dry-run      what would change?
  tollgate attach
  tollgate attach --config /etc/postfix-in --yes      an instance of postmulti(1)`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error { return a.changePostfix(c.Context(), t) },
	}
	t.flags(c)
	return c
}

func (a *app) detach() *cobra.Command {
	t := attaching{detach: true}
	c := &cobra.Command{
		Use:   "detach",
		Short: "have Postfix ask tollgate no more",
		Long: `Detach takes tollgate out of Postfix's configuration, says before what it would
change, asks, and reloads Postfix. A parameter that still has what
"tollgate attach" wrote gets its former value back; one that was changed since
loses tollgate and nothing else. Mail passes unjudged and unbilled afterwards.`,
		Example: `  tollgate detach --dry-run
  tollgate detach --yes`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error { return a.changePostfix(c.Context(), t) },
	}
	t.flags(c)
	return c
}

func (t *attaching) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&t.dryRun, "dry-run", false, "only say what would change")
	f.BoolVar(&t.yes, "yes", false, "do not ask")
	f.StringArrayVar(&t.configs, "config", nil, "the config `FOLDER` of an instance, instead of the policy's postfix_config; may be repeated")
}

func (a *app) changePostfix(ctx context.Context, t attaching) error {
	if _, err := os.Stat(opnsense); err == nil {
		return &failure{exitNegative, errors.New("on OPNsense the tollgate plugin attaches Postfix: Services, Tollgate, Attach to Postfix")}
	}
	find := a.places
	if t.dryRun {
		find = a.lookingPlaces
	}
	places, err := find()
	if err != nil {
		return err
	}
	instances, err := t.instances(ctx, places.PostfixConfig)
	if err != nil {
		return err
	}
	rows := []changeRow{}
	if !t.detach {
		var s daemon.Status
		// Where it cannot be asked it is not known whether anybody has connected.
		t.unmet = a.ask(ctx, places.StateDir, daemon.CmdStatus, nil, &s) == nil && s.Milter.Negotiated == 0
	}
	for _, in := range instances {
		changed, err := a.changeInstance(ctx, in, places.Listen, t)
		if err != nil {
			return err
		}
		rows = append(rows, changed...)
	}
	if a.json {
		return printJSON(a.out, rows)
	}
	return nil
}

// instances are those that were named, or the only one.
func (t attaching) instances(ctx context.Context, config string) ([]postfix.Instance, error) {
	var named []postfix.Instance
	for _, dir := range t.configs {
		named = append(named, postfix.Instance{Config: dir})
	}
	if len(named) > 0 {
		return named, nil
	}
	primary := postfix.Instance{Config: config}
	all, err := postfix.Instances(ctx, primary)
	if err != nil {
		return nil, away(err)
	}
	if len(all) > 1 {
		var dirs []string
		for _, in := range all {
			dirs = append(dirs, in.Config)
		}
		return nil, usagef("there are several Postfix instances: name those that are meant, each with --config: %s", strings.Join(dirs, ", "))
	}
	return []postfix.Instance{primary}, nil
}

func (a *app) changeInstance(ctx context.Context, in postfix.Instance, listen []string, t attaching) ([]changeRow, error) {
	plan, err := t.plan(ctx, in, listen)
	if err != nil {
		return nil, away(err)
	}
	for _, note := range plan.Notes {
		fmt.Fprintln(a.err, "tollgate: note:", note)
	}
	rows := []changeRow{}
	for _, c := range plan.Changes {
		rows = append(rows, changeRow{Config: in.Config, Change: c})
	}
	if len(rows) == 0 {
		a.say("%s: nothing to change, tollgate is %s", in.Config, t.state())
		return rows, a.reloadUnmet(ctx, in, t)
	}
	if !a.json || !t.yes {
		for _, r := range rows {
			fmt.Fprintf(a.err, "%s/%s\n", in.Config, visibleLines(r.String()))
		}
	}
	switch {
	case t.dryRun:
		return rows, nil
	case !t.yes && !a.agreed("Change this?"):
		fmt.Fprintln(a.err, "nothing was changed")
		return nil, silent(exitNegative)
	}
	if !t.detach {
		if err := in.Remember(plan.Changes); err != nil {
			return nil, away(fmt.Errorf("what is there now cannot be remembered: %w", err))
		}
	}
	if err := in.Apply(ctx, plan.Changes); err != nil {
		return nil, away(err)
	}
	if t.detach {
		if err := in.Forget(); err != nil {
			return nil, away(err)
		}
	}
	for n := range rows {
		rows[n].Done = true
	}
	if !in.Running(ctx) {
		a.say("%s: tollgate is %s; Postfix does not run now", in.Config, t.state())
		return rows, nil
	}
	if err := in.Reload(ctx); err != nil {
		return nil, away(err)
	}
	a.say("%s: tollgate is %s, Postfix was reloaded", in.Config, t.state())
	return rows, nil
}

// reloadUnmet reloads a Postfix whose configuration is right while none has
// connected: it may not have been reloaded since that, or listen, was changed.
func (a *app) reloadUnmet(ctx context.Context, in postfix.Instance, t attaching) error {
	if !t.unmet || !in.Running(ctx) {
		return nil
	}
	const unmet = "no Postfix has connected since tollgate's start"
	switch {
	case t.dryRun:
		a.say("%s: %s: this one would be reloaded", in.Config, unmet)
		return nil
	case !t.yes && !a.agreed(visible(in.Config)+": "+unmet+". Reload this one?"):
		fmt.Fprintln(a.err, "it was not reloaded")
		return silent(exitNegative)
	}
	if err := in.Reload(ctx); err != nil {
		return away(err)
	}
	a.say("%s: %s: this one was reloaded", in.Config, unmet)
	return nil
}

func (t attaching) state() string {
	if t.detach {
		return "detached"
	}
	return "attached"
}

// plan finds what to change. Only a socket that Postfix can open is attached.
func (t attaching) plan(ctx context.Context, in postfix.Instance, listen []string) (postfix.Plan, error) {
	reach, err := in.Reach(ctx, listen)
	if t.detach {
		if errors.Is(err, postfix.ErrUnreachable) {
			err = nil // and yet it may stand in main.cf
		}
		if err != nil {
			return postfix.Plan{}, err
		}
		return in.Detach(ctx, reach)
	}
	if err == nil {
		err = reach.Check(ctx, in)
	}
	if errors.Is(err, postfix.ErrNoSocket) {
		return postfix.Plan{}, fmt.Errorf("%w: start it first (systemctl start tollgate, or tollgate serve), or all mail would be deferred", err)
	}
	if err != nil {
		return postfix.Plan{}, err
	}
	return in.Attach(ctx, reach)
}

// say prints a line for people; with --json nothing.
func (a *app) say(format string, args ...any) {
	if !a.json {
		fmt.Fprintln(a.out, visible(fmt.Sprintf(format, args...)))
	}
}

// agreed asks. No answer is no.
func (a *app) agreed(question string) bool {
	fmt.Fprintf(a.err, "%s [y/N] ", question)
	in := bufio.NewScanner(a.in)
	if !in.Scan() {
		fmt.Fprintln(a.err)
		return false
	}
	answer := strings.ToLower(strings.TrimSpace(in.Text()))
	return answer == "y" || answer == "yes"
}

// visibleLines is visible, line by line.
func visibleLines(s string) string {
	lines := strings.Split(s, "\n")
	for n, l := range lines {
		lines[n] = visible(l)
	}
	return strings.Join(lines, "\n")
}
