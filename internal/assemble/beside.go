package assemble

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
)

// Beside makes policies beside the one in force: what both say the same of is
// shared with it.
type Beside struct {
	Resolvers  *Resolvers
	Memories   *Memories
	Accounts   *Accounts
	Inspectors *Inspectors
	Lists      *Lists
	Log        *slog.Logger

	made []*beside
	mu   sync.Mutex
}

// beside are the parts of one such policy.
type beside struct {
	resolvers  *Resolvers
	inspectors *Inspectors
}

// Prepare makes a policy. What it alone needs ends when it is retired (its
// Retired was called). It changes nothing that is in force; the terms of its
// tariffs are made durable.
func (b *Beside) Prepare(ctx context.Context, cfg *config.Config) (*gate.Policy, error) {
	one := &beside{&Resolvers{Log: b.Log, beside: b.Resolvers}, &Inspectors{Log: b.Log, beside: b.Inspectors}}
	d := &Draft{Config: cfg, Before: cfg, Policy: gate.Policy{Settings: cfg.Gate}}
	var steps []Step
	closeLists := b.Lists.take(cfg)
	d.OnRetire(closeLists)
	discard := func() {
		for i := len(steps) - 1; i >= 0; i-- {
			steps[i].Discard()
		}
		closeLists()
	}
	for _, p := range []Part{one.resolvers, b.Memories, one.inspectors} {
		step, err := p.Prepare(ctx, d)
		if err != nil {
			discard()
			return nil, fmt.Errorf("the policy cannot be tried: %w", err)
		}
		steps = append(steps, step)
	}
	if err := b.Accounts.know(cfg.Tariffs); err != nil {
		discard()
		return nil, err
	}
	for _, s := range steps {
		s.Commit()
	}
	d.Policy.Clients = candidates{b.Accounts.candidate(cfg), b.Accounts.Live}
	d.Policy.Retired = func() {
		for _, f := range d.retire {
			f()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = append(b.made, one)
	p := d.Policy
	return &p, nil
}

// Close waits for what policies that were retired have left.
func (b *Beside) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.made {
		one.resolvers.ending.Wait()
		one.inspectors.ending.Wait()
	}
}

// candidates are a candidate's clients, with how their accounts stand.
type candidates struct {
	of   *directory.Directory
	live *directory.Live
}

func (c candidates) Snapshot() *directory.Directory { return c.of }

func (c candidates) Blocks(client *accounting.Client, t time.Time) accounting.Block {
	return client.Blocks(t) | c.live.StandingBlocks(client, t)
}
