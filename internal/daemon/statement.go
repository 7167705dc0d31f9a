package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/accounting/report"
	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

func (d *Daemon) answerStatement(ctx context.Context, request json.RawMessage) (any, error) {
	var r StatementRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	dir := d.accounts.Live.Snapshot()
	if err := accounting.CheckID(r.Client); err != nil {
		return nil, refuse(fmt.Errorf("%w: %w", errors.New(noClient(r.Client, dir)), err))
	}
	l, err := d.statementBooks(ctx)
	if err != nil {
		return nil, storeAway(err)
	}
	s, err := report.StatementOf(ctx, l, d.accounts.Book, r.Client, r.Period, time.Now())
	if err == nil {
		err = s.Sum()
	}
	if err == nil {
		err = d.empty(ctx, l, r, dir)
	}
	switch {
	case errors.Is(err, report.ErrQuery):
		return nil, refuse(err)
	case err != nil:
		return nil, storeAway(err)
	}
	if dir != nil {
		if c := dir.Client(r.Client); c != nil {
			s.Name = c.Name
		}
	}
	return s, nil
}

// empty refuses a statement that would be empty because nothing can ever stand in
// it: of nobody, of a period that is no period of the client's tariff, of one that
// is yet to come. It would look like a bill.
func (d *Daemon) empty(ctx context.Context, l accounting.Ledger, r StatementRequest, dir *directory.Directory) error {
	periods, err := l.Periods(ctx, r.Client)
	if err != nil || slices.Contains(periods, r.Period) {
		return err
	}
	var client *accounting.Client
	if dir != nil {
		client = dir.Client(r.Client)
	}
	if client == nil && len(periods) == 0 {
		return fmt.Errorf("%w: %s", report.ErrQuery, noClient(r.Client, dir))
	}
	from, to, err := accounting.Span(r.Period, time.UTC)
	if err != nil {
		return fmt.Errorf("%w: %w", report.ErrQuery, err)
	}
	now := time.Now()
	const ahead = 14 * time.Hour // no zone is further ahead
	if from.Add(-ahead).After(now) {
		return fmt.Errorf("%w: %s is yet to come", report.ErrQuery, r.Period)
	}
	text, err := l.Plans(ctx, r.Client)
	if err != nil {
		return err
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		return err
	}
	plan := price.Plan{Period: accounting.ByMonth, Zone: d.config().Location.String()}
	if len(plans) > 0 {
		plan = plans.At(from.Add(to.Sub(from) / 2))
	} else if client != nil {
		if t := d.accounts.Book.Find(client.TariffVersion); t != nil {
			plan = t.Plan()
		}
	}
	if plan.Period == accounting.KindOf(r.Period) {
		return nil
	}
	loc, err := time.LoadLocation(plan.Zone)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: the periods of %s are %ss of %s: ask for one, such as %s", report.ErrQuery, r.Client, plan.Period, plan.Zone,
		accounting.PeriodOf(plan.Period, now, loc))
}

// noClient says that there is none, and which may have been meant.
func noClient(id string, dir *directory.Directory) string {
	note := fmt.Sprintf("there is no client %q", id)
	var ids []string
	if dir != nil {
		for _, c := range dir.Clients() {
			ids = append(ids, c.ID)
		}
	}
	if near := diag.Nearest(id, ids); near != "" {
		note += fmt.Sprintf("; did you mean %q?", near)
	}
	return note
}

// blocked tells reports of what was refused, from the block journal of this
// gateway. An entry that names no client, as those of before did, is of whom the
// recipient belongs to now.
type blocked struct {
	dir     string
	clients *directory.Directory
	unread  []string // of the journal, when it was read
}

// notes tell what could not be read.
func (b *blocked) notes() (all []string) {
	for _, what := range b.unread {
		all = append(all, "what was refused is not all here: "+what)
	}
	return all
}

// Blocks reads the journal.
func (b *blocked) Blocks(ctx context.Context, from, to time.Time, fn func(report.Block)) error {
	found, err := journal.SearchReadable(ctx, b.dir, journal.Query{Kinds: []string{journal.Blocks}, Since: from, Until: to}, func(e journal.Entry) error {
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
	b.unread = found.Missing()
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
