package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func (h *host) remove(ctx context.Context) error {
	_, marked, err := delivered()
	if err != nil {
		return err
	}
	if _, err := h.run(ctx, "dpkg", "-r", "tollgate"); err != nil {
		return err
	}
	// An smtpd(8) from before the reload may still ask, and defer.
	if _, err := h.send(ctx, "without us"); err != nil {
		return err
	}
	after, err := h.arrived(ctx, "without us", "beside a bad policy")
	if err == nil && after > marked+1 { // what was still on its way
		err = errors.New("a message has the mark of who is not there")
	}
	return errors.Join(err, h.untouched(), absent("/usr/sbin/tollgate", "/etc/postfix/tollgate.attached"),
		present(policyFile, "/var/log/tollgate", state))
}

// purge is tried with a record that no store has taken: there is no Redis where
// the policy says.
func (h *host) purge(ctx context.Context) error {
	if _, err := h.run(ctx, "dpkg", "-i", h.fresh); err != nil {
		return err
	}
	// It was configured before: it is started, and not attached.
	if err := errors.Join(h.active(ctx, "tollgate", "active"), h.untouched()); err != nil {
		return err
	}
	policy, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	if err := os.WriteFile(policyFile, append(policy, "\n[redis]\naddrs = [\"127.0.0.1:1\"]\n"...), 0o640); err != nil {
		return err
	}
	for _, c := range [][]string{{"tollgate", "check"}, {"systemctl", "restart", "tollgate"}, {"tollgate", "attach", "--yes"}} {
		if _, err := h.run(ctx, c[0], c[1:]...); err != nil {
			return err
		}
	}
	if err := h.judged(ctx, "without a store"); err != nil {
		return err
	}
	out, err := h.run(ctx, "dpkg", "-P", "tollgate")
	if err != nil {
		return err
	}
	if !strings.Contains(out, "kept: "+state+"/spool") || !strings.Contains(out, state+"/account.db") {
		return fmt.Errorf("what is kept is not said: %s", out)
	}
	segments, err := filepath.Glob(state + "/spool/*.seg")
	if err == nil && len(segments) == 0 {
		err = errors.New("the record is gone")
	}
	return errors.Join(err, h.untouched(), present(state+"/account.db", state+"/account.records"), absent("/etc/tollgate", "/var/log/tollgate", "/etc/logrotate.d/tollgate"))
}

// purgeDrained has all records in a store elsewhere: nothing is left.
func (h *host) purgeDrained(ctx context.Context) error {
	if err := os.RemoveAll(state); err != nil {
		return err
	}
	if _, err := h.run(ctx, "dpkg", "-i", h.fresh); err != nil {
		return err
	}
	if err := h.setUp(ctx); err != nil {
		return err
	}
	if err := h.judged(ctx, "the last message"); err != nil {
		return err
	}
	if err := h.drained(ctx); err != nil {
		return err
	}
	if _, err := h.run(ctx, "systemctl", "stop", "tollgate"); err != nil {
		return err
	}
	// As if the account were in Redis.
	if err := os.Remove(state + "/account.db"); err != nil {
		return err
	}
	out, err := h.run(ctx, "dpkg", "-P", "tollgate")
	if err == nil && strings.Contains(out, "kept:") {
		err = fmt.Errorf("something is kept: %s", out)
	}
	return errors.Join(err, h.untouched(), absent(state, "/etc/tollgate", "/var/log/tollgate"))
}

// setUp has "tollgate setup" do it all: policy, start, attaching, a message.
func (h *host) setUp(ctx context.Context) error {
	out, err := h.run(ctx, "tollgate", "setup", "--yes", "--name", "mx1.example.org", "--domains", "example.org", "--next-hop", "local", "--outbound", "none",
		"--antivirus", "none", "--store", "embedded")
	if err != nil {
		return err
	}
	if !strings.Contains(out, "is attached") || !strings.Contains(out, "<postmaster@example.org>") || !strings.Contains(out, "accept") {
		return fmt.Errorf("setup: %s", out)
	}
	return h.is(ctx, "it has left the queue", "tollgate", "send-test", "--to", "ivan@example.org")
}

// drained waits for an empty spool.
func (h *host) drained(ctx context.Context) error {
	return await(ctx, func() error { return h.is(ctx, `"waiting": 0`, "tollgate", "status", "--json") })
}
