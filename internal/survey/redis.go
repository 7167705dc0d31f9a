package survey

import (
	"context"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/doctor"
)

func askRedis(ctx context.Context, s Source) *doctor.Redis {
	c := s.Config.Redis
	if c == nil {
		return nil
	}
	r := &doctor.Redis{
		Address: c.Addr, Loopback: true, TLS: c.TLS, Password: c.Password != "", Replicas: c.Replicas,
		Info: map[string]string{}, Config: map[string]string{},
	}
	for _, addr := range c.Addrs {
		r.Loopback = r.Loopback && loopback(addr)
	}
	if err := questionRedis(ctx, s, c, r); err != nil {
		r.Error = err.Error()
	}
	return r
}

func questionRedis(ctx context.Context, s Source, c *config.Redis, r *doctor.Redis) error {
	place, err := assemble.RedisPlace(c)
	if err != nil {
		return err
	}
	assemble.SilenceRedis()
	db := place.Client(patience)
	defer db.Close()
	text, err := db.Info(ctx).Result()
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			r.Info[name] = value
		}
	}
	if r.Info["cluster_enabled"] == "1" {
		if state, err := db.ClusterInfo(ctx).Result(); err == nil {
			for line := range strings.Lines(state) {
				if value, ok := strings.CutPrefix(strings.TrimSpace(line), "cluster_state:"); ok {
					r.Info["cluster_state"] = value
				}
			}
		}
	}
	// Who may not ask for settings is told nothing about them.
	for _, name := range []string{"maxmemory", "maxmemory-policy", "save", "appendonly", "appendfsync", "bind", "protected-mode"} {
		if got, err := db.ConfigGet(ctx, name).Result(); err == nil {
			if value, ok := got[name]; ok {
				r.Config[name] = value
			}
		}
	}
	before := s.Now()
	theirs, err := db.Time(ctx).Result()
	if err != nil {
		return err
	}
	// It was asked for between two looks at our clock.
	after := s.Now()
	if r.Clock = theirs.Sub(before); r.Clock > 0 {
		r.Clock = max(0, theirs.Sub(after))
	}
	r.Clock = r.Clock.Round(time.Millisecond)
	return nil
}
