package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting"
)

// fault says where an error comes from, and what it means for whoever runs the
// server where the server's own words are few.
func fault(err error) error {
	if err == nil {
		return nil
	}
	if meaning := Meaning(err); meaning != "" {
		return fmt.Errorf("redis store: %s: %w", meaning, err)
	}
	return fmt.Errorf("redis store: %w", err)
}

// noPermission: what it needs stands in docs/redis.md.
const noPermission = "the user may not do that: see the documentation for the keys, commands and channels to allow"

// inScript is in what a server before Redis 7.2 says of a script that did what its user may not.
const inScript = "The user executing the script can't "

// isDenied tells whether the user lacks a permission.
func isDenied(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "NOPERM") || strings.Contains(err.Error(), inScript))
}

// isUnknown tells whether the server has no such command: an operator may have renamed it.
func isUnknown(err error) bool { return strings.Contains(err.Error(), "ERR unknown command") }

// Meaning is what an error of the client library means for whoever runs the
// server, "" where its own words say it.
func Meaning(err error) string {
	text := err.Error()
	// Denials. The client library wraps what a server says to its greeting, and
	// hides that it is an answer: they are found anywhere in a text.
	for _, d := range [...]struct{ words, meaning string }{
		{"WRONGPASS", "wrong password or user name"},
		{"ERR invalid password", "wrong password"}, // before Redis 6
		{"NOAUTH", "the server wants a password"},
		{"NOPERM", noPermission},
		{inScript, noPermission},
	} {
		if strings.Contains(text, d.words) {
			return d.meaning
		}
	}
	var answer redis.Error
	if !errors.As(err, &answer) {
		return ""
	}
	word, _, _ := strings.Cut(text, " ")
	for _, m := range [...]struct{ word, meaning string }{
		{"LOADING", "the server still loads its data"},
		{"READONLY", "the server is a replica, or became one"},
		{"OOM", "the server has no memory left"},
		{"MOVED", "slots have moved to another server"},
		{"ASK", "slots are being moved to another server"},
		{"TRYAGAIN", "slots are being moved to another server"},
		{"CLUSTERDOWN", "the Cluster is not whole"},
		{"MASTERDOWN", "the replica cannot reach its master"},
		{"NOREPLICAS", "too few replicas are connected with the server"},
		{"WRONGTYPE", "a key of another type stands under one of our names"},
	} {
		if word == m.word {
			return m.meaning
		}
	}
	return ""
}

// query sends a pipeline of questions. Its error is one that is not about the content
// of single keys: that each command has for itself.
func query(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, err := pipe.Exec(ctx)
	for _, cmd := range cmds {
		switch one := cmd.Err(); {
		case one == nil:
		case isContent(one), errors.Is(one, redis.Nil):
			err = nil
		default:
			return fault(one)
		}
	}
	return fault(err)
}

// isWrongType tells whether a key is of another type. Before Redis 7 a script's error
// has it in its midst.
func isWrongType(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && strings.Contains(answer.Error(), "WRONGTYPE ")
}

// isContent tells whether the server's answer is about what stands under a key and
// not about the server.
func isContent(err error) bool {
	var answer redis.Error
	return isWrongType(err) || errors.As(err, &answer) && strings.Contains(answer.Error(), "is no counter")
}

// ofClient is an error about a key of one client.
func ofClient(key string, err error) error {
	switch {
	case err == nil:
		return nil
	case isContent(err):
		return fmt.Errorf("%s: %w: %w", key, accounting.ErrUnreadable, fault(err))
	}
	return at(key, err)
}

// unreadable is what is wrong with a client's value.
func unreadable(key string, err error) error {
	return fmt.Errorf("%w: %s: %w: %w", ErrReply, key, accounting.ErrUnreadable, err)
}
