package harness

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PharmacySymbol is what this spamd says of messages whose decoded Subject has
// PharmacyWord, and PharmacyScore its score.
const (
	PharmacySymbol = "TEST_PHARMACY"
	PharmacyWord   = "аптека"
	PharmacyScore  = "3.2"
)

// SpamdConfig is what tests vary of SpamAssassin's settings.
type SpamdConfig struct {
	// Rules are lines for its local.cf, besides those of GTUBE and of
	// PharmacySymbol.
	Rules []string
	// More are arguments for spamd.
	More []string
}

// Spamd is SpamAssassin's daemon without its own rules, plugins and users'
// settings, and without anything that asks the network or learns. It calls
// spam what has 5 points; GTUBE has 1000.
type Spamd struct {
	Addr   string // host:port
	Socket string // path
	s      *Sandbox
	more   []string
	proc   *Process
	name   string
}

const spamdRules = `
required_score 5.0
use_bayes 0
util_rb_tld com net org
normalize_charset 1
body GTUBE /%[1]s/
describe GTUBE Generic Test for Unsolicited Bulk Email
score GTUBE 1000
header %[2]s Subject =~ /%[3]s/
score %[2]s %[4]s
`

// Spamd starts a spamd. A sandbox may hold several.
func (s *Sandbox) Spamd(c SpamdConfig) (*Spamd, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	d := &Spamd{Addr: Loopback(port), s: s, more: c.More, name: fmt.Sprintf("spamd%d", port)}
	d.Socket = s.Path(d.name, "socket")
	for _, dir := range []string{s.Path(d.name), s.Path(d.name, "rules"), s.Path(d.name, "site"), s.Path(d.name, "home")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	who, err := nobody()
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{d.name, d.name + "/home"} {
		if err := os.Chown(s.Path(dir), int(who.Uid), int(who.Gid)); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	for name, text := range map[string]string{
		// Stands for SpamAssassin's own rules, without any of which it would
		// not start.
		"rules/rules.cf": fmt.Sprintf(spamdRules, regexp.QuoteMeta(GTUBE()), PharmacySymbol, PharmacyWord, PharmacyScore),
		"site/init.pre":  "loadplugin Mail::SpamAssassin::Plugin::Check\n", // runs the rules
		"site/local.cf":  strings.Join(c.Rules, "\n") + "\n",
	} {
		if err := os.WriteFile(s.Path(d.name, name), []byte(text), 0o644); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	s.OnClose(d.Stop)
	return d, d.Start()
}

// nobody is who it runs as: as root it refuses to look at mail.
func nobody() (*syscall.Credential, error) {
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("harness: user nobody: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("harness: user nobody: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Start starts spamd again after Stop or Kill.
func (d *Spamd) Start() error {
	args := append([]string{
		"spamd", "--local", "--nouser-config", "--syslog=stderr", "--min-children=1", "--max-children=4",
		"--configpath=" + d.s.Path(d.name, "rules"), "--siteconfigpath=" + d.s.Path(d.name, "site"),
		"--helper-home-dir=" + d.s.Path(d.name, "home"), "--listen=" + d.Addr, "--socketpath=" + d.Socket,
	}, d.more...)
	user, err := nobody()
	if err != nil {
		return err
	}
	// SIGTERM makes it end those that look at mail, too.
	d.proc, err = startAs(user, "spamd", d.s.Path(d.name+".log"), syscall.SIGTERM, args...)
	if err != nil {
		return err
	}
	return d.proc.await(d.answers, Patience)
}

// answers tells whether spamd answers on both of its sockets.
func (d *Spamd) answers() error {
	for network, address := range map[string]string{"tcp": d.Addr, "unix": d.Socket} {
		if err := d.pong(network, address); err != nil {
			return err
		}
	}
	return nil
}

func (d *Spamd) pong(network, address string) error {
	conn, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PING SPAMC/1.5\r\n\r\n"); err != nil {
		return err
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(string(reply), " 0 PONG\r\n") {
		return fmt.Errorf("spamd answers %q to PING", reply)
	}
	return nil
}

// Freeze stops spamd where it stands: the kernel still makes connections for
// it, and nothing answers on them.
func (d *Spamd) Freeze() error { return d.signal(syscall.SIGSTOP) }

// Thaw lets a frozen spamd go on.
func (d *Spamd) Thaw() error { return d.signal(syscall.SIGCONT) }

// Kill ends spamd in the middle of what it does.
func (d *Spamd) Kill() error {
	if err := d.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return d.proc.Wait(Patience)
}

// signal goes to the main process and those that look at mail.
func (d *Spamd) signal(sig syscall.Signal) error {
	if err := syscall.Kill(-d.proc.PID(), sig); err != nil {
		return fmt.Errorf("harness: spamd: %w", err)
	}
	return nil
}

// Stop ends spamd, also a frozen one.
func (d *Spamd) Stop() error {
	if d.proc == nil || d.proc.Ended() {
		return nil
	}
	if err := d.Thaw(); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return d.proc.Stop(Patience)
}
