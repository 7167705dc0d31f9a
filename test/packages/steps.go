package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

func (h *host) install(ctx context.Context) (err error) {
	// The container has a name that is none of the Internet.
	if _, err := h.run(ctx, "postconf", "-e", "myhostname=mx1.example.org"); err != nil {
		return err
	}
	if h.mainCF, err = os.ReadFile("/etc/postfix/main.cf"); err != nil {
		return err
	}
	if err := listening(ctx); err != nil {
		return fmt.Errorf("no Postfix: %w", err)
	}
	if err := h.is(ctx, "it waits for a policy", "dpkg", "-i", h.old); err != nil {
		return err
	}
	return errors.Join(
		h.untouched(),
		h.is(ctx, "enabled", "systemctl", "is-enabled", "tollgate"),
		h.active(ctx, "tollgate", "inactive"),
		h.is(ctx, "root:tollgate 640", "stat", "-c", "%U:%G %a", policyFile),
		h.is(ctx, "tollgate", "getent", "passwd", "tollgate"),
		present("/usr/share/man/man8/tollgate.8.gz", "/usr/share/man/man5/policy.toml.5.gz", "/usr/share/bash-completion/completions/tollgate",
			"/usr/share/zsh/vendor-completions/_tollgate", "/usr/share/fish/vendor_completions.d/tollgate.fish", "/etc/logrotate.d/tollgate"),
	)
}

func (h *host) unit(ctx context.Context) error {
	out, err := h.run(ctx, "systemd-analyze", "verify", "--man=no", "tollgate.service")
	if err != nil || out != "" {
		return errors.Join(err, fmt.Errorf("verify: %s", out))
	}
	out, err = h.run(ctx, "systemd-analyze", "security", "--offline=yes", "--threshold=25", "tollgate.service")
	if err != nil {
		return err
	}
	lines := strings.Split(out, "\n")
	h.say("%s", strings.TrimSpace(lines[len(lines)-1]))
	_, err = h.run(ctx, "logrotate", "--debug", "/etc/logrotate.d/tollgate")
	return err
}

func (h *host) first(ctx context.Context) error {
	if err := h.attach(ctx); err != nil {
		return err
	}
	if err := h.judged(ctx, "the first message"); err != nil {
		return err
	}
	return h.doctor(ctx)
}

// attach does what the administrator does after installing.
func (h *host) attach(ctx context.Context) error {
	b, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	// An old version listens elsewhere by itself.
	text := strings.Replace(string(b), "domains = []", `domains = ["example.org"]`, 1) + "\n[[client]]\nid = \"ivan\"\naddresses = [\"ivan@example.org\"]\n"
	if !strings.Contains(text, "\n[gateway]\n") {
		text = "\n[gateway]\n" + text
	}
	text = strings.Replace(text, "\n[gateway]\n", "\n[gateway]\nlisten = [\"unix:/var/spool/postfix/tollgate/milter.sock\"]\n", 1)
	if err := os.WriteFile(policyFile, []byte(text), 0o640); err != nil {
		return err
	}
	if _, err := h.run(ctx, "tollgate", "check"); err != nil {
		// The old one has another starting policy, and may be from before this key.
		text = strings.Replace(text, "\nconfine = ", "\n# confine = ", 1)
		if err := os.WriteFile(policyFile, []byte(text), 0o640); err != nil {
			return err
		}
		if _, err := h.run(ctx, "tollgate", "check"); err != nil {
			return err
		}
	}
	if _, err := h.run(ctx, "systemctl", "start", "tollgate"); err != nil {
		return errors.Join(err, h.active(ctx, "tollgate", "active"))
	}
	attacher := "tollgate"
	if help, err := h.run(ctx, attacher, "attach", "--help"); err != nil || !strings.Contains(help, "--dry-run") {
		// The old one is from before there was that command.
		if _, err := h.run(ctx, "dpkg-deb", "-x", h.fresh, "/try/new"); err != nil {
			return err
		}
		attacher = "/try/new/usr/sbin/tollgate"
	}
	_, err = h.run(ctx, attacher, "attach", "--yes")
	return err
}

// confined has the daemon keep to its files under the filter of system calls of its
// unit, serve, take a reload, and make its socket anew.
func (h *host) confined(ctx context.Context) error {
	b, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	text := strings.Replace(string(b), "\n# confine = ", "\nconfine = ", 1)
	if !strings.Contains(text, "\nconfine = \"on\"") {
		return errors.New("the policy that is installed does not have it confined")
	}
	if err := os.WriteFile(policyFile, []byte(text), 0o640); err != nil {
		return err
	}
	if _, err := h.run(ctx, "systemctl", "restart", "tollgate"); err != nil {
		return err
	}
	if err := h.is(ctx, "to its files, by Landlock ABI", "tollgate", "status"); err != nil {
		return err
	}
	if err := os.WriteFile(policyFile, []byte(text+"\n[[rule]]\nname = \"one-more\"\nstage = \"helo\"\nmatch = { helo = \"never\" }\nweight = 1\n"), 0o640); err != nil {
		return err
	}
	if _, err := h.run(ctx, "systemctl", "reload", "tollgate"); err != nil {
		return err
	}
	if err := os.Remove("/var/spool/postfix/tollgate/milter.sock"); err != nil {
		return err
	}
	err = await(ctx, func() error { return present("/var/spool/postfix/tollgate/milter.sock") })
	if err != nil {
		return err
	}
	if err := h.judged(ctx, "confined"); err != nil {
		return err
	}
	return h.billed(ctx)
}

// judged sends messages until one arrives with our mark. After a reload the first
// may meet an smtpd(8) from before it.
func (h *host) judged(ctx context.Context, subject string) error {
	for try := 0; ; try++ {
		_, before, err := delivered()
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%s, try %d", subject, try)
		if _, err := h.send(ctx, text); err != nil {
			return err
		}
		after, err := h.arrived(ctx, text)
		switch {
		case err != nil:
			return err
		case after == before+1:
			return nil
		case try == 10:
			return fmt.Errorf("%d messages have our mark, %d had before", after, before)
		}
		h.sent-- // nobody billed it
	}
}

// upgrade goes to the new package while mail flows from two senders. None may be
// refused or lost, and each is billed once.
func (h *host) upgrade(ctx context.Context) error {
	before, err := h.run(ctx, "systemctl", "show", "-P", "MainPID", "tollgate")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var subjects []string
	var mu sync.Mutex
	deferrals, failed := 0, error(nil)
	end, flowing := make(chan struct{}), make(chan struct{})
	var senders sync.WaitGroup
	for s := range 2 {
		senders.Go(func() {
			own := &host{}
			for n := 0; ; n++ {
				subject := fmt.Sprintf("flow %d-%d", s, n)
				times, err := own.send(ctx, subject)
				mu.Lock()
				deferrals += times
				failed = errors.Join(failed, err)
				if err == nil {
					subjects = append(subjects, subject)
				}
				if len(subjects) == 20 {
					close(flowing)
				}
				mu.Unlock()
				if err != nil {
					return
				}
				select {
				case <-end:
					return
				default:
				}
			}
		})
	}
	<-flowing
	_, err = h.run(ctx, "dpkg", "-i", h.fresh)
	mu.Lock()
	during := len(subjects)
	mu.Unlock()
	if err == nil { // and some more afterwards
		err = await(ctx, func() error {
			mu.Lock()
			defer mu.Unlock()
			if len(subjects) < during+20 && failed == nil {
				return errors.New("mail does not flow on")
			}
			return nil
		})
	}
	close(end)
	senders.Wait()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	h.sent += len(subjects)
	h.say("%d messages, %d of them until the new version was installed, %d deferrals", len(subjects), during, deferrals)
	after, err := h.run(ctx, "systemctl", "show", "-P", "MainPID", "tollgate")
	if err == nil && after == before {
		err = fmt.Errorf("process %s runs on", before)
	}
	_, late := h.arrived(ctx, subjects...)
	return errors.Join(err, late, h.active(ctx, "tollgate", "active"), h.billed(ctx), present("/etc/postfix/tollgate.attached"))
}

// billed wants each accepted message in the account once.
func (h *host) billed(ctx context.Context) error {
	return await(ctx, func() error {
		out, err := h.run(ctx, "tollgate", "report", "--by", "client", "--csv")
		if err != nil {
			return err
		}
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) == 0 {
			return fmt.Errorf("%w: %s", err, out)
		}
		client, deliveries := slices.Index(rows[0], "client"), slices.Index(rows[0], "deliveries")
		for _, r := range rows[1:] {
			if r[client] == "ivan" && r[deliveries] == strconv.Itoa(h.sent) {
				return nil
			}
		}
		return fmt.Errorf("not %d messages: %s", h.sent, out)
	})
}

// refused installs a version beside a policy that it does not take.
func (h *host) refused(ctx context.Context) error {
	good, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	if err := os.WriteFile(policyFile, append(bytes.Clone(good), "\n[nonsense]\n"...), 0o640); err != nil {
		return err
	}
	if err := h.is(ctx, "the old version runs on", "dpkg", "-i", h.fresh); err != nil {
		return err
	}
	_, err = h.send(ctx, "beside a bad policy")
	return errors.Join(err, h.active(ctx, "tollgate", "active"), os.WriteFile(policyFile, good, 0o640))
}
