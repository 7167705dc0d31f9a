// Package redis is the state in Redis, which several gateways share: a single
// server, Sentinel or Cluster.
//
// All keys expire. The part in braces makes the Cluster slot, so that what one
// try touches lies on one node.
//
//	tg:{grey:NETWORK}:ID      STRING  a triplet: "w" and the Unix milliseconds of its first try, while
//	                                  it waits; "p" and those of its last use when it passed.
//	                                  Expires after the window, or life
//	tg:{grey:NETWORK}:passed  HASH    "last": Unix milliseconds when something of the network passed;
//	                                  an empty field for each triplet that did, by its ID, at most
//	                                  auto_whitelist. Expires after life
//	tg:corr:ID                STRING  Unix milliseconds when one address wrote to another.
//	                                  Expires after life
//
// NETWORK is a prefix such as 192.0.2.0/24. An ID is 16 octets of a SHA-256 of
// the addresses, in base64url.
package redis

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	servers "github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/internal/state"
)

var (
	// ErrReply: the server answered what no Redis with these keys does.
	ErrReply = errors.New("unexpected reply")

	// ErrClient: the client would not keep to the deadline of a context.
	ErrClient = errors.New("redis state: the client needs ContextTimeoutEnabled")
)

//go:embed try.lua
var tryScript string

// Store is a state.Store in Redis.
type Store struct {
	db     redis.UniversalClient
	prefix string
	try    *redis.Script
}

var _ state.Store = (*Store)(nil)

// New makes a store with keys that begin with prefix. The client becomes the
// store's, which closes it. It should have small time-outs and few retries of
// its own; ErrClient when it does not keep to deadlines at all.
func New(db redis.UniversalClient, prefix string) (*Store, error) {
	switch c := db.(type) {
	case *redis.Client: // Sentinel's too
		if !c.Options().ContextTimeoutEnabled {
			return nil, ErrClient
		}
	case *redis.ClusterClient:
		if !c.Options().ContextTimeoutEnabled {
			return nil, ErrClient
		}
	}
	return &Store{db: db, prefix: prefix, try: redis.NewScript(tryScript)}, nil
}

// reasons in the order of the script's numbers.
var reasons = [...]state.Reason{"", state.New, state.Early, state.Retried, state.Known, state.AutoWhitelisted}

// Try is one call of the script.
func (s *Store) Try(ctx context.Context, t state.Try) (state.Answer, error) {
	slot := s.prefix + "{grey:" + t.Network.String() + "}:"
	name := text(t.Triplet)
	reply, err := s.try.Run(ctx, s.db, []string{slot + "passed", slot + name},
		t.Now.UnixMilli(), t.Terms.Delay.Milliseconds(), t.Terms.Window.Milliseconds(), t.Terms.Life.Milliseconds(),
		t.Terms.AutoWhitelist, name).Result()
	if err != nil {
		return state.Answer{}, fault(err)
	}
	return answer(reply, t.Terms.Delay)
}

// answer reads the script's reply.
func answer(reply any, delay time.Duration) (state.Answer, error) {
	list, ok := reply.([]any)
	if !ok || len(list) != 2 {
		return state.Answer{}, fault(fmt.Errorf("%w: %.100q", ErrReply, fmt.Sprint(reply)))
	}
	reason, ok1 := list[0].(int64)
	wait, ok2 := list[1].(int64)
	if !ok1 || !ok2 || reason < 1 || reason >= int64(len(reasons)) || wait < 0 || wait > delay.Milliseconds() {
		return state.Answer{}, fault(fmt.Errorf("%w: %.100q", ErrReply, fmt.Sprint(reply)))
	}
	a := state.Answer{Reason: reasons[reason], Wait: time.Duration(wait) * time.Millisecond}
	a.Pass = a.Reason != state.New && a.Reason != state.Early
	if a.Pass != (wait == 0) {
		return state.Answer{}, fault(fmt.Errorf("%w: %.100q", ErrReply, fmt.Sprint(reply)))
	}
	return a, nil
}

// Remember sets the keys in one pipeline.
func (s *Store) Remember(ctx context.Context, ids []state.ID, now time.Time, life time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	at := strconv.FormatInt(now.UnixMilli(), 10)
	_, err := s.db.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, id := range ids {
			p.Set(ctx, s.prefix+"corr:"+text(id), at, life)
		}
		return nil
	})
	return fault(err)
}

// Remembered is one GET.
func (s *Store) Remembered(ctx context.Context, id state.ID, now time.Time, life time.Duration) (bool, error) {
	at, err := s.db.Get(ctx, s.prefix+"corr:"+text(id)).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err != nil {
		return false, fault(err)
	}
	return within(at, now, life), nil
}

// within tells whether a stored time is less than life before now. What is no
// time is as if it were not there.
func within(at string, now time.Time, life time.Duration) bool {
	if len(at) > 15 {
		return false
	}
	ms, err := strconv.ParseUint(at, 10, 63)
	return err == nil && now.UnixMilli()-int64(ms) < life.Milliseconds()
}

// Kind is "redis".
func (s *Store) Kind() string { return "redis" }

// Close closes the client.
func (s *Store) Close() error { return fault(s.db.Close()) }

func text(id state.ID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// fault tells a server that answers, with an error, from one that is away. One
// that does not let us in says so in words.
func fault(err error) error {
	if err == nil {
		return nil
	}
	if meaning := servers.Meaning(err); meaning != "" {
		err = fmt.Errorf("%s: %w", meaning, err)
	}
	var said redis.Error
	if errors.As(err, &said) || errors.Is(err, ErrReply) {
		return fmt.Errorf("redis state: %w", err)
	}
	return fmt.Errorf("%w: redis: %w", state.ErrAway, err)
}
