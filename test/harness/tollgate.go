package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Tollgate is the real daemon with its policy, and its commands.
type Tollgate struct {
	Policy string // path of its policy file
	Milter string // where it listens, in Postfix's notation: on a unix socket
	Inet   string // and on a TCP port
	State  string // its state_dir
	log    string
	binary string
	socket string
	proc   *Process
	before []*Process // that were taken over from
}

// settings is the main policy file of every sandbox; what the policy is about
// stands in the file that it includes.
const settings = `include = ["policy/policy.toml"]

[gateway]
name           = "gw1.test"
listen         = ["unix:%[1]s", %[3]q]
state_dir      = "%[2]s/state"
postfix_config = "%[2]s/pf/etc"

[journal]
dir = "%[2]s/journal"
`

// Tollgate prepares a daemon of the given binary and does not start it yet.
// Its policy is the sandbox's file policy/policy.toml, which the caller
// writes; redis is the address of the store, "" for the embedded one.
func (s *Sandbox) Tollgate(binary, redis string) (*Tollgate, error) {
	run, err := s.shared("run", "postfix")
	if err != nil {
		return nil, err
	}
	g := &Tollgate{
		Policy: s.Path("tollgate.toml"),
		State:  s.Path("state"),
		log:    s.Path("tollgate.log"),
		binary: binary,
		socket: run + "/milter.sock",
	}
	g.Milter = "unix:" + g.socket
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	g.Inet = "inet:" + Loopback(port)
	for _, dir := range []string{"state", "journal", "policy"} {
		if err := os.MkdirAll(s.Path(dir), 0o755); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	text := fmt.Sprintf(settings, g.socket, s.Dir, g.Inet)
	if redis != "" {
		text += fmt.Sprintf("\n[redis]\naddrs = [%q]\n", redis)
	}
	if err := os.WriteFile(g.Policy, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	s.OnClose(func() error { return g.Stop(Patience) })
	return g, nil
}

// Listen has it listen on that unix socket alone from its next start on.
func (g *Tollgate) Listen(socket string) error {
	text, err := os.ReadFile(g.Policy)
	if err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	g.socket, g.Milter = socket, "unix:"+socket
	listen := regexp.MustCompile(`(?m)^listen .*$`).ReplaceAll(text, fmt.Appendf(nil, "listen = [%q]", g.Milter))
	if err := os.WriteFile(g.Policy, listen, 0o644); err != nil {
		return fmt.Errorf("harness: %w", err)
	}
	return nil
}

// Start starts the daemon, also after its end, and waits until it listens.
func (g *Tollgate) Start() error {
	var err error
	g.proc, err = start("tollgate", g.log, syscall.SIGKILL, g.binary, "serve", "--policy", g.Policy)
	if err != nil {
		return err
	}
	return g.proc.await(func() error { return dialable("unix", g.socket) }, Patience)
}

// TakeOver starts a daemon of a binary, "" for the same, that takes the place of the
// one that runs, and waits until it has. That one is returned; it may go on for a
// while. On an error, such as that the new one has ended, it is the one as before.
func (g *Tollgate) TakeOver(binary string, args ...string) (before *Process, err error) {
	argv := append([]string{cmp.Or(binary, g.binary), "serve", "--takeover", "--policy", g.Policy}, args...)
	next, err := start("tollgate", g.log, syscall.SIGKILL, argv...)
	if err != nil {
		return nil, err
	}
	err = next.await(func() error {
		text, err := os.ReadFile(filepath.Join(g.State, "lock"))
		if err == nil && strings.TrimSpace(string(text)) != strconv.Itoa(next.PID()) {
			err = fmt.Errorf("the state folder is process %s's", strings.TrimSpace(string(text)))
		}
		return err
	}, Patience)
	if err != nil {
		return nil, errors.Join(err, next.Kill())
	}
	before, g.proc = g.proc, next
	g.before = append(g.before, before)
	return before, nil
}

// Process is the one started last; nil before Start.
func (g *Tollgate) Process() *Process { return g.proc }

// Stop lets the daemon drain and end; its exit code must be 0. What was taken over from
// and has not ended yet is killed.
func (g *Tollgate) Stop(limit time.Duration) error {
	for _, p := range g.before {
		if err := p.Kill(); err != nil {
			return err
		}
	}
	g.before = nil
	if g.proc == nil || g.proc.Ended() {
		return nil
	}
	if err := g.proc.Stop(limit); err != nil {
		return err
	}
	if code := g.proc.ExitCode(); code != 0 {
		return fmt.Errorf("harness: tollgate ended with exit code %d", code)
	}
	return nil
}

// Output is what a command said.
type Output struct {
	Stdout, Stderr string
	Exit           int
}

// Command runs a subcommand under the daemon's policy.
func (g *Tollgate) Command(ctx context.Context, args ...string) (Output, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, g.binary, append(args, "--policy", g.Policy)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Output{}, fmt.Errorf("harness: tollgate %s: %w", strings.Join(args, " "), err)
	}
	return Output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}, ctx.Err()
}

// Resident is the daemon's resident memory in bytes, as the kernel counts it.
func (g *Tollgate) Resident() (int64, error) {
	out, err := exec.Command("ps", "-o", "rss=", "-p", fmt.Sprint(g.proc.PID())).Output()
	if err != nil {
		return 0, fmt.Errorf("harness: ps: %w", err)
	}
	var kib int64
	if _, err := fmt.Sscan(string(out), &kib); err != nil {
		return 0, fmt.Errorf("harness: ps said %q: %w", out, err)
	}
	return kib << 10, nil
}

// DialMilter opens a bare connection to the daemon's milter socket.
func (g *Tollgate) DialMilter() (net.Conn, error) { return net.Dial("unix", g.socket) }
