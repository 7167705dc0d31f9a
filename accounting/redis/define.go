package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

func (s *Store) definitionKey(client string) string { return s.o.Prefix + "{c:" + client + "}:def" }

func (s *Store) versionKey() string { return s.o.Prefix + "clients:version" }

// DefinitionKey is where the definition of a client stands, for people.
func (s *Store) DefinitionKey(client string) string { return s.definitionKey(client) }

// ClientsVersion is what whoever changes definitions increments.
func (s *Store) ClientsVersion(ctx context.Context) (string, error) {
	v, err := s.db.Get(ctx, s.versionKey()).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return v, at(s.versionKey(), err)
}

// ServedBy are the run ids of the servers that hold keys: a server that was
// started anew, or became master, may have less than the one before and the same
// version. "" where the user may not ask.
func (s *Store) ServedBy(ctx context.Context) (string, error) {
	var mu sync.Mutex
	var ids []string
	ask := func(ctx context.Context, db redis.Cmdable) error {
		text, err := db.Info(ctx, "server").Result()
		if err != nil {
			if isNoPerm(err) {
				return nil
			}
			return err
		}
		_, id, _ := strings.Cut(text, "run_id:")
		id, _, _ = strings.Cut(id, "\r\n")
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, id)
		return nil
	}
	var err error
	if c, ok := s.db.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return ask(ctx, node) })
	} else {
		err = ask(ctx, s.db)
	}
	if err != nil {
		return "", fmt.Errorf("who serves the clients: %w", fault(err))
	}
	slices.Sort(ids)
	return strings.Join(ids, " "), nil
}

// Definitions are those of the clients in the set of all. One that is in the set
// and has no definition is none: its account is left, and its mail.
func (s *Store) Definitions(ctx context.Context) ([]accounting.Definition, error) {
	ids, err := s.db.SMembers(ctx, s.clientsKey()).Result()
	if err != nil {
		return nil, at(s.clientsKey(), err)
	}
	slices.Sort(ids)
	list := make([]accounting.Definition, 0, len(ids))
	for chunk := range slices.Chunk(ids, pageSize) {
		pipe := s.db.Pipeline()
		cmds := make([]*redis.StringCmd, len(chunk))
		for i, id := range chunk {
			cmds[i] = pipe.Get(ctx, s.definitionKey(id))
		}
		// Its error is the first of all, which stands with its command, too.
		_, _ = pipe.Exec(ctx)
		for i, id := range chunk {
			text, err := cmds[i].Result()
			switch {
			case errors.Is(err, redis.Nil):
			case isWrongType(err):
				list = append(list, accounting.Definition{ID: id, Err: at(s.definitionKey(id), err)})
			case err != nil:
				return nil, at(s.definitionKey(id), err)
			default:
				list = append(list, accounting.Definition{ID: id, Text: text})
			}
		}
	}
	return list, nil
}

// Define writes definitions. The version comes last, so that whoever sees it
// change finds all of them.
func (s *Store) Define(ctx context.Context, list []accounting.Definition) error {
	if err := s.may(ctx, "SET", s.definitionKey(nobody), "SADD", s.clientsKey(), "INCR", s.versionKey()); err != nil {
		return err
	}
	for chunk := range slices.Chunk(list, pageSize) {
		pipe := s.db.Pipeline()
		ids := make([]any, len(chunk))
		for i, d := range chunk {
			ids[i] = d.ID
			pipe.Set(ctx, s.definitionKey(d.ID), d.Text, 0)
		}
		pipe.SAdd(ctx, s.clientsKey(), ids...)
		cmds, _ := pipe.Exec(ctx)
		for _, c := range cmds {
			if err := c.Err(); err != nil {
				return at(fmt.Sprint(c.Args()[1]), err)
			}
		}
	}
	return s.changed(ctx)
}

// redefine compares and sets.
const redefine = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`

// Redefine writes a definition in place of another.
func (s *Store) Redefine(ctx context.Context, id, was, text string) error {
	if err := s.may(ctx, "INCR", s.versionKey()); err != nil {
		return err
	}
	n, err := s.eval(ctx, s.scripts.redefine, []string{s.definitionKey(id)}, was, text).Int()
	if err != nil {
		return at(s.definitionKey(id), err)
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", s.definitionKey(id), accounting.ErrChanged)
	}
	return s.changed(ctx)
}

func (s *Store) changed(ctx context.Context) error {
	return at(s.versionKey(), s.db.Incr(ctx, s.versionKey()).Err())
}

// at is an error about a key.
func at(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, fault(err))
}

func isNoPerm(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOPERM") }

var _ accounting.Definer = (*Store)(nil)
