package simulate

import (
	"context"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/redis"
)

// Bugs that were there, or that would be easy to make, are found within a
// thousand seeds.
func TestPlantedBugsAreFound(t *testing.T) {
	for name, plant := range map[string]func(o *Options){
		// The mark moves every fifth batch only.
		"mark": func(o *Options) {
			o.Sink = func(c accounting.Checkpointer) accounting.Checkpointer { return lazy{c} }
		},
		// A record that was applied is applied again.
		"idempotency": func(o *Options) {
			o.Script = func(script string) string {
				return strings.Replace(script, "if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end", "", 1)
			}
		},
		// What a price has beyond whole millionths is forgotten.
		"remainder": func(o *Options) {
			o.Script = func(script string) string {
				return strings.Replace(script, "rest = rest + tonumber(used[8] or '0')", "", 1)
			}
		},
		// It is carried once too often.
		"carry": func(o *Options) {
			o.Script = func(script string) string {
				return strings.Replace(script, "if rest >= parts then rest = rest - parts end\n", "", 1)
			}
		},
		// The mark is set before what cannot be applied is parked.
		"parks": func(o *Options) {
			o.Link = func(l redis.Link) redis.Link { return &late{Link: l} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			seed, err := search(1000, func(seed uint64) Options {
				o := Options{Seed: seed, Faults: true}
				plant(&o)
				return o
			})
			if err == nil {
				t.Fatal("nothing was found in 1,000 seeds")
			}
			t.Logf("seed %d: %v", seed, err)
		})
	}
}

// lazy has sessions that leave their mark where it is, most of the time.
type lazy struct{ accounting.Checkpointer }

func (l lazy) Session(ctx context.Context) (accounting.Session, error) {
	s, err := l.Checkpointer.Session(ctx)
	return &lazySession{Session: s, sink: l.Checkpointer}, err
}

type lazySession struct {
	accounting.Session
	sink    accounting.Sink
	batches int
}

func (s *lazySession) Put(ctx context.Context, batch []accounting.Record, text string) error {
	if s.batches++; s.batches%5 == 0 {
		return s.Session.Put(ctx, batch, text)
	}
	return s.sink.Put(ctx, batch)
}

// late is a link on which what is to be parked follows the next mark.
type late struct {
	redis.Link
	parks []redis.Call
}

func (l *late) Unwrap() redis.Link { return l.Link }

func (l *late) Send(ctx context.Context, calls []redis.Call) ([]redis.Reply, error) {
	var now []redis.Call
	replies := make([]redis.Reply, len(calls))
	var place []int
	for i, c := range calls {
		if c[0] == "EVALSHA" && strings.HasSuffix(text(c[4]), ":parked") {
			l.parks = append(l.parks, c)
			replies[i] = redis.Reply{Value: int64(1)}
			continue
		}
		now = append(now, c)
		place = append(place, i)
	}
	if len(now) == 0 {
		return replies, nil
	}
	done, err := l.Link.Send(ctx, now)
	if err != nil {
		return nil, err
	}
	for i, r := range done {
		replies[place[i]] = r
	}
	if calls[0][0] == "EVAL" && len(l.parks) > 0 {
		_, err = l.Link.Send(ctx, l.parks)
		l.parks = nil
	}
	return replies, err
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
