package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	policyFile = "/etc/tollgate/policy.toml"
	mailbox    = "/var/mail/ivan"
	state      = "/var/lib/tollgate"
)

// host is the system that the package is tried on.
type host struct {
	old, fresh string
	began      time.Time
	mainCF     []byte // as Debian made it
	sent       int    // messages that were accepted
}

// run runs a command and gives what it printed.
func (h *host) run(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := c.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text)
	}
	return text, nil
}

// is runs a command and wants a text in what it prints.
func (h *host) is(ctx context.Context, want, name string, args ...string) error {
	out, err := h.run(ctx, name, args...)
	if err == nil && !strings.Contains(out, want) {
		err = fmt.Errorf("%s %s: no %q in: %s", name, strings.Join(args, " "), want, out)
	}
	return err
}

// active wants a state of a unit; systemctl tells it by its exit code, too.
func (h *host) active(ctx context.Context, unit, want string) error {
	out, _ := h.run(ctx, "systemctl", "is-active", unit)
	if out != want {
		log, err := h.run(ctx, "journalctl", "--no-pager", "-n", "20", "-u", unit)
		return errors.Join(fmt.Errorf("%s is %s, want %s\n%s", unit, out, want, log), err)
	}
	return nil
}

// main.cf is as Debian made it, but for blanks: postconf writes its own.
func (h *host) untouched() error {
	b, err := os.ReadFile("/etc/postfix/main.cf")
	if err == nil && !bytes.Equal(bytes.Join(bytes.Fields(b), []byte(" ")), bytes.Join(bytes.Fields(h.mainCF), []byte(" "))) {
		err = fmt.Errorf("main.cf has changed:\n%s", b)
	}
	return err
}

func absent(paths ...string) (err error) {
	for _, p := range paths {
		if _, e := os.Lstat(p); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("%s is there", p))
		}
	}
	return err
}

func present(paths ...string) (err error) {
	for _, p := range paths {
		_, e := os.Stat(p)
		err = errors.Join(err, e)
	}
	return err
}

// await waits until something is so.
func await(ctx context.Context, is func() error) error {
	for {
		err := is()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
