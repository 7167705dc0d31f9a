// Package postfix reads and changes the configuration of Postfix through its
// own commands (postconf, postfix), and knows how it reaches a milter.
package postfix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrUnavailable: Postfix is not installed here, or one of its commands failed.
var ErrUnavailable = errors.New("the commands of Postfix do not answer")

// folders are searched besides PATH: Postfix's commands are in folders that
// the PATH of a user or of a package script may lack.
var folders = []string{"/usr/sbin", "/usr/local/sbin", "/sbin"}

// Instance is one Postfix by its config_directory.
type Instance struct {
	Config string
}

// Instances are all Postfix instances of this machine, the primary one first.
func Instances(ctx context.Context, primary Instance) ([]Instance, error) {
	// What postmulti(1) lists, too; it refuses a primary one elsewhere than where
	// Postfix was built for.
	others, err := primary.Expanded(ctx, "multi_instance_directories")
	if err != nil {
		return nil, err
	}
	all := []Instance{primary}
	for _, dir := range milters(others) {
		all = append(all, Instance{Config: dir})
	}
	return all, nil
}

// Get is the value of a parameter as main.cf or the default has it, and whether
// main.cf sets it.
func (i Instance) Get(ctx context.Context, name string) (value string, set bool, err error) {
	out, err := i.run(ctx, "postconf", "-c", i.Config, "-n", name)
	if err != nil {
		return "", false, err
	}
	if _, v, ok := strings.Cut(out, "="); ok {
		return strings.TrimSpace(v), true, nil
	}
	out, err = i.run(ctx, "postconf", "-c", i.Config, "-d", "-h", name)
	return strings.TrimSpace(out), false, err
}

// Expanded is the value of a parameter with what its $names stand for.
func (i Instance) Expanded(ctx context.Context, name string) (string, error) {
	out, err := i.run(ctx, "postconf", "-c", i.Config, "-x", "-h", name)
	return strings.TrimSpace(out), err
}

// Override is a parameter that master.cf sets for one service.
type Override struct {
	Service string // "submission/inet"
	Value   string
}

// Overrides are the services for which master.cf sets a parameter.
func (i Instance) Overrides(ctx context.Context, name string) ([]Override, error) {
	out, err := i.run(ctx, "postconf", "-c", i.Config, "-P", "*/*/"+name)
	if err != nil {
		return nil, err
	}
	var all []Override
	for line := range strings.Lines(out) {
		where, value, ok := strings.Cut(line, "=")
		service, found := strings.CutSuffix(strings.TrimSpace(where), "/"+name)
		if ok && found {
			all = append(all, Override{service, strings.TrimSpace(value)})
		}
	}
	return all, nil
}

// Service is a line of master.cf.
type Service struct {
	Name    string // "smtp/inet"
	Command string // "smtpd"
	Chroot  bool
}

// Services are the lines of master.cf.
func (i Instance) Services(ctx context.Context) ([]Service, error) {
	out, err := i.run(ctx, "postconf", "-c", i.Config, "-M")
	if err != nil {
		return nil, err
	}
	level, _, err := i.Get(ctx, "compatibility_level")
	if err != nil {
		return nil, err
	}
	var all []Service
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		// What "-" means has changed with compatibility_level 1 (master(5)).
		chroot := f[4] == "y" || f[4] == "-" && level == "0"
		all = append(all, Service{Name: f[0] + "/" + f[1], Command: f[7], Chroot: chroot})
	}
	return all, nil
}

// Running tells whether the instance's master(8) runs.
func (i Instance) Running(ctx context.Context) bool {
	_, err := i.run(ctx, "postfix", "-c", i.Config, "status")
	return err == nil
}

// Reload has a running instance read its configuration anew.
func (i Instance) Reload(ctx context.Context) error {
	_, err := i.run(ctx, "postfix", "-c", i.Config, "reload")
	return err
}

// run runs one of Postfix's commands and returns what it prints.
func (i Instance) run(ctx context.Context, name string, args ...string) (string, error) {
	path, err := Find(name)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s: %w%s", ErrUnavailable, name, err, complaint(said.String()))
	}
	return out.String(), nil
}

// complaint is what a command said, without its warnings, which it says each
// time.
func complaint(said string) string {
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(said), "\n"), func(s string) bool {
		return s == "" || strings.Contains(s, "warning:")
	})
	if len(lines) == 0 {
		return ""
	}
	return ": " + strings.Join(lines, "; ")
}

// Find is the path of a command of Postfix.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range folders {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}
