package daemon

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// blocked tells reports of what was refused, from the block journal of this
// gateway. An entry that names no client, as those of before did, is of whom the
// recipient belongs to now.
type blocked struct {
	dir     string
	clients *directory.Directory
}

// Blocks reads the journal.
func (b *blocked) Blocks(ctx context.Context, from, to time.Time, fn func(report.Block)) error {
	_, err := journal.Search(ctx, b.dir, journal.Query{Kinds: []string{journal.Blocks}, Since: from, Until: to}, func(e journal.Entry) error {
		// What was done to held mail is no second block; nor is a recipient that
		// Postfix refused itself one of ours.
		if e.Stage == "hold" || e.Stage == "close" || e.Stage == "queue" {
			return nil
		}
		one := report.Block{Time: e.Time, Gateway: e.Gateway, Recipient: address.Parse(e.Recipient).String(), Reason: reasonOf(&e)}
		if one.Client = e.Client; one.Client == "" && b.clients != nil {
			if c := b.clients.Lookup(e.Recipient).Client; c != nil {
				one.Client = c.ID
			}
		}
		fn(one)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever journalled
	}
	return err
}

// reasonOf is one of few: what is different each time is left out.
func reasonOf(e *journal.Entry) string {
	reason, _, _ := strings.Cut(e.Reason, ": ")
	reason, _, _ = strings.Cut(reason, " (ref ")
	if before, above, ok := strings.Cut(reason, " above "); ok && strings.HasPrefix(before, "weight ") {
		reason = "weight above " + above
	}
	if strings.HasPrefix(reason, "virus ") {
		reason = "virus"
	}
	if reason == "" {
		reason = e.Verdict
	}
	return reason
}
