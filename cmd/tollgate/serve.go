package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/metrics"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

// defaultGrace is how long SMTP sessions may go on after SIGTERM. Meanwhile
// Postfix finds nobody who takes new connections and defers their mail, so it
// is no longer than a message needs: a large sender keeps its session open and
// idle for minutes.
const defaultGrace = 10 * time.Second

// defaultDrain is how long SMTP sessions may go on in a process that was taken over
// from. Nobody waits for them: Postfix finds the new one.
const defaultDrain = 5 * time.Minute

func (a *app) serve() *cobra.Command {
	grace := timeFlag(defaultGrace)
	heir := inheritance{drain: timeFlag(defaultDrain)}
	level := slog.LevelInfo
	c := &cobra.Command{
		Use:   "serve",
		Short: "run the milter",
		Long: `Serve loads the policy and answers Postfix until SIGTERM or SIGINT. Then it
drains: it takes no new connection, lets SMTP sessions go on for up to --grace
and then ends them between two messages, and makes records and journals safe. A
second signal does not wait.

With --takeover it takes the place of the tollgate that runs with the same
state_dir: it loads and checks the policy, gets the sockets over the control
socket, opens what the other one closes for it, and serves. No connection is
refused meanwhile. The other one ends its SMTP sessions within --drain. Whatever
fails before that leaves the other one serving as before.

SIGHUP loads the policy anew and opens the journals anew, as "tollgate reload"
does. The log goes to stderr. Exit code 78: the policy is bad; 75: the state_dir
is another's, or a socket or journal cannot be opened.`,
		Example: `  tollgate serve --policy ./policy.toml --log-level debug
  tollgate serve --takeover`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
			return a.runDaemon(c.Context(), log, time.Duration(grace), heir)
		},
	}
	c.Flags().BoolVar(&heir.wanted, "takeover", false, "take the place of the tollgate that runs")
	c.Flags().Var(&heir.drain, "drain", "with --takeover, how long SMTP sessions of the other one may go on, a `TIME` such as 5m")
	c.Flags().Var(&grace, "grace", "how long SMTP sessions may go on after SIGTERM, a `TIME` such as 30s")
	c.Flags().TextVar(&level, "log-level", level, "`LEVEL` of the log: debug, info, warn, error")
	c.Flags().Lookup("log-level").DefValue = "info"
	return c
}

// inheritance is whether a daemon takes over from another.
type inheritance struct {
	wanted bool
	drain  timeFlag // of the other's sessions
}

// claim asks the daemon that runs for its place; nil where that is not wanted.
func (i inheritance) claim(ctx context.Context, stateDir string, log *slog.Logger) (*takeover.Heir, error) {
	if !i.wanted {
		return nil, nil
	}
	log.Info("asking the tollgate that runs to hand over", "state_dir", stateDir)
	h, err := takeover.Ask(ctx, stateDir, takeover.Hello{
		Protocol: takeover.Version, PID: os.Getpid(), Version: thisBuild().Version, Drain: time.Duration(i.drain).Milliseconds(),
	}, takeover.Silent{}, func() {
		log.Error("what the other tollgate has closed cannot be opened in time: giving up, it goes on")
		os.Exit(exitAway)
	})
	if err != nil {
		return nil, fmt.Errorf("takeover: %w", err)
	}
	return h, nil
}

// untilAsked is a context for what is given up when this process is asked to end, until
// it is whole. A signal that came too late for that is there again then. Whoever has the
// gateway is another process until then: to go on, and to end afterwards, would leave
// nobody.
func untilAsked(ctx context.Context, end chan os.Signal) (until context.Context, whole func()) {
	until, cancel := context.WithCancelCause(ctx)
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		select {
		case s := <-end:
			cancel(fmt.Errorf("asked to end: %s", s))
			<-done
			select {
			case end <- s:
			default: // others came since
			}
		case <-done:
		}
	}()
	return until, func() { close(done); <-over }
}

func (a *app) runDaemon(ctx context.Context, log *slog.Logger, grace time.Duration, i inheritance) error {
	daemon.LoadingHeap()
	cfg, problems := config.Load(a.policy)
	printProblems(a.err, daemon.ProblemRows(problems))
	if problems.Err() != nil {
		return &failure{exitPolicy, fmt.Errorf("%s: the policy is bad: not started", a.policy)}
	}
	// Each has a channel of its own: no number of SIGHUPs can keep a SIGTERM
	// out, and several of them that wait are one.
	end, renew := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(renew, syscall.SIGHUP)
	defer signal.Stop(end)
	defer signal.Stop(renew)

	starting, whole := ctx, func() {}
	if i.wanted {
		starting, whole = untilAsked(ctx, end)
	}
	heir, err := i.claim(starting, cfg.StateDir, log)
	if err != nil {
		return away(err)
	}
	figures := metrics.New(log)
	if heir != nil {
		figures.Inherit(heir)
		defer heir.Close()
	}
	d, err := daemon.Start(starting, daemon.Options{
		File: a.policy, Config: cfg, Version: thisBuild().Version, Log: log,
		Additions: []daemon.Addition{figures}, Heir: heir,
	})
	if err != nil {
		return away(err)
	}
	whole()
	figures.Attach(d)
	log.Info("serving", "version", thisBuild().Version, "gateway", cfg.Gate.Gateway, "listen", cfg.Listen, "policy", a.policy)
	err = d.Wait(ctx, end, renew)
	most, drains := d.HandedOver()
	if !drains {
		most = grace
	}
	log.Info("draining", "grace", most)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		var sooner sync.Once
		for {
			select {
			case s := <-end:
				if drains && s == syscall.SIGTERM {
					// A service manager says so again to what is left when the new
					// process has ended.
					sooner.Do(func() {
						log.Info("asked to end", "signal", s, "grace", grace)
						go func() { d.EndSooner(ctx, grace); cancel() }()
					})
					continue
				}
				log.Warn("not waiting any longer", "signal", s)
				cancel()
				return
			case <-renew:
				// logrotate's, say: no order to hurry.
				d.Reopen()
			case <-ctx.Done():
				return
			}
		}
	}()
	if stopped := d.Stop(ctx, most); err == nil {
		err = stopped
	}
	log.Info("ended")
	return away(err)
}
