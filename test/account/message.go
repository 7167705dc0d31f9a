package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/test/player"
)

// message has three daemons judge the same mail in turn: nobody pays, somebody pays
// without prices, and with them. What the drain does is in it.
func (o options) message(_ context.Context, dir string) (err error) {
	const client = "[recipients]\nmode = \"known\"\n[[client]]\nid = \"c\"\naddresses = [\"@example.org\"]\n"
	const priced = "tariff = \"office\"\n[[tariff]]\nname = \"office\"\ncurrency = \"RUB\"\nper_mib = \"1.50\"\nper_delivery = \"0.02\"\n" +
		"increment = \"1 KiB\"\nincluded = \"1 MiB\"\n[[tariff.band]]\nwhen = \"Sa-Su 00:00-24:00\"\npercent = 50\n"
	names := []string{"nobody", "plain", "priced"}
	var daemons [3]*daemonProcess
	for i, policy := range []string{"[recipients]\nmode = \"domains\"\ndomains = [\"example.org\"]\n", client, client + priced} {
		if daemons[i], err = startDaemon(filepath.Join(dir, names[i]), policy); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, daemons[i].stop()) }()
	}
	var rounds [3][]cost
	for round := range o.rounds + 1 {
		for k := range daemons {
			i := (k + round) % len(daemons)
			c, err := daemons[i].play(o.messages)
			if err != nil {
				return err
			}
			if round > 0 { // before, caches and the heap find their size
				rounds[i] = append(rounds[i], c)
			}
		}
	}
	nobody, plain, with := each(rounds[0], byCPU), each(rounds[1], byCPU), each(rounds[2], byCPU)
	fmt.Printf("a message: %.1f µs of CPU where nobody pays, %.1f where a client does, ratio %.2f; with prices %.1f, ratio %.2f to that without prices\n",
		nobody, plain, plain/nobody, with, with/plain)
	return nil
}

// daemonProcess is a daemon as a process of its own.
type daemonProcess struct {
	socket string
	in     io.WriteCloser
	out    *bufio.Scanner
	cmd    *exec.Cmd
}

func startDaemon(dir, policy string) (*daemonProcess, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	p := &daemonProcess{socket: filepath.Join(dir, "m.sock")}
	file := filepath.Join(dir, "policy.toml")
	text := fmt.Sprintf("[gateway]\nname = \"mx1\"\nlisten = [\"unix:%[1]s/m.sock\"]\nstate_dir = \"%[1]s/state\"\n[journal]\ndir = \"%[1]s/journal\"\n", dir) + policy
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(self, "-serve", file)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	_, err = p.used() // it listens
	return p, err
}

// used is its CPU time so far.
func (p *daemonProcess) used() (time.Duration, error) {
	if _, err := fmt.Fprintln(p.in); err != nil {
		return 0, err
	}
	if !p.out.Scan() {
		return 0, fmt.Errorf("the daemon at %s ended", p.socket)
	}
	return time.ParseDuration(p.out.Text())
}

func (p *daemonProcess) play(messages int) (cost, error) {
	before, err := p.used()
	if err != nil {
		return cost{}, err
	}
	if _, err := player.Play(p.socket, 4, messages, player.Ordinary); err != nil {
		return cost{}, err
	}
	after, err := p.used()
	return cost{used: after - before, n: messages}, err
}

func (p *daemonProcess) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

// child serves, and says at each line of its input what CPU it has used.
func child(ctx context.Context, file string) error {
	d, err := serve(ctx, file)
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(cpu())
	}
	return d.Stop(context.Background(), time.Minute)
}

func serve(ctx context.Context, file string) (*daemon.Daemon, error) {
	cfg, problems := config.Load(file)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return daemon.Start(ctx, daemon.Options{File: file, Config: cfg, Log: slog.New(slog.DiscardHandler)})
}
