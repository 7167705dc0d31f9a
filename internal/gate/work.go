package gate

import (
	"context"
	"math"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/rules"
)

// Work implements rules.Facts: what matching may cost for the message, over all
// its stages and recipients. Before MAIL each stage has that much: its texts are
// short.
func (f facts) Work() *budget.Budget {
	if f.m == nil {
		return rules.Work()
	}
	if f.m.work == nil {
		f.m.work = budget.New(context.Background(), f.m.j.Limits.of(RuleWork), math.MaxInt64)
	}
	return f.m.work
}
