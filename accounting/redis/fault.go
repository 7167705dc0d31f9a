package redis

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
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
		{"NOPERM", "the user may not do that: see the documentation for the keys, commands and channels to allow"},
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
