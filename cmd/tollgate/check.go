package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/proof"
)

func (a *app) check() *cobra.Command {
	var strict, live bool
	c := &cobra.Command{
		Use:   "check [--strict] [--live] [FILE]",
		Short: "find every error of a policy",
		Long: `Check reads a policy file, what it includes and what it names, and prints every
problem at once as "file:line: what is wrong". Exit code 0: the policy can be
put in force; 78: it cannot.

With --strict warnings count as errors, and check reasons about the rules: it
names rules that can never match or are covered by an earlier one, weights that
reach no threshold, thresholds above all weights, patterns that stand there
twice, match everything or have no literal, lists that no rule names, accepts
that a sender can forge, days gone by. Where it cannot be decided it is silent.

With --live each service that a good policy names is asked once: DNS servers and
lists, the antivirus, modules, Redis. Check says what answers, and what does not
and why; exit code 75 then. Else no server is asked. Clients of Redis are those
that the gateway keeps in state_dir: it is a warning when they name a tariff that
the policy has not.`,
		Example: `  tollgate check
  tollgate check --live
  tollgate check --strict /etc/tollgate/policy.toml.new && mv ...
  tollgate check --json | jq -r '.[] | "\(.file):\(.line)"'`,
		Args: counted(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			file := a.policy
			if len(args) > 0 {
				file = args[0]
			}
			daemon.LoadingHeap()
			is, problems := readFor(file, strict)
			is.bad = problems.Err() != nil || strict && len(problems) > 0
			is.rows = daemon.ProblemRows(problems)
			if live && !is.bad {
				return a.checkedLive(c.Context(), is)
			}
			return a.checked(is)
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "warnings are errors, and there are more of them")
	c.Flags().BoolVar(&live, "live", false, "ask each service that the policy names once")
	return c
}

// checking is a policy that was read, and what was found in it.
type checking struct {
	file string
	cfg  *config.Config // nil: it cannot be read
	kept *assemble.Kept // the clients of its source
	rows []daemon.ProblemRow
	bad  bool
}

// readFor reads a policy, and with strict reasons about its rules, too.
func readFor(file string, strict bool) (is checking, problems diag.Problems) {
	is.file = file
	var plain *config.Plain
	if strict {
		is.cfg, plain, problems = config.LoadPlain(file)
	} else {
		is.cfg, problems = config.Check(file)
	}
	if is.cfg == nil {
		return is, problems
	}
	is.kept = assemble.KeptClients(is.cfg)
	problems = append(problems, is.kept.Lost()...)
	if strict {
		problems = append(problems, proof.Findings(reasoned(is.cfg, plain), time.Now())...)
		for _, t := range plain.Idle {
			problems = append(problems, diag.Problem{Pos: t.Pos, Msg: "tariff " + t.Name + ": no client has it", Warning: true})
		}
		problems.Sort()
	}
	return is, problems
}

// checked prints what was found.
func (a *app) checked(is checking) error {
	if a.json {
		if err := printJSON(a.out, is.rows); err != nil {
			return err
		}
	} else {
		printProblems(a.err, is.rows)
		if len(is.rows) > 0 {
			fmt.Fprintln(a.err, closingLine(is.rows))
		}
		if !is.bad {
			fmt.Fprintf(a.out, "%s: ok (%s)\n", is.file, daemon.CountsOf(is.cfg))
			printKept(&printer{out: a.out}, is.kept.About())
		}
	}
	if is.bad {
		return silent(exitPolicy)
	}
	return nil
}

// reasoned is a policy as those have it who reason about it.
func reasoned(cfg *config.Config, plain *config.Plain) proof.Policy {
	p := proof.Policy{Source: plain.Source, Compiled: cfg.Gate.Rules}
	for _, m := range cfg.Modules {
		p.Scored = p.Scored || m.Factor != 0
	}
	for _, e := range plain.Ends {
		p.Dates = append(p.Dates, proof.Date(e))
	}
	return p
}
