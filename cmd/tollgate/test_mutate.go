package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/mutation"
	"github.com/tollgate-mail/tollgate/internal/policytest"
)

func failed(results []policytest.Result) bool {
	return slices.ContainsFunc(results, func(r policytest.Result) bool { return !r.Passed })
}

// mutate changes the policy and tells what no case notices.
func (a *app) mutate(ctx context.Context, o mutation.Options, budget time.Duration, covered *policytest.Coverage) error {
	began := time.Now()
	if budget > 0 {
		o.Spent = func() bool { return time.Since(began) >= budget }
	}
	r, err := mutation.Run(ctx, o)
	switch {
	case errors.Is(err, mutation.ErrFailing):
		return silent(exitNegative)
	case err != nil:
		return away(err)
	case a.json && covered != nil:
		err = printJSON(a.out, map[string]any{"coverage": covered, "mutation": r})
	case a.json:
		err = printJSON(a.out, r)
	default:
		p := &printer{out: a.out}
		if covered != nil {
			p.coverage(covered)
		}
		p.mutation(r)
		p.line("%s (%.2f s)", daemon.Plural(len(o.Cases), "case"), time.Since(began).Seconds())
		err = away(p.err)
	}
	if err == nil && len(r.Alive)+len(r.Untried) > 0 {
		return silent(exitNegative)
	}
	return err
}

func (p *printer) mutation(r *mutation.Report) {
	for _, m := range r.Alive {
		p.line("%s:%d: no case notices: %s", m.File, m.Line, m.What)
		if m.Case == "" {
			p.line("    no case was found that does")
			continue
		}
		for _, line := range strings.Split(strings.TrimSuffix(m.Case, "\n"), "\n") {
			p.line("    %s", line)
		}
	}
	for _, m := range r.Untried {
		p.line("%s:%d: not tried: %s", m.File, m.Line, m.What)
	}
	left := 0
	for _, why := range slices.Sorted(maps.Keys(r.Left)) {
		p.line("%d left out: %s", r.Left[why], why)
		left += r.Left[why]
	}
	// The parts add up to the whole.
	p.line("%s: %d noticed, %d not, %d not tried, %d left out", daemon.Plural(r.Mutants, "change"), r.Killed, len(r.Alive), len(r.Untried), left)
}
