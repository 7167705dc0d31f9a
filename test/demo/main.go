// Demo shows tollgate at work: a throw-away Postfix on loopback with tollgate
// in front of its queue, real messages through it over SMTP, and what became
// of them. It leaves nothing behind.
package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
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
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is the stage: one Postfix, one tollgate, one next hop.
type demo struct {
	out     io.Writer
	began   time.Time
	counted counts
	box     *harness.Sandbox
	sink    *harness.Sink
	gate    *harness.Tollgate
	postfix *harness.Postfix
}

func run(ctx context.Context, out io.Writer) (err error) {
	d := &demo{out: out, began: time.Now()}
	d.step("a folder of its own for everything, removed at the end")
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
	d.box = box
	if err := d.start(); err != nil {
		return err
	}
	d.step("all is up: %d messages follow, one a scene", len(scenes))
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
	d.summary()
	_, err = fmt.Fprint(d.out, attach)
	return err
}

// step says what goes on, and how long it has taken so far.
func (d *demo) step(format string, args ...any) {
	fmt.Fprintf(d.out, "[%3d s] %s\n", int(time.Since(d.began).Seconds()), fmt.Sprintf(format, args...))
}

func (d *demo) start() error {
	d.step("building tollgate (a minute, the first time)")
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
	d.step("starting a clamd that knows one virus")
	clamd, err := d.box.Clamd(harness.ClamdConfig{})
	if err != nil {
		return err
	}
	for _, name := range []string{"policy.toml", "clients.toml", "blacklist.txt"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte("unix:/run/clamav/clamd.ctl"), []byte("unix:"+clamd.Socket))
		if err := os.WriteFile(d.box.Path("policy", name), text, 0o644); err != nil {
			return err
		}
	}
	d.step("starting tollgate with test/demo/policy.toml")
	if err := d.gate.Start(); err != nil {
		return err
	}
	d.step("starting a Postfix with contrib/postfix/main.cf")
	d.postfix, err = d.box.Postfix(harness.PostfixConfig{Milter: d.gate.Milter, NextHop: d.sink.Addr()})
	return err
}
