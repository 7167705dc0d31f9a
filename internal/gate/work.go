package gate

import (
	"context"
	"math"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules"
)

// Work implements rules.Facts: what matching, and reading the header for it, may
// cost for the message, over all its stages and recipients. Before MAIL each stage has that much: its texts are
// short.
func (f facts) Work() *budget.Budget {
	if f.m == nil {
		return rules.Work()
	}
	return f.m.work
}

// newWork is the work of a message: what its rules match, and what is read of its
// header for them.
func (j *judge) newWork() *budget.Budget {
	return budget.New(context.Background(), j.Limits.of(RuleWork), math.MaxInt64)
}

// walk is what reading the parts of a message may cost.
func walk(ctx context.Context) *budget.Budget { return budget.Proportional(ctx, math.MaxInt64) }
