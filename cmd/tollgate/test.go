package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/mutation"
	"github.com/tollgate-mail/tollgate/internal/policytest"
)

func (a *app) test() *cobra.Command {
	var coverage, mutate bool
	var junit string
	var budget timeFlag
	c := &cobra.Command{
		Use:   "test CASES.toml...",
		Short: "run unit tests of a policy",
		Long: `Test has the message of each case judged by the policy file, as live mail would
be, and compares what became of it with what the case expects. DNS is what the
case says; where it says nothing a name does not exist. Clients of Redis are
those that the file of cases has as [[client]]. Nothing is sent, journalled,
remembered or charged. Of inspectors only those run that ask no
service.

With --mutate the policy is changed, one small thing at a time: each condition,
value, weight, action, threshold, class of list entries, and the order of rules.
Changes that no case notices are named, each with a case to write, ready to
paste. Changes that are known to change nothing are left out and counted.
--budget ends it earlier, and it says what it did not try.

Exit code 0: every case went as expected; 1: one did not, or a change was not
noticed; 78: the policy is bad; 2: a file of cases is.`,
		Example: `  tollgate test cases.toml
  tollgate test --coverage cases/*.toml
  tollgate test --mutate --budget 1m cases.toml
  tollgate test --junit report.xml --policy ./policy.toml cases.toml`,
		Args: atLeast(1, "which cases? Name files with [[case]]"),
		RunE: func(c *cobra.Command, args []string) error {
			if budget != 0 && !mutate {
				return usagef("--budget is how long --mutate may take")
			}
			cfg, plain, problems := config.LoadPlain(a.policy)
			if problems.Err() != nil {
				printProblems(a.err, daemon.ProblemRows(problems))
				return silent(exitPolicy)
			}
			var cases []*policytest.Case
			for _, path := range args {
				more, err := policytest.Load(path)
				if err != nil {
					return usagef("%w", err)
				}
				cases = append(cases, more...)
			}
			if err := policytest.CheckClients(cfg, cases); err != nil {
				return usagef("%w", err)
			}
			began := time.Now()
			results := policytest.Run(c.Context(), cfg, cases)
			if junit != "" {
				err := a.writeTo(junit, func(w io.Writer) error { return away(policytest.WriteJUnit(w, results)) })
				if err != nil {
					return err
				}
			}
			var covered *policytest.Coverage
			if coverage {
				c := policytest.Covered(cfg, results)
				covered = &c
			}
			if mutate && !failed(results) {
				return a.mutate(c.Context(), mutation.Options{Config: cfg, Policy: reasoned(cfg, plain), Cases: cases}, time.Duration(budget), covered)
			}
			err := a.printResults(results, covered, time.Since(began))
			if source := policytest.Unnamed(cfg, cases); source != "" && !a.json {
				fmt.Fprintf(a.out, "clients of %s are not read for tests, and who is not the policy's is deferred: write [[client]] into the file of cases\n", source)
			}
			if err != nil {
				if mutate {
					fmt.Fprintln(a.err, "tollgate: nothing was changed: --mutate needs cases that all go as expected")
				}
				return err
			}
			if names := policytest.Unasked(cfg, cases); len(names) > 0 && !a.json {
				fmt.Fprintf(a.out, "not asked, and no case says what they answer (inspectors): %s\n", strings.Join(names, ", "))
			}
			return nil
		},
	}
	f := c.Flags()
	f.BoolVar(&coverage, "coverage", false, "name rules, thresholds and reasons to refuse a recipient that no case reached")
	f.BoolVar(&mutate, "mutate", false, "name changes of the policy that no case notices")
	f.Var(&budget, "budget", "end --mutate after this `TIME`, such as 1m")
	f.StringVar(&junit, "junit", "", "write a report of JUnit to this new `FILE`")
	return c
}

// printResults tells how cases went.
func (a *app) printResults(results []policytest.Result, covered *policytest.Coverage, took time.Duration) error {
	failed := 0
	for _, r := range results {
		if !r.Passed {
			failed++
		}
	}
	switch {
	case a.json && covered != nil:
		if err := printJSON(a.out, map[string]any{"cases": results, "coverage": covered}); err != nil {
			return err
		}
	case a.json:
		if err := printJSON(a.out, results); err != nil {
			return err
		}
	default:
		p := &printer{out: a.out}
		for i := range results {
			p.result(&results[i])
		}
		if covered != nil {
			p.coverage(covered)
		}
		p.line("%s, %d failed (%.2f s)", daemon.Plural(len(results), "case"), failed, took.Seconds())
		if p.err != nil {
			return away(p.err)
		}
	}
	if failed > 0 {
		return silent(exitNegative)
	}
	return nil
}

func (p *printer) result(r *policytest.Result) {
	if r.Passed {
		return
	}
	p.line("%s:%d: %s: failed", r.File, r.Line, r.Name)
	if r.Error != "" {
		p.line("    cannot be tried: %s", r.Error)
	}
	for _, d := range r.Differences {
		p.line("    %s", d.What)
		p.line("        want %s", d.Want)
		p.line("        got  %s", d.Got)
	}
}

func (p *printer) coverage(c *policytest.Coverage) {
	for _, row := range []struct {
		what   string
		of     int
		missed []string
	}{
		{"rules", c.Rules, c.NoRules}, {"thresholds", c.Thresholds, c.NoThresholds}, {"reasons to refuse a recipient", c.States, c.NoStates},
	} {
		line := fmt.Sprintf("%s: %d of %d reached", row.what, row.of-len(row.missed), row.of)
		if len(row.missed) > 0 {
			line += "; not " + strings.Join(row.missed, ", ")
		}
		p.line("%s", line)
	}
}
