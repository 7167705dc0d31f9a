// Demo shows tollgate at work: a throw-away Postfix on loopback with tollgate
// in front of its queue, real messages through it over SMTP, and what became
// of them. It leaves nothing behind.
package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

//go:embed policy.toml clients.toml blacklist.txt mail
var files embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is the stage: one Postfix, one tollgate, one next hop.
type demo struct {
	box     *harness.Sandbox
	sink    *harness.Sink
	gate    *harness.Tollgate
	postfix *harness.Postfix
}

func run(ctx context.Context) (err error) {
	box, err := harness.New()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			fmt.Fprintln(os.Stderr, box.Logs())
		}
		if e := box.Close(); err == nil {
			err = e
		}
	}()
	d := &demo{box: box}
	if err := d.start(); err != nil {
		return err
	}
	d.introduce()
	for i, s := range scenes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.play(i+1, s); err != nil {
			return err
		}
	}
	if err := d.postfix.Idle(20 * time.Second); err != nil {
		return err
	}
	if err := d.arrivals(); err != nil {
		return err
	}
	if err := d.commands(ctx); err != nil {
		return err
	}
	fmt.Print(attach)
	return nil
}

func (d *demo) start() error {
	binary, err := harness.Build(d.box.Dir)
	if err != nil {
		return err
	}
	if d.sink, err = d.box.Sink(); err != nil {
		return err
	}
	if d.gate, err = d.box.Tollgate(binary, ""); err != nil {
		return err
	}
	clamd, err := d.box.Clamd(harness.ClamdConfig{})
	if err != nil {
		return err
	}
	for _, name := range []string{"policy.toml", "clients.toml", "blacklist.txt"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte("{{clamd}}"), []byte("unix:"+clamd.Socket))
		if err := os.WriteFile(d.box.Path("policy", name), text, 0o644); err != nil {
			return err
		}
	}
	if err := d.gate.Start(); err != nil {
		return err
	}
	d.postfix, err = d.box.Postfix(harness.PostfixConfig{Milter: d.gate.Milter, NextHop: d.sink.Addr()})
	return err
}
