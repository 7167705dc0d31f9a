package mutation

import (
	"context"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/policytest"
)

// write makes a case that notices a mutant, "" where none was found.
func (r *run) write(ctx context.Context, m *Mutant) (string, error) {
	ways := r.maker.ways(&m.goal)
	for _, passed := range []bool{true, false} {
		base := r.world.draft()
		base.c.Passed = passed && r.Config.Gate.NeedsMemory()
		for _, aims := range ways {
			if text, err := r.writeFor(ctx, m, base, aims); err != nil || text != "" {
				return text, err
			}
		}
		if !r.Config.Gate.NeedsMemory() {
			break
		}
	}
	return "", nil
}

// writeFor makes one for which all aims are so.
func (r *run) writeFor(ctx context.Context, m *Mutant, base *draft, aims []aim) (string, error) {
	matches := m.goal.matches
	if m.goal.sum != nil {
		matches = r.maker.subset(*m.goal.sum)
	}
	for range 6 {
		d, ok := r.world.compose(base, aims)
		if !ok {
			return "", nil
		}
		text, in, err := r.notices(ctx, m, d)
		if err != nil || text != "" {
			return text, err
		}
		// Another rule was before: it must not match.
		more, ok := r.around(in, m, matches, aims)
		if !ok {
			return "", nil
		}
		aims = more
	}
	return "", nil
}

// around adds to what a message must be that another rule does not match: the one
// that decided, or that weighed.
func (r *run) around(by []string, m *Mutant, matches []int, aims []aim) ([]aim, bool) {
	for _, name := range by {
		i := r.maker.index(name)
		if i < 0 || slices.Contains(matches, i) || m.goal.truth && m.goal.rule == i {
			continue
		}
		for _, not := range r.maker.failing(i) {
			both := append(slices.Clone(aims), not...)
			if _, ok := r.world.compose(r.world.draft(), both); ok {
				return both, true
			}
		}
	}
	return nil, false
}

// notices tells whether a draft comes out otherwise under a mutant, as a case;
// by are the rules that decided and weighed without it.
func (r *run) notices(ctx context.Context, m *Mutant, d *draft) (text string, by []string, err error) {
	c := d.done()
	c.Name = strings.ReplaceAll(m.What, `"`, "")
	o, err := policytest.Judge(ctx, r.Config, c)
	if err != nil {
		return "", nil, nil // it cannot be tried: a name that is none, for one
	}
	other, err := policytest.Judge(ctx, r.with(m.made), c)
	if err != nil {
		return "", nil, ctx.Err()
	}
	for _, whole := range []bool{false, true} {
		c.Expect = expected(o, other, r.Config.Gate.Rules.TagHeaders(), whole)
		if len(policytest.Compare(&c.Expect, o)) == 0 && len(policytest.Compare(&c.Expect, other)) > 0 {
			return paste(c), nil, nil
		}
	}
	for _, e := range o.Events {
		if decided, ok := e.(gate.Decided); ok && decided.Rule != "" {
			by = append(by, decided.Rule)
		}
	}
	for _, h := range o.Result.Hits {
		if h.Weight != 0 && !h.Rule.Shadow {
			by = append(by, h.Rule.Name)
		}
	}
	return "", by, nil
}
