package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/postfix"
	"github.com/tollgate-mail/tollgate/internal/setup"
)

// writePolicy puts the policy in its place once it has passed as strictly as can
// be.
func (a *app) writePolicy(text string, old []byte, edited bool) error {
	dir := filepath.Dir(a.policy)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return away(err)
	}
	f, err := os.CreateTemp(dir, ".policy-*.toml")
	if err != nil {
		return away(err)
	}
	defer os.Remove(f.Name()) // gone when it went well
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Chmod(0o640), f.Sync(), f.Close()); err != nil {
		return away(err)
	}
	if _, problems := config.Load(f.Name()); len(problems) > 0 {
		printProblems(a.err, daemon.ProblemRows(problems))
		return silent(exitPolicy)
	}
	// The daemon's user reads it, and cannot write it.
	if g, err := user.LookupGroup("tollgate"); err == nil && os.Geteuid() == 0 {
		if gid, err := strconv.Atoi(g.Gid); err == nil {
			if err := os.Chown(f.Name(), 0, gid); err != nil {
				return away(err)
			}
		}
	}
	if edited {
		kept, err := durable.KeepAside(a.policy, ".before-"+time.Now().UTC().Format("20060102T150405Z"))
		if err != nil {
			return away(err)
		}
		a.say("%s: the policy before", kept)
	}
	if err := os.Rename(f.Name(), a.policy); err != nil {
		return away(err)
	}
	a.say("%s: written", a.policy)
	return nil
}

// bringUp tells Postfix, starts the daemon, attaches it, and sends a message.
func (a *app) bringUp(ctx context.Context, s settingUp, is setup.Answers) error {
	places, err := a.places()
	if err != nil {
		return err
	}
	in := postfix.Instance{Config: places.PostfixConfig}
	if err := a.tellPostfix(ctx, in, s, is); err != nil {
		return err
	}
	if _, err := exec.LookPath("systemctl"); err != nil {
		a.say("now start it (service tollgate start, or tollgate serve), then: tollgate attach && tollgate send-test")
		return nil
	}
	if !s.yes && !a.agreed("Start tollgate (systemctl restart tollgate)?") {
		a.say("nothing was started; then: systemctl start tollgate && tollgate attach && tollgate send-test")
		return nil
	}
	if out, err := exec.CommandContext(ctx, "systemctl", "restart", "tollgate").CombinedOutput(); err != nil {
		return away(fmt.Errorf("systemctl restart tollgate: %w: %s", err, bytes.TrimSpace(out)))
	}
	if err := a.changePostfix(ctx, attaching{yes: s.yes}); err != nil {
		return err
	}
	return a.sendAndFollow(ctx, testMessage{server: "127.0.0.1:25", wait: timeFlag(30 * time.Second)})
}

// tellPostfix has Postfix take mail for the domains, hand it on, and trust who
// sends out.
func (a *app) tellPostfix(ctx context.Context, in postfix.Instance, s settingUp, is setup.Answers) error {
	changes, err := postfixChanges(ctx, in, is)
	if err != nil {
		return away(err)
	}
	if len(changes) == 0 {
		return nil
	}
	for _, c := range changes {
		fmt.Fprintf(a.err, "%s/%s\n", in.Config, visibleLines(c.String()))
	}
	if !s.yes && !a.agreed("Change this in Postfix?") {
		return nil
	}
	if err := in.Apply(ctx, changes); err != nil {
		return away(err)
	}
	if in.Running(ctx) {
		return away(in.Reload(ctx))
	}
	return nil
}

func postfixChanges(ctx context.Context, in postfix.Instance, is setup.Answers) ([]postfix.Change, error) {
	now, err := in.Settings(ctx, "myhostname", "relay_domains", "relay_transport", "mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "mynetworks")
	if err != nil {
		return nil, err
	}
	var changes []postfix.Change
	add := func(name, after string) error {
		before, set, err := in.Get(ctx, name)
		if err == nil && before != after {
			changes = append(changes, postfix.Change{Name: name, Before: before, WasSet: set, After: after})
		}
		return err
	}
	with := func(list string, more ...string) string {
		have := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
		for _, m := range more {
			if !contains(have, m) {
				have = append(have, m)
			}
		}
		return strings.Join(have, " ")
	}
	if !strings.Contains(now["myhostname"], ".") || strings.HasSuffix(now["myhostname"], ".localdomain") {
		// What Postfix says in EHLO is no name of the Internet: many refuse its mail.
		if err := add("myhostname", is.Name); err != nil {
			return nil, err
		}
	}
	known := strings.ToLower(now["mydestination"] + " " + now["virtual_alias_domains"] + " " + now["virtual_mailbox_domains"])
	var domains []string
	for _, d := range is.Domains {
		d = strings.TrimPrefix(d, ".")
		if is.NextHop != "" || !contains(strings.FieldsFunc(known, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }), d) {
			domains = append(domains, d)
		}
	}
	switch {
	case is.NextHop != "":
		host, port, err := net.SplitHostPort(is.NextHop)
		if err != nil {
			return nil, err
		}
		err = errors.Join(add("relay_domains", with(now["relay_domains"], domains...)), add("relay_transport", "relay:["+host+"]:"+port))
		if err != nil {
			return nil, err
		}
	case len(domains) > 0:
		raw, _, err := in.Get(ctx, "mydestination")
		if err == nil {
			err = add("mydestination", with(raw, domains...))
		}
		if err != nil {
			return nil, err
		}
	}
	var nets []string
	for _, n := range is.Outbound {
		nets = append(nets, network(n))
	}
	if len(nets) > 0 {
		if err := add("mynetworks", with(now["mynetworks"], nets...)); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// network is a network as main.cf has it.
func network(p netip.Prefix) string {
	if p.Addr().Is6() {
		return fmt.Sprintf("[%s]/%d", p.Addr(), p.Bits())
	}
	return p.String()
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
