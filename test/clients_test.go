package test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// rename gives a gateway that is not started yet another name.
func (g *gateway) rename(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(g.gate.Policy)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^name .*$`).ReplaceAll(text, fmt.Appendf(nil, "name = %q", name))
	if err := os.WriteFile(g.gate.Policy, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// inForce is how soon a change must be known at every gateway; a busy machine is
// given more.
const inForce = 5*time.Second + harness.Patience/2

// What a billing system writes into Redis is in force at every gateway: clients
// that come, change, go, come again under the same id; addresses that move.
func TestClientsOfABillingSystem(t *testing.T) {
	t.Parallel()
	first := prepare(t, true)
	second := prepareOn(t, sandbox(t), first.redis)
	second.rename(t, "gw2.test")
	both := []*gateway{first, second}
	for _, g := range both {
		g.write(t, "policy/policy.toml", "[clients]\nredis = true\n")
		g.start(t)
	}
	db := goredis.NewClient(&goredis.Options{Addr: first.redis.Addr})
	defer db.Close()
	ctx := t.Context()
	say := func(do func(p goredis.Pipeliner)) {
		t.Helper()
		p := db.Pipeline()
		do(p)
		p.Incr(ctx, "tg:clients:version")
		if _, err := p.Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	set := func(p goredis.Pipeliner, id, text string) {
		p.Set(ctx, "tg:{c:"+id+"}:def", text, 0)
		p.SAdd(ctx, "tg:clients", id)
	}
	accepted := map[string]int{} // by client
	answers := func(to, client string, code int) {
		t.Helper()
		for _, g := range both {
			err := eventually(inForce, func() error {
				r, err := g.transaction("192.0.2.7", "a@example.com", to)
				if err == nil && r.OK() {
					accepted[client]++ // what was before may be in force for a while
				}
				if err == nil && r.Code != code {
					err = fmt.Errorf("mail to %s: %d %q, want %d", to, r.Code, r.Lines, code)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	used := func(client string) {
		t.Helper()
		deliveries := fmt.Sprint(accepted[client])
		key := "tg:{c:" + client + "}:use:" + time.Now().UTC().Format("2006-01")
		err := eventually(harness.Patience, func() error {
			got, err := db.HGet(context.Background(), key, "deliveries").Result()
			if err == nil && got != deliveries {
				err = fmt.Errorf("%s has %s deliveries, want %s", client, got, deliveries)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	answers("ivan@example.org", "sales", 451)
	say(func(p goredis.Pipeliner) { set(p, "sales", `{"addresses":["ivan@example.org","olga@example.org"]}`) })
	answers("ivan@example.org", "sales", 250)
	answers("nobody@example.org", "", 550)
	used("sales")
	// An address moves within the period.
	say(func(p goredis.Pipeliner) {
		set(p, "sales", `{"addresses":["ivan@example.org"]}`)
		set(p, "shop", `{"addresses":["olga@example.org","lock@example.org"]}`)
	})
	answers("lock@example.org", "shop", 250)
	answers("olga@example.org", "shop", 250)
	used("shop")
	used("sales")
	if accepted["shop"] != 4 || accepted["sales"] != 2 {
		t.Errorf("%v", accepted)
	}
	// A client goes, and comes again under the same id: its account goes on.
	say(func(p goredis.Pipeliner) { p.Del(ctx, "tg:{c:sales}:def") })
	answers("ivan@example.org", "sales", 550)
	say(func(p goredis.Pipeliner) {
		set(p, "sales", `{"addresses":["ivan@example.org"],"expires":"2100-01-01"}`)
	})
	answers("ivan@example.org", "sales", 250)
	used("sales")
	// What cannot be read leaves what was before.
	say(func(p goredis.Pipeliner) {
		set(p, "sales", `{"addresses":["ivan@example.org"],"expires":"2026-02-30"}`)
	})
	for _, g := range both {
		err := eventually(inForce, func() error {
			out, err := g.gate.Command(ctx, "status")
			if err == nil && !regexp.MustCompile(`client sales: expires must be a date such as 2026-01-31, not "2026-02-30"`).MatchString(out.Stdout) {
				err = fmt.Errorf("status says %s", out.Stdout)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	answers("ivan@example.org", "sales", 250)
	// Of one that nobody could ever read it is not known whom it has.
	say(func(p goredis.Pipeliner) { p.HSet(ctx, "tg:{c:new}:def", "a", "b"); p.SAdd(ctx, "tg:clients", "new") })
	answers("nobody@example.org", "", 451)
	answers("ivan@example.org", "sales", 250)
	if err := db.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	for _, g := range both {
		r, err := g.transaction("192.0.2.7", "a@example.com", "ivan@example.org")
		if err != nil || r.Code != 250 {
			t.Errorf("with an empty store: %v %v", r, err)
		}
	}
}
