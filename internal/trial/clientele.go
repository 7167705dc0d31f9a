package trial

import (
	"context"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/directory"
)

// clientele is the part that knows the clients, nil: those of the policy alone;
// and how their accounts stand, nil: that is not known.
type clientele struct {
	are       *directory.Directory
	standings []accounting.Standing
}

// Prepare gives the policy its clients.
func (c clientele) Prepare(_ context.Context, d *assemble.Draft) (assemble.Step, error) {
	switch {
	case c.are != nil:
		d.Policy.Directory = c.are
	case d.Config.ClientSource != nil:
		// Whoever stands in the source is not nobody.
		d.Policy.Directory, _ = d.Config.DirectoryOf(nil, true)
	}
	if c.standings != nil {
		live := directory.NewLive()
		live.Replace(d.Policy.Directory)
		live.Restore(c.standings)
		d.Policy.Clients = live
	}
	return step{}, nil
}

// Close does nothing.
func (clientele) Close() error { return nil }
