package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
)

func (a *app) reload() *cobra.Command {
	var r daemon.ReloadRequest
	propose := false
	c := &cobra.Command{
		Use:   "reload",
		Short: "put the policy file in force",
		Long: `Reload makes the running daemon load its policy anew and open its journals anew;
SIGHUP does the same. No connection is dropped; a message under way is judged to
its end by the policy it began with. A bad policy changes nothing: its errors
are printed, exit code 78, and status says so. Changes of listen, state_dir,
[redis] and the accounting's timezone need a restart; the rest is applied. Exit
code 75: no daemon runs.

Each policy that is another than the one before is kept in the history, with
--message as the reason ("tollgate policy log"). Where two people are to agree,
one says --propose, which checks the policy and notes its version, and another
user of the system --approve, which puts that version in force and no other; the
history names both. Who may open the control socket may propose.`,
		Example: `  tollgate check && tollgate reload --message "partner's relay moved"
  tollgate reload --propose --message "lottery mail weighs more"
  tollgate reload --approve`,
		Args: alone,
		RunE: func(c *cobra.Command, _ []string) error {
			if propose {
				return a.propose(c, r.Message)
			}
			done, err := a.askReload(c.Context(), r)
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(a.out, done)
			}
			printProblems(a.err, done.Warnings)
			if len(done.Restart) > 0 {
				fmt.Fprintf(a.err, "tollgate: needs a restart to take effect: %s\n", strings.Join(done.Restart, ", "))
			}
			_, err = fmt.Fprintf(a.out, "%s: in force (%s), version %s\n", done.Policy, done.Counts, done.Version)
			return away(err)
		},
	}
	f := c.Flags()
	f.StringVar(&r.Message, "message", "", "why, for the history: a `TEXT`")
	f.BoolVar(&propose, "propose", false, "change nothing; somebody else is to approve it")
	f.BoolVar(&r.Approve, "approve", false, "put in force what somebody else has proposed")
	c.MarkFlagsMutuallyExclusive("propose", "approve")
	return c
}

// noVersion is that of no policy.
const noVersion = "of a file that is no TOML"

// askReload has the daemon load its policy. Of a file that is no TOML any more it is
// told like of any other bad one: its status and its figures say that the policy on
// disk is bad. Where the daemon is may have to be guessed then, so whichever answers
// puts nothing in force.
func (a *app) askReload(ctx context.Context, r daemon.ReloadRequest) (done daemon.Reloaded, err error) {
	places, problems := config.FindPlaces(a.policy)
	if problems.Err() != nil {
		printProblems(a.err, daemon.ProblemRows(problems))
		return done, silent(exitPolicy)
	}
	guessed := len(problems) > 0
	if guessed && !r.Approve {
		r.Version = noVersion
	}
	err = a.ask(ctx, places.StateDir, daemon.CmdReload, r, &done)
	var refusal *control.Refusal
	if guessed && (errors.Is(err, control.ErrNoDaemon) || errors.As(err, &refusal) && refusal.Code == daemon.CodeRequest) {
		if _, bad := a.places(); bad != nil {
			return done, bad
		}
	}
	return done, err
}

func (a *app) propose(c *cobra.Command, message string) error {
	places, err := a.places()
	if err != nil {
		return err
	}
	var p daemon.Proposal
	if err := a.ask(c.Context(), places.StateDir, daemon.CmdPropose, daemon.ProposeRequest{Message: message}, &p); err != nil {
		return err
	}
	if a.json {
		return printJSON(a.out, p)
	}
	_, err = fmt.Fprintf(a.out, "version %s is proposed by %s\n", p.Version, p.By)
	return away(err)
}
