package probe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/postfix"
)

// Fate is what became of a message in Postfix.
type Fate struct {
	State  string `json:"state"` // "left" the queue, "hold", "deferred", "waiting"
	Reason string `json:"reason"`
}

// pause is between two looks at the queue.
const pause = 200 * time.Millisecond

// Follow looks at Postfix's queue until the message has left it, or is where it
// stays until somebody or some time does something. Time that is over is no
// error: the message waits.
func Follow(ctx context.Context, i postfix.Instance, queueID string) (Fate, error) {
	for {
		entry, err := i.Queued(ctx, queueID)
		switch {
		case ctx.Err() != nil:
			return Fate{State: "waiting"}, nil
		case err != nil:
			return Fate{}, err
		case entry == nil:
			return Fate{State: "left"}, nil
		case entry.Queue == "hold":
			return Fate{State: "hold"}, nil
		case entry.Queue == "deferred":
			return Fate{State: "deferred", Reason: strings.Join(entry.Reasons, "; ")}, nil
		}
		select {
		case <-ctx.Done():
			return Fate{State: "waiting"}, nil
		case <-time.After(pause):
		}
	}
}

func (f Fate) String() string {
	switch f.State {
	case "left":
		return "it has left the queue: delivered, or returned to its sender"
	case "hold":
		return "it is on hold: \"tollgate hold list\" shows it"
	case "deferred":
		return fmt.Sprintf("it waits for another try: %s", f.Reason)
	}
	return "it is still on its way: \"mailq\" shows it"
}
