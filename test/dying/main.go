// Command dying is a daemon that is killed at a step of a hand-over, for tests: as
// kill -9 would, it closes nothing and says nothing.
//
//	dying serve --policy FILE [--takeover] --die STEP
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

// steps are those at which it can die, by name.
var steps = map[string]takeover.Step{
	"offered": takeover.Offered, "yielded": takeover.Yielded, "committing": takeover.Committing, "left": takeover.Left, "resumed": takeover.Resumed,
	"asked": takeover.Asked, "taken": takeover.Taken, "opened": takeover.Opened, "announced": takeover.Announced, "owned": takeover.Owned,
}

// death is the step at which it comes.
type death struct{ at takeover.Step }

func (d death) Reached(s takeover.Step) {
	if s == d.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it arrives
	}
}

func main() {
	flags := flag.NewFlagSet("dying", flag.ExitOnError)
	policy := flags.String("policy", "", "the policy file")
	takes := flags.Bool("takeover", false, "take the place of the daemon that runs")
	die := flags.String("die", "", "the step")
	_ = flags.Parse(os.Args[2:]) // exits
	if err := run(*policy, *takes, *die); err != nil {
		fmt.Fprintln(os.Stderr, "dying:", err)
		os.Exit(75)
	}
}

func run(policy string, takes bool, die string) error {
	step, ok := steps[die]
	if !ok {
		return fmt.Errorf("no step %q", die)
	}
	cfg, problems := config.Load(policy)
	if err := problems.Err(); err != nil {
		return err
	}
	ctx := context.Background()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	o := daemon.Options{File: policy, Config: cfg, Version: "dying at " + die, Log: slog.Default(), Steps: death{step}}
	if takes {
		heir, err := takeover.Ask(ctx, cfg.StateDir, takeover.Hello{
			Protocol: takeover.Version, PID: os.Getpid(), Version: o.Version, Drain: time.Minute.Milliseconds(),
		}, o.Steps, func() { os.Exit(75) })
		if err != nil {
			return err
		}
		defer heir.Close()
		o.Heir = heir
	}
	d, err := daemon.Start(ctx, o)
	if err != nil {
		return err
	}
	err = d.Wait(ctx, end, nil)
	grace := 10 * time.Second
	if drain, yes := d.HandedOver(); yes {
		grace = drain
	}
	return errors.Join(err, d.Stop(ctx, grace))
}
