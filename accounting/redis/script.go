package redis

import (
	"context"
	"crypto/sha1" // as EVALSHA wants it
	_ "embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed may.lua
var mayScript string

//go:embed lack.lua
var lackScript string

// script is one that writes.
type script struct {
	text, sha string
	commands  []string // that it runs, each once, sorted
}

// newScript makes a script with what asks first whether all of it is allowed.
func newScript(body string) script {
	text := mayScript + body
	sc := script{text: text, sha: shaOf(text)}
	for _, m := range regexp.MustCompile(`(?:call\(|\{)'([A-Z]+)'`).FindAllStringSubmatch(body, -1) {
		sc.commands = append(sc.commands, m[1])
	}
	slices.Sort(sc.commands)
	sc.commands = slices.Compact(sc.commands)
	return sc
}

func shaOf(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// scripts of the store.
type scripts struct{ apply, park, enter, plans, drop, redefine script }

func newScripts() scripts {
	return scripts{
		apply: newScript(applyScript), park: newScript(parkScript), enter: newScript(entryScript),
		plans: newScript(plansScript), drop: newScript(dropScript), redefine: newScript(redefine),
	}
}

// eval runs a script that is seldom needed.
func (s *Store) eval(ctx context.Context, sc script, keys []string, args ...any) *redis.Cmd {
	cmd := s.db.Eval(ctx, sc.text, keys, args...)
	if err := cmd.Err(); isDenied(err) {
		cmd.SetErr(named(err, func(pairs []any) (any, error) {
			return s.db.Eval(ctx, lackScript, nil, pairs...).Result()
		}, sc, keys))
	}
	return cmd
}

// denied names what a server that owns slots denies of a call.
func (s *Store) denied(ctx context.Context, p *part, c Call, err error) error {
	if !isDenied(err) {
		return fault(err)
	}
	for _, sc := range []script{s.scripts.apply, s.scripts.park} {
		if len(c) < 3 || c[0] != "EVALSHA" || c[1] != sc.sha {
			continue
		}
		var keys []string
		if n, ok := c[2].(int); ok && len(c) >= 3+n {
			for _, k := range c[3 : 3+n] {
				keys = append(keys, fmt.Sprint(k))
			}
		}
		return fault(named(err, func(pairs []any) (any, error) {
			return p.ask(ctx, append(Call{"EVAL", lackScript, 0}, pairs...))
		}, sc, keys))
	}
	return fault(err)
}

// named names what a denial is about, where the server's words do not.
func named(err error, ask func(pairs []any) (any, error), sc script, keys []string) error {
	if strings.HasPrefix(err.Error(), mayNot) {
		return err
	}
	var pairs []any
	for _, k := range keys {
		pairs = append(pairs, "EVALSHA", k)
	}
	for _, c := range sc.commands {
		pairs = append(pairs, c, "")
	}
	v, asked := ask(pairs)
	if text, _ := v.(string); asked == nil && text != "" {
		return fmt.Errorf("may not run %s: %w", text, err)
	}
	return err
}

// mayNot is how may.lua begins its answer.
const mayNot = "NOPERM may not run "

// allowed asks whether the user may do all that a session does: who lacks anything
// is told before the first record, and of all that it lacks. Keys of clients are left to
// each record, as a user may have some clients alone. Before Redis 7 nobody knows.
func (se *session) allowed(ctx context.Context, p *part) error {
	s := se.s
	var pairs []any
	commands := slices.Concat(s.scripts.apply.commands, s.scripts.park.commands, []string{"SMEMBERS", "XREVRANGE"})
	slices.Sort(commands)
	for _, c := range slices.Compact(commands) {
		pairs = append(pairs, c, "")
	}
	pairs = append(pairs, "GET", p.key, "SET", p.key, "SADD", s.clientsKey(), "SADD", s.parkersKey(),
		"HSETNX", s.tariffsKey(), "HGET", s.tariffsKey(), "HEXISTS", s.closesKey())
	if s.o.Standing != nil {
		pairs = append(pairs, "PUBLISH", s.standingChannel())
	}
	if s.o.Replicas > 0 {
		pairs = append(pairs, "WAIT", "")
	}
	v, err := p.ask(ctx, append(Call{"EVAL", lackScript, 0}, pairs...))
	if err != nil {
		return err
	}
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("%w: to what the user may do: %v", ErrReply, v)
	}
	if text != "" {
		return fmt.Errorf("redis store: %s: may not run %s", noPermission, text)
	}
	return nil
}

// may asks whether the user may run commands, each with a key, of which some stand
// in calls of their own: none of them is run where one is denied.
func (s *Store) may(ctx context.Context, pairs ...any) error {
	text, err := s.db.Eval(ctx, lackScript, nil, pairs...).Text()
	switch {
	case err != nil:
		return fault(err)
	case text != "":
		return fmt.Errorf("redis store: %s: may not run %s", noPermission, text)
	}
	return nil
}
