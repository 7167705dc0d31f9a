package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// PostfixConfig is what differs between Postfix instances.
type PostfixConfig struct {
	// Milter is where tollgate listens, in main.cf's notation
	// ("unix:/path", "inet:host:port").
	Milter string
	// NextHop takes all mail, host:port.
	NextHop string
	// Settings are further main.cf lines, "name = value"; the last one of a
	// name stands.
	Settings []string
	// Plain adds a second listener without any milter.
	Plain bool
	// Fragments are further ones of contrib/postfix: "verify" is
	// verify-main.cf and, where there is one, verify-master.cf.
	Fragments []string
	// Bare leaves contrib/postfix out: an instance that knows no tollgate, with
	// smtpd and cleanup in a chroot as on Debian.
	Bare bool
}

// Postfix is a running instance.
type Postfix struct {
	Addr    string // where it listens, host:port; XCLIENT is allowed
	Plain   string // the listener without milters
	Return  string // the re-injection listener of contrib/postfix/master.cf
	Config  string // its config_directory
	queue   string
	master  *Process
	daemons string // daemon_directory
}

// Postfix starts an instance whose configuration is the sandbox's paths and
// ports, and after them contrib/postfix as it is.
func (s *Sandbox) Postfix(c PostfixConfig) (*Postfix, error) {
	out, err := exec.Command("postconf", "-d", "-h", "daemon_directory").Output()
	if err != nil {
		return nil, fmt.Errorf("harness: is Postfix installed? postconf: %w", err)
	}
	p := &Postfix{
		Config:  s.Path("pf", "etc"),
		queue:   s.Path("pf", "queue"),
		daemons: strings.TrimSpace(string(out)),
	}
	for _, addr := range []*string{&p.Addr, &p.Plain, &p.Return} {
		port, err := s.Port()
		if err != nil {
			return nil, err
		}
		*addr = Loopback(port)
	}
	if err := p.folders(s); err != nil {
		return nil, err
	}
	if err := p.configure(s, c); err != nil {
		return nil, err
	}
	// The check also makes the queue's folders.
	if out, err := exec.Command("postfix", "-c", p.Config, "check").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("harness: postfix check: %w\n%s", err, out)
	}
	// SIGTERM makes master end its children too.
	p.master, err = start("postfix", s.Path("postfix-master.log"), syscall.SIGTERM,
		filepath.Join(p.daemons, "master"), "-c", p.Config, "-d")
	if err != nil {
		return nil, err
	}
	s.OnClose(func() error { return p.master.Stop(Patience) })
	return p, p.master.await(func() error {
		err := dialable("tcp", p.Addr)
		if !c.Bare {
			err = errors.Join(err, dialable("tcp", p.Return))
		}
		if c.Plain {
			err = errors.Join(err, dialable("tcp", p.Plain))
		}
		return err
	}, Patience)
}

// Queued are the ids of the messages in the given queues ("hold",
// "deferred", ...).
func (p *Postfix) Queued(queues ...string) ([]string, error) {
	var ids []string
	for _, q := range queues {
		err := filepath.WalkDir(filepath.Join(p.queue, q), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // moved on while we looked
			}
			if err == nil && d.Type().IsRegular() {
				ids = append(ids, d.Name())
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("harness: queue %s: %w", q, err)
		}
	}
	return ids, nil
}

// Idle waits until every message has left Postfix, or is on hold.
func (p *Postfix) Idle(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		ids, err := p.Queued("maildrop", "incoming", "active", "deferred")
		if err != nil || len(ids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("harness: still queued after %v: %v", limit, ids)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Sendmail submits a message as a local program does.
func (p *Postfix) Sendmail(message []byte, args ...string) error {
	cmd := exec.Command("sendmail", append([]string{"-C", p.Config, "-oi"}, args...)...)
	cmd.Stdin = bytes.NewReader(message)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("harness: sendmail: %w\n%s", err, out)
	}
	return nil
}
