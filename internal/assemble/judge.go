package assemble

import (
	"context"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// Judge is the part that judges: the gate. It is the last, for it takes the
// draft's policy as it then is.
type Judge struct {
	// Parts of the gate. A Journal of nil stands for that of the part Journals.
	gate.Parts

	gate *gate.Gate
}

// Gate is nil before the first policy is in force.
func (j *Judge) Gate() *gate.Gate { return j.gate }

// Prepare makes nothing that could fail.
func (j *Judge) Prepare(_ context.Context, d *Draft) (Step, error) {
	policy, parts := d.Policy, j.Parts
	if parts.Journal == nil {
		parts.Journal = d.Journal
	}
	return step{commit: func() {
		if j.gate == nil {
			j.gate = gate.New(&policy, parts)
			return
		}
		j.gate.Swap(&policy)
	}}, nil
}

// Close waits for what still runs after its answer went out.
func (j *Judge) Close() error {
	if j.gate != nil {
		j.gate.Wait()
	}
	return nil
}
