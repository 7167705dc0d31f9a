package redis

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

// followQuiet is how long a channel may be silent before the server is asked
// whether it is still there.
const followQuiet = 10 * time.Second

// Follow tells of changes of accounts, whoever made them.
func (s *Store) Follow(ctx context.Context, fresh func(), tell func([]accounting.Standing)) error {
	sub := s.db.Subscribe(ctx, s.standingChannel())
	// A read that waits does not look at its context.
	stop := context.AfterFunc(ctx, func() { sub.Close() })
	defer stop()
	defer sub.Close()
	for asked := false; ; {
		message, err := sub.ReceiveTimeout(ctx, followQuiet)
		var wait interface{ Timeout() bool }
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &wait) && wait.Timeout() && !asked:
			if err := sub.Ping(ctx); err != nil {
				return fault(err)
			}
			asked = true
			continue
		case err != nil:
			return fault(err)
		}
		asked = false
		switch m := message.(type) {
		case *redis.Subscription:
			fresh()
		case *redis.Message:
			if m.Payload == "" {
				continue // may.lua of an earlier release asked whether it may
			}
			if st, ok := parseStanding(m.Payload); ok {
				if accounting.CheckID(st.Client) != nil {
					continue // may.lua asked so
				}
				tell([]accounting.Standing{st})
				continue
			}
			s.o.Log.Warn("a message about an account cannot be read", "channel", m.Channel, "message", m.Payload)
		}
	}
}

// parseStanding reads a message of the channel.
func parseStanding(text string) (accounting.Standing, bool) {
	words := strings.Split(text, " ")
	if len(words) != 7 {
		return accounting.Standing{}, false
	}
	st := accounting.Standing{Client: words[0], Period: words[2], Day: words[4]}
	err := readStanding(&st, []any{words[1], words[3], words[5], words[6]})
	return st, err == nil
}
