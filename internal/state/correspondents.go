package state

import (
	"context"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// DefaultCorrespondentLife is how long it is remembered that somebody wrote to
// somebody.
const DefaultCorrespondentLife = 90 * day

const (
	// maxRemote bounds what one message makes us remember.
	maxRemote = 10_000
	// batch is how many go to the store at once: few enough for its time-out.
	batch = 500
	// remembering is how long one message may keep the store busy, in
	// time-outs.
	remembering = 4
)

// Correspondents are who wrote to whom.
type Correspondents struct {
	access *Access
	life   time.Duration
}

// Correspondents remembers for life, counted from the last message.
func (a *Access) Correspondents(life time.Duration) (*Correspondents, error) {
	life = life.Truncate(time.Millisecond)
	if life <= 0 || life > maxLife {
		return nil, fmt.Errorf("correspondents: %v is no time to remember for: it is more than 0 and at most %v", life, maxLife)
	}
	return &Correspondents{access: a, life: life}, nil
}

// Remember records that the local address wrote to the remote ones: at the end
// of an outbound message that was accepted. Of more than 10,000 the first are
// remembered. It returns within four time-outs.
//
// A message of the null sender is not remembered: what it answers was not
// written by anybody here.
func (c *Correspondents) Remember(ctx context.Context, local string, remote []string, now time.Time) error {
	now, err := whole(now)
	if err != nil {
		return fmt.Errorf("correspondents: %w", err)
	}
	if local = address.Fold(local); local == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, remembering*c.access.timeout)
	defer cancel()
	remote = remote[:min(len(remote), maxRemote)]
	ids := make([]ID, 0, min(len(remote), batch))
	for len(remote) > 0 {
		n := min(len(remote), batch)
		ids = ids[:0]
		for _, r := range remote[:n] {
			if r != "" {
				ids = append(ids, pair(local, r))
			}
		}
		if remote = remote[n:]; len(ids) == 0 {
			continue
		}
		if err := c.access.do(ctx, func(ctx context.Context) error {
			return c.access.store.Remember(ctx, ids, now, c.life)
		}); err != nil {
			return fmt.Errorf("correspondents: %w", err)
		}
	}
	return nil
}

// Wrote tells whether the local address, a recipient now, wrote to the remote
// one, the sender, within life. Anybody can write as that sender; it says
// nothing about who does.
func (c *Correspondents) Wrote(ctx context.Context, local, remote string, now time.Time) (bool, error) {
	now, err := whole(now)
	if err != nil {
		return false, fmt.Errorf("correspondents: %w", err)
	}
	if local = address.Fold(local); local == "" || remote == "" {
		return false, nil
	}
	id := pair(local, remote)
	var wrote bool
	if err := c.access.do(ctx, func(ctx context.Context) (err error) {
		wrote, err = c.access.store.Remembered(ctx, id, now, c.life)
		return err
	}); err != nil {
		return false, fmt.Errorf("correspondents: %w", err)
	}
	return wrote, nil
}

// pair is who wrote (folded) to whom. The signature that a BATV sender puts
// into the address of a reply is left out: one writes to the address without.
func pair(local, remote string) ID {
	name, domain := address.Split(address.Fold(remote))
	if _, bare, ok := cutBATV(name); ok {
		name = bare
	}
	return newID("pair", local, name, domain)
}
