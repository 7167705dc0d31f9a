package postfix

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// QueueEntry is a message in Postfix's queue.
type QueueEntry struct {
	Queue   string   // "incoming", "active", "deferred", "hold"
	Reasons []string // why it was not delivered yet, of each recipient
}

// Queued is a message by its queue id; nil when it is not in the queue.
func (i Instance) Queued(ctx context.Context, id string) (*QueueEntry, error) {
	out, err := i.run(ctx, "postqueue", "-c", i.Config, "-j")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		var e struct {
			ID         string `json:"queue_id"`
			Queue      string `json:"queue_name"`
			Recipients []struct {
				Reason string `json:"delay_reason"`
			} `json:"recipients"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("%w: postqueue: %w", ErrUnavailable, err)
		}
		if e.ID != id {
			continue
		}
		found := &QueueEntry{Queue: e.Queue}
		for _, r := range e.Recipients {
			if r.Reason != "" {
				found.Reasons = append(found.Reasons, r.Reason)
			}
		}
		return found, nil
	}
	return nil, nil
}
