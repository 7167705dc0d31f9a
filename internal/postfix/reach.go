package postfix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

var (
	// ErrNoSocket: tollgate does not listen there now.
	ErrNoSocket = errors.New("tollgate does not listen")
	// ErrUnreachable: it listens where Postfix cannot go.
	ErrUnreachable = errors.New("the socket of tollgate is out of reach for Postfix")
)

// Reach is the way from an instance to tollgate's socket.
type Reach struct {
	Address string // as main.cf names it: "unix:tollgate/milter.sock", "inet:127.0.0.1:8894"
	path    string // of a unix socket
	queue   string // queue_directory
}

// Reach finds the way from this instance to one of the addresses of the policy's
// listen. A socket below queue_directory is named by its path from there, which
// is right with a chroot and without one.
func (i Instance) Reach(ctx context.Context, listen []string) (Reach, error) {
	queue, _, err := i.Get(ctx, "queue_directory")
	if err != nil {
		return Reach{}, err
	}
	services, err := i.Services(ctx)
	if err != nil {
		return Reach{}, err
	}
	var chrooted []string
	for _, s := range services {
		if s.Chroot && (s.Command == "smtpd" || s.Command == "cleanup") {
			chrooted = append(chrooted, s.Name)
		}
	}
	slices.Sort(chrooted)
	chrooted = slices.Compact(chrooted)
	var other Reach
	for _, addr := range listen {
		path, unix := strings.CutPrefix(addr, "unix:")
		if !unix {
			if other.Address == "" {
				other = Reach{Address: addr, queue: queue}
			}
			continue
		}
		if below, ok := relative(queue, path); ok {
			return Reach{Address: "unix:" + below, path: path, queue: queue}, nil
		}
		if len(chrooted) == 0 {
			return Reach{Address: addr, path: path, queue: queue}, nil
		}
	}
	if other.Address != "" {
		return other, nil
	}
	return Reach{}, fmt.Errorf("%w: %s runs in a chroot at %s and sees nothing outside of it; in policy.toml write listen = [\"unix:%s\"], then restart tollgate",
		ErrUnreachable, strings.Join(chrooted, ", "), queue, filepath.Join(queue, "tollgate", "milter.sock"))
}

// relative is a path as seen from a folder that it lies in, whatever symbolic
// links lead there.
func relative(dir, path string) (string, bool) {
	for _, pair := range [][2]string{{dir, path}, {resolved(dir), resolved(path)}} {
		below, err := filepath.Rel(pair[0], pair[1])
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return below, true
		}
	}
	return "", false
}

// resolved follows the links of as much of a path as there is.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolved(dir), filepath.Base(path))
	}
	return path
}

// same tells whether a milter of main.cf is tollgate.
func (r Reach) same(address string) bool {
	if r.path == "" {
		return address == r.Address
	}
	path, unix := strings.CutPrefix(address, "unix:")
	if !unix {
		path, unix = strings.CutPrefix(address, "local:")
	}
	if !unix {
		return false
	}
	// With a leading slash it is below the queue directory in a chroot, and is
	// what it says without one.
	return slices.Contains([]string{r.path, resolved(r.path)}, path) || resolved(filepath.Join(r.queue, path)) == resolved(r.path)
}

// Check finds out whether the instance's user can open the socket: by the kernel's
// word where we are root, who alone can become that user. Postfix's processes
// have the user's first group and no others, whatever /etc/group says.
func (r Reach) Check(ctx context.Context, i Instance) error {
	if r.path == "" {
		return nil // who can connect to this machine can connect to it
	}
	info, err := os.Stat(r.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w at %s", ErrNoSocket, r.path)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%w: %s is no socket", ErrUnreachable, r.path)
	}
	owner, _, err := i.Get(ctx, "mail_owner")
	if err != nil {
		return err
	}
	who, err := user.Lookup(owner)
	if err != nil {
		return fmt.Errorf("%w: mail_owner: %w", ErrUnreachable, err)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	can := func(path, test string) (bool, error) { return may(ctx, who, path, test) }
	ok, err := can(r.path, "-w")
	if err != nil || ok {
		return err
	}
	closed, cure := r.path, "chgrp %s %s && chmod g+rw %[2]s"
	for dir := filepath.Dir(r.path); dir != "/"; dir = filepath.Dir(dir) {
		if ok, err := can(dir, "-x"); err != nil {
			return err
		} else if !ok {
			closed, cure = dir, "chgrp %s %s && chmod 2750 %[2]s, then restart tollgate"
		}
	}
	group := who.Gid
	if g, err := user.LookupGroupId(who.Gid); err == nil {
		group = g.Name
	}
	return fmt.Errorf("%w: user %s is stopped at %s ("+cure+")", ErrUnreachable, owner, closed, group, closed)
}

// may asks the kernel as that user.
func may(ctx context.Context, who *user.User, path, test string) (bool, error) {
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return false, fmt.Errorf("user %s: %w", who.Username, err)
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return false, fmt.Errorf("user %s: %w", who.Username, err)
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `test "$1" "$2"`, "sh", test, path)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking as user %s: %w", who.Username, err)
	}
	return true, nil
}
