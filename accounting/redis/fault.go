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
	var answer redis.Error
	text := err.Error()
	if !errors.As(err, &answer) && !strings.HasPrefix(text, "WRONGPASS") {
		return fmt.Errorf("redis store: %w", err)
	}
	word, _, _ := strings.Cut(text, " ")
	for _, m := range [...]struct{ word, meaning string }{
		{"WRONGPASS", "wrong password or user name"},
		{"NOAUTH", "the server wants a password"},
		{"NOPERM", "the user may not do that: see the documentation for the keys, commands and channels to allow"},
		{"LOADING", "the server still loads its data"},
		{"READONLY", "the server is a replica, or became one"},
		{"OOM", "the server has no memory left"},
		{"MOVED", "slots have moved to another server"},
		{"ASK", "slots are being moved to another server"},
		{"TRYAGAIN", "slots are being moved to another server"},
		{"CLUSTERDOWN", "the Cluster is not whole"},
		{"MASTERDOWN", "the master is away"},
		{"NOREPLICAS", "too few replicas are connected with the server"},
		{"WRONGTYPE", "a key of another type stands under one of our names"},
	} {
		if word == m.word {
			return fmt.Errorf("redis store: %s: %w", m.meaning, err)
		}
	}
	return fmt.Errorf("redis store: %w", err)
}
