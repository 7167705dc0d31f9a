package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

// accounts is what is known of which clients there are. The set of them is open to
// other hands (a billing system takes a client out of it, and in a Cluster its node may
// be lost without those of accounts), and an account does not end by that: who has
// one is found by its keys.
type accounts struct {
	mu       sync.Mutex
	known    map[string]bool // had an account when they were seen
	unlisted []string        // have one, and are not in the set
	strange  []string        // are in the set, and are no ids
	scanned  time.Time
	took     time.Duration // what the last look at all keys took
	mayNot   bool          // the user may not look for keys
}

const (
	// scanAge is how old what was found by keys may be where somebody asks about all
	// clients. A command asks for them several times.
	scanAge = 10 * time.Second
	// scanShare bounds what looking at all keys takes of a server that others have, too:
	// what it took, so many times over, is left between two looks.
	scanShare = 100
	// scanSeldom is that where they are asked for all the time.
	scanSeldom = time.Hour
	// scanDenied is when a user that may not look for keys is let try again.
	scanDenied = time.Minute
	// mostUnlisted bounds the clients that a text names.
	mostUnlisted = 10
)

// clients are those that ever had a record or an entry, sorted.
func (s *Store) clients(ctx context.Context, age time.Duration) ([]string, error) {
	var list, strange []string
	there := map[string]bool{}
	it := s.db.SScan(ctx, s.clientsKey(), 0, "", pageSize).Iterator()
	for it.Next(ctx) {
		switch id := it.Val(); {
		case there[id]: // a scan may show one twice
		case accounting.CheckID(id) != nil && id != accounting.Unbilled:
			strange = append(strange, id)
		default:
			there[id] = true
			list = append(list, id)
		}
	}
	if err := it.Err(); err != nil {
		return nil, fault(err)
	}
	fresh, unlisted, err := s.lookFor(ctx, there, age)
	if err != nil {
		return nil, err
	}
	for _, id := range fresh {
		there[id] = true
	}
	s.note(there, unlisted, strange)
	list = slices.Concat(list, fresh, unlisted)
	slices.Sort(list)
	return list, nil
}

// lookFor finds those that have an account and were not there in the set: of those seen
// before at once, of all by their keys, which takes time. Fresh are in the set by now.
func (s *Store) lookFor(ctx context.Context, there map[string]bool, age time.Duration) (fresh, unlisted []string, err error) {
	a, now := &s.accounts, s.o.Now()
	a.mu.Lock()
	if a.mayNot {
		age = max(age, scanDenied)
	}
	age = max(age, scanShare*a.took)
	scan := a.scanned.IsZero() || now.Sub(a.scanned).Abs() >= age
	var gone []string
	for id := range a.known {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	a.mu.Unlock()
	if scan {
		found, err := s.byKeys(ctx)
		if err != nil && !isDenied(err) && !isUnknown(err) {
			return nil, nil, err
		}
		a.mu.Lock()
		a.scanned, a.mayNot, a.took = now, err != nil, max(0, s.o.Now().Sub(now))
		a.mu.Unlock()
		for _, id := range found {
			if !there[id] {
				gone = append(gone, id)
			}
		}
	}
	slices.Sort(gone)
	gone = slices.Compact(gone)
	for chunk := range slices.Chunk(gone, pageSize) {
		pipe := s.db.Pipeline()
		accounts, listed := make([]*redis.IntCmd, len(chunk)), make([]*redis.BoolCmd, len(chunk))
		for i, id := range chunk {
			accounts[i] = pipe.Exists(ctx, s.accountKey(id), s.appliedKey(id), s.entriesKey(id))
			listed[i] = pipe.SIsMember(ctx, s.clientsKey(), id)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, nil, fault(err)
		}
		for i, id := range chunk {
			switch {
			case accounts[i].Val() == 0:
			case listed[i].Val(): // new since the set was read
				fresh = append(fresh, id)
			default:
				unlisted = append(unlisted, id)
			}
		}
	}
	return fresh, unlisted, nil
}

// byKeys are the clients that keys of accounts are found of.
func (s *Store) byKeys(ctx context.Context) ([]string, error) {
	begin := s.o.Prefix + "{c:"
	keys, err := s.scan(ctx, begin+"*}:[ae][cpn]*")
	var list []string
	for _, key := range keys {
		id, kind, ok := strings.Cut(strings.TrimPrefix(key, begin), "}:")
		if ok && (kind == "acct" || kind == "applied" || kind == "entries") && (accounting.CheckID(id) == nil || id == accounting.Unbilled) {
			list = append(list, id)
		}
	}
	return list, err
}

// scan finds keys, in all servers that hold any.
func (s *Store) scan(ctx context.Context, pattern string) ([]string, error) {
	var mu sync.Mutex
	var keys []string
	one := func(ctx context.Context, db redis.Cmdable) error {
		it := db.Scan(ctx, 0, pattern, pageSize).Iterator()
		for it.Next(ctx) {
			mu.Lock()
			keys = append(keys, it.Val())
			mu.Unlock()
		}
		return it.Err()
	}
	var err error
	if c, ok := s.db.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return one(ctx, node) })
	} else {
		err = one(ctx, s.db)
	}
	slices.Sort(keys)
	return slices.Compact(keys), fault(err)
}

// note keeps what was found, and says it in the log when it is news.
func (s *Store) note(there map[string]bool, unlisted, strange []string) {
	a := &s.accounts
	a.mu.Lock()
	was := a.problems(s.clientsKey())
	a.known, a.unlisted, a.strange = there, unlisted, strange
	for _, id := range unlisted {
		a.known[id] = true
	}
	now := a.problems(s.clientsKey())
	a.mu.Unlock()
	for _, text := range now {
		if !slices.Contains(was, text) {
			s.o.Log.Warn(text)
		}
	}
}

// Unlisted are the clients that have an account and were not in the set of clients
// when somebody last asked for all, sorted.
func (s *Store) Unlisted() []string {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	return slices.Clone(s.accounts.unlisted)
}

// problems are what an operator should know of it.
func (a *accounts) problems(key string) []string {
	var list []string
	if n := len(a.unlisted); n > 0 {
		list = append(list, fmt.Sprintf("redis: %s was taken out of %s, or that was lost: %s; the account is there and counts as before, \"SADD %s ID\" lists it again",
			counted(n, "client with an account", "clients with accounts"), key, shortened(a.unlisted), key))
	}
	if len(a.strange) > 0 {
		list = append(list, fmt.Sprintf("redis: %s has what is no client's id, and is left out: %s", key, shortened(a.strange)))
	}
	if a.mayNot {
		list = append(list, fmt.Sprintf("redis: whether clients were taken out of %s cannot be told: the user may not run SCAN, or the server has no such command", key))
	}
	return list
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// shortened names the first of some.
func shortened(ids []string) string {
	texts := make([]string, 0, mostUnlisted)
	for _, id := range ids[:min(len(ids), mostUnlisted)] {
		texts = append(texts, fmt.Sprintf("%q", id))
	}
	text := strings.Join(texts, ", ")
	if more := len(ids) - len(texts); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
