package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// streams are where a command reads and prints.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what all commands share.
type app struct {
	streams
	policy string    // --policy
	json   bool      // --json
	key    redactKey // once it was asked for

	toldPlaces bool // what is wrong with the text where places are read
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s}
	root := a.root()
	root.SetArgs(amounts(root, args))
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	return a.exit(root.ExecuteContextC(ctx))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tollgate",
		Short: "the gate and its toll: a mail policy and accounting milter for Postfix",
		Long: `Tollgate stands beside Postfix on a mail gateway. It decides, stage by stage,
what may pass, marks what is suspicious, and keeps the account of what every
recipient's mail weighs.

One TOML file is the whole policy. "tollgate check" finds every error in it,
"tollgate serve" runs it, "tollgate journal" finds lost mail.`,
		Example: `  tollgate check                                    is the policy right?
  tollgate reload                                   put it in force
  tollgate journal --recipient ivan@example.org     where is my mail?
  tollgate report --by client --from 2026-11-01     who pays what?
  tollgate status                                   what is up, what waits?`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true, // exit prints them, in one form
		SilenceUsage:  true,
		RunE:          commandOf,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.policy, "policy", config.DefaultPath, "the policy `FILE`")
	flags.BoolVar(&a.json, "json", false, "print JSON, for programs")
	root.AddCommand(
		a.serve(), a.check(), a.schema(), a.explain(), a.test(), a.replay(), a.journal(), a.report(), a.hold(), a.parked(), a.trace(), a.status(), a.reload(), a.attach(), a.detach(), a.version(),
		a.clients(), a.statement(), a.close(), a.reconcile(), a.maillog(), a.doctor(), a.setup(), a.sendTest(),
		a.audit(), a.lists(),
	)
	root.AddCommand(a.careful()...)
	root.AddCommand(a.completion(root))
	root.SetHelpCommand(a.help(root))
	root.SetFlagErrorFunc(unknownFlag)
	root.CompletionOptions.DisableDefaultCmd = true
	root.Version = thisBuild().String()
	root.SetVersionTemplate("{{.Version}}\n")
	return root
}
