// Command profile says what a message costs, by cause: it runs a daemon with an
// ordinary policy as a process of its own, plays the MTA, and sorts the samples of
// the daemon's CPU profile by what they were spent on. Beside it stands wire code
// that does nothing.
//
//	go run ./test/profile -n 60000
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/test/player"
)

type options struct {
	messages, connections, rules int
	dir                          string
}

func main() {
	var o options
	serve := flag.String("serve", "", "be the daemon with this policy, or the wire code on this socket")
	play := flag.String("play", "", "only play the MTA, to the daemon on this socket")
	flag.IntVar(&o.messages, "n", 60_000, "messages")
	flag.IntVar(&o.connections, "c", 4, "connections at a time")
	flag.IntVar(&o.rules, "rules", 100, "header rules of the policy")
	flag.StringVar(&o.dir, "dir", "/dev/shm", "folder for state_dir and journals: in memory, or on the disk in question")
	flag.Parse()
	run := o.run
	if *serve != "" {
		run = func() error { return child(*serve) }
	}
	if *play != "" {
		run = func() error { return o.play(*play) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

// run measures both and prints the table.
func (o options) run() error {
	dir, err := os.MkdirTemp(o.dir, "tollgate-profile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	policy := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(policy, []byte(o.policy(dir)), 0o600); err != nil {
		return err
	}
	wire, err := o.measure(filepath.Join(dir, "wire.sock"), filepath.Join(dir, "wire.sock"), filepath.Join(dir, "wire.pprof"))
	if err != nil {
		return fmt.Errorf("wire code: %w", err)
	}
	profile := filepath.Join(dir, "tollgate.pprof")
	all, err := o.measure(policy, filepath.Join(dir, "m.sock"), profile)
	if err != nil {
		return err
	}
	fmt.Printf("%d messages, %d connections, %d rules: %.1f µs of CPU a message; wire code that does nothing %.1f; ratio %.2f\n\n",
		o.messages, o.connections, o.rules, all, wire, all/wire)
	traces, err := exec.Command("go", "tool", "pprof", "-traces", profile).Output()
	if err != nil {
		return fmt.Errorf("go tool pprof: %w", err)
	}
	return table(os.Stdout, string(traces), all)
}

// play has a daemon judge messages.
func (o options) play(socket string) error {
	_, err := player.Play(socket, o.connections, o.messages, player.Ordinary)
	return err
}

func (o options) policy(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[gateway]\nname = \"profile\"\nlisten = [\"unix:%s/m.sock\"]\nstate_dir = \"%s/state\"\n", dir, dir)
	fmt.Fprintf(&b, "[recipients]\nmode = \"known\"\n[[client]]\nid = \"c\"\naddresses = [\"@example.org\"]\n[journal]\ndir = \"%s/journal\"\n", dir)
	for i := range o.rules {
		fmt.Fprintf(&b, "[[rule]]\nname = \"r%d\"\nstage = \"headers\"\nmatch.subject = '\\bcheap-%d-(\\w+)-pills\\b'\nweight = 1\n", i, i)
	}
	return b.String()
}

// measure runs a child and has it judge messages: microseconds of its CPU time for
// each.
func (o options) measure(what, socket, profile string) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, "-serve", what)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = in.Close(); _ = cmd.Wait() }()
	answers := bufio.NewScanner(out)
	ask := func(line string) (string, error) {
		if line != "" {
			fmt.Fprintln(in, line)
		}
		if !answers.Scan() {
			return "", fmt.Errorf("%s ended", what)
		}
		return answers.Text(), nil
	}
	if _, err := ask(""); err != nil { // it listens
		return 0, err
	}
	if _, err := player.Play(socket, o.connections, o.messages/20, player.Ordinary); err != nil { // caches and the heap find their size
		return 0, err
	}
	if _, err := ask("begin " + profile); err != nil {
		return 0, err
	}
	if _, err := player.Play(socket, o.connections, o.messages, player.Ordinary); err != nil {
		return 0, err
	}
	used, err := ask("end")
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(used)
	return float64(d.Microseconds()) / float64(o.messages), err
}

// child serves until its input ends, and profiles between "begin FILE" and "end".
func child(what string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if strings.HasSuffix(what, ".sock") {
		ln, err := net.Listen("unix", what)
		if err != nil {
			return err
		}
		defer ln.Close()
		go player.Idle(ln)
	} else {
		cfg, problems := config.Load(what)
		if err := problems.Err(); err != nil {
			return err
		}
		d, err := daemon.Start(ctx, daemon.Options{File: what, Config: cfg, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		defer func() { _ = d.Stop(context.Background(), 0) }()
	}
	fmt.Println("listening")
	return profiled(os.Stdin)
}

func profiled(in io.Reader) error {
	var f *os.File
	var from time.Duration
	for lines := bufio.NewScanner(in); lines.Scan(); {
		word, path, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "begin":
			var err error
			if f, err = os.Create(path); err != nil {
				return err
			}
			if err := pprof.StartCPUProfile(f); err != nil {
				return err
			}
			from = cpu()
			fmt.Println("begun")
		case "end":
			used := cpu() - from
			pprof.StopCPUProfile()
			if err := f.Close(); err != nil {
				return err
			}
			fmt.Println(used)
		}
	}
	return nil
}

// cpu is the time this process has used, in the kernel too.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
