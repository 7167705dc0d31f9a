package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/metrics"
)

// defaultGrace is how long SMTP sessions may go on after SIGTERM. Meanwhile
// Postfix finds nobody who takes new connections and defers their mail, so it
// is no longer than a message needs: a large sender keeps its session open and
// idle for minutes.
const defaultGrace = 10 * time.Second

func (a *app) serve() *cobra.Command {
	grace := timeFlag(defaultGrace)
	level := slog.LevelInfo
	c := &cobra.Command{
		Use:   "serve",
		Short: "run the milter",
		Long: `Serve loads the policy and answers Postfix until SIGTERM or SIGINT. Then it
drains: it takes no new connection, lets SMTP sessions go on for up to --grace
and then ends them between two messages, and makes records and journals safe. A
second signal does not wait.

SIGHUP loads the policy anew and opens the journals anew, as "tollgate reload"
does. The log goes to stderr. Exit code 78: the policy is bad; 75: the state_dir
is another's, or a socket or journal cannot be opened.`,
		Example: `  tollgate serve --policy ./policy.toml --log-level debug`,
		Args:    alone,
		RunE: func(c *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
			return a.runDaemon(c.Context(), log, time.Duration(grace))
		},
	}
	c.Flags().Var(&grace, "grace", "how long SMTP sessions may go on after SIGTERM, a `TIME` such as 30s")
	c.Flags().TextVar(&level, "log-level", level, "`LEVEL` of the log: debug, info, warn, error")
	c.Flags().Lookup("log-level").DefValue = "info"
	return c
}

func (a *app) runDaemon(ctx context.Context, log *slog.Logger, grace time.Duration) error {
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

	figures := metrics.New(log)
	d, err := daemon.Start(ctx, daemon.Options{
		File: a.policy, Config: cfg, Version: thisBuild().Version, Log: log,
		Additions: []daemon.Addition{figures},
	})
	if err != nil {
		return away(err)
	}
	figures.Attach(d)
	log.Info("serving", "version", thisBuild().Version, "gateway", cfg.Gate.Gateway, "listen", cfg.Listen, "policy", a.policy)
	err = d.Wait(ctx, end, renew)
	log.Info("draining", "grace", grace)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go func() {
		for {
			select {
			case s := <-end:
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
	if stopped := d.Stop(ctx, grace); err == nil {
		err = stopped
	}
	log.Info("ended")
	return away(err)
}
