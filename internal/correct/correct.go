// Package correct takes back what was charged for messages that nobody gets.
package correct

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/spool"
)

// Books are where records are found and voids are written.
type Books struct {
	Gateway string
	Spool   *spool.Spool
	// Store opens the store, for records that the spool retains no longer.
	Store func(context.Context) (accounting.Store, error)
	Now   func() time.Time
}

// Message is one that was charged.
type Message struct {
	QueueID string    `json:"queue_id"`
	Ref     string    `json:"ref"`   // "" when it is not known
	Since   time.Time `json:"since"` // not charged before; queue ids come again
	Until   time.Time `json:"until"` // nor at or after; zero: no limit
}

func (m Message) has(gateway string, r *accounting.Record) bool {
	return r.Kind == accounting.Usage && r.QueueID == m.QueueID && r.Gateway == gateway && (m.Ref == "" || m.Ref == r.Ref) &&
		!r.Time.Before(m.Since) && (m.Until.IsZero() || r.Time.Before(m.Until))
}

// Records are what each message was charged. The spool has all of a message or
// nothing; what it does not have is asked of the store.
func (b *Books) Records(ctx context.Context, messages []Message) ([][]accounting.Record, error) {
	found := make([][]accounting.Record, len(messages))
	byID := map[string][]int{}
	since := b.Now()
	for i, m := range messages {
		byID[m.QueueID] = append(byID[m.QueueID], i)
		if m.Since.Before(since) {
			since = m.Since
		}
	}
	note := func(r *accounting.Record) {
		for _, i := range byID[r.QueueID] {
			if messages[i].has(b.Gateway, r) {
				found[i] = append(found[i], *r)
				return
			}
		}
	}
	err := b.Spool.Find(ctx, since, func(list []accounting.Record) error {
		for i := range list {
			note(&list[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	absent := map[string][]int{}
	var from, to time.Time
	for i, m := range messages {
		if len(found[i]) > 0 {
			continue
		}
		absent[m.QueueID] = append(absent[m.QueueID], i)
		if from.IsZero() || m.Since.Before(from) {
			from = m.Since
		}
		if until := m.Until; until.After(to) || until.IsZero() {
			to = until
			if until.IsZero() {
				to = b.Now().Add(accounting.FutureLimit)
			}
		}
	}
	if len(absent) == 0 {
		return found, nil
	}
	byID = absent
	store, err := b.Store(ctx)
	if err != nil {
		return nil, err
	}
	if err := store.Records(ctx, "", from, to, func(r accounting.Record) error { note(&r); return nil }); err != nil {
		return nil, fmt.Errorf("the store cannot be read: %w", err)
	}
	return found, nil
}

// Void writes voids for what the messages were charged, durably. It returns
// the records that each had; asked again it changes nothing.
func (b *Books) Void(ctx context.Context, messages []Message) ([][]accounting.Record, error) {
	found, err := b.Records(ctx, messages)
	if err != nil {
		return nil, err
	}
	now := b.Now()
	for _, list := range found {
		voids := make([]accounting.Record, len(list))
		for k, r := range list {
			voids[k] = accounting.VoidOf(r, now)
		}
		if err := b.Spool.Append(ctx, voids); err != nil {
			return nil, err
		}
	}
	return found, nil
}
