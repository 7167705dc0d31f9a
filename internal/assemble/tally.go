package assemble

import (
	"context"

	"github.com/tollgate-mail/tollgate/internal/tally"
)

// Tally is the part that has the rules of the policy in force counted, by days
// of its account.
type Tally struct{ *tally.Tally }

// Prepare makes nothing that can fail.
func (t Tally) Prepare(_ context.Context, d *Draft) (Step, error) {
	policy, loc := d.Policy.Rules, d.Config.Location
	return step{commit: func() {
		t.Take(policy)
		t.In(loc)
		d.OnRetire(func() { t.Drop(policy) })
	}}, nil
}

// Close does nothing.
func (Tally) Close() error { return nil }
