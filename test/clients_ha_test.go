package test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/test/harness"
)

// billed is a gateway whose clients a billing system writes into several servers.
type billed struct {
	*gateway
	t  *testing.T
	db goredis.UniversalClient // the billing system's
}

// bill starts a gateway with that [redis].
func bill(t *testing.T, box *harness.Sandbox, section string, place redis.Place) *billed {
	t.Helper()
	b := &billed{gateway: prepareOn(t, box, nil), t: t}
	b.write(t, "policy/policy.toml", "[clients]\nredis = true\n[redis]\n"+section)
	b.start(t)
	b.db = place.Client(3 * time.Second)
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// say writes definitions by client, "" removes one, and then that they have changed. While
// the servers find each other it is said again.
func (b *billed) say(definitions map[string]string) {
	b.t.Helper()
	ctx := context.Background()
	err := eventually(harness.Patience, func() error {
		for id, text := range definitions {
			key := "tg:{c:" + id + "}:def"
			err := b.db.Del(ctx, key).Err()
			if text != "" {
				if err = b.db.Set(ctx, key, text, 0).Err(); err == nil {
					err = b.db.SAdd(ctx, "tg:clients", id).Err()
				}
			}
			if err != nil {
				return err
			}
		}
		return b.db.Incr(ctx, "tg:clients:version").Err()
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// answers waits until mail to an address is answered so; want may be over sooner.
func (b *billed) answers(to string, code int) {
	b.t.Helper()
	if err := eventually(inForce, func() error { return b.answer(to, code) }); err != nil {
		b.t.Fatal(err)
	}
}

// now is answers at once.
func (b *billed) now(to string, code int) {
	b.t.Helper()
	if err := b.answer(to, code); err != nil {
		b.t.Fatal(err)
	}
}

func (b *billed) answer(to string, code int) error {
	r, err := b.transaction("192.0.2.7", "a@example.com", to)
	if err == nil && r.Code != code {
		err = fmt.Errorf("mail to %s: %d %q, want %d", to, r.Code, r.Lines, code)
	}
	return err
}

// status waits until it matches, or, with none, until it does not.
func (b *billed) status(pattern string, none ...bool) {
	b.t.Helper()
	err := eventually(inForce, func() error {
		out, err := b.gate.Command(context.Background(), "status")
		if err == nil && regexp.MustCompile(pattern).MatchString(out.Stdout) == (len(none) > 0) {
			err = fmt.Errorf("status says %s, looking for %q %v", out.Stdout, pattern, none)
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// clientsRead: nothing is wrong with the reading of clients.
const clientsRead = `(?m)^clients +redis: .*; ok$`

func owns(addresses ...string) string {
	return `{"addresses":["` + strings.Join(addresses, `","`) + `"]}`
}

// Clients stand in a Redis whose master is lost with what its replica never got,
// unseen by the gateway; then all of it is away.
func TestClientsUnderSentinel(t *testing.T) {
	t.Parallel()
	box := sandbox(t)
	servers, err := box.SentinelRedis()
	if err != nil {
		t.Fatal(err)
	}
	b := bill(t, box, fmt.Sprintf("addrs = [%q]\nmaster = \"tollgate\"\n", servers.Addr),
		redis.Place{Addrs: []string{servers.Addr}, Master: "tollgate"})
	b.now("ivan@example.org", 451) // none was ever read
	b.say(map[string]string{"sales": owns("ivan@example.org")})
	b.answers("ivan@example.org", 250)
	b.now("nobody@example.org", 550)
	if err := servers.Replica.InStep(servers.Master); err != nil {
		t.Fatal(err)
	}
	servers.Proxy.Hold()
	b.say(map[string]string{"late": owns("olga@example.org")})
	b.answers("olga@example.org", 250)

	// The gateway sees nothing of the fail-over, and then finds the version that it has.
	if err := b.gate.Process().Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := servers.Master.Kill(); err != nil {
		t.Fatal(err)
	}
	replica := servers.Replica.Client()
	defer replica.Close()
	if err := eventually(harness.Patience, func() error {
		text, err := replica.Info(t.Context(), "replication").Result()
		if err == nil && !strings.Contains(text, "role:master") {
			err = fmt.Errorf("it is no master yet: %s", text)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if v, err := replica.Get(t.Context(), "tg:clients:version").Result(); err != nil || v != "1" {
		t.Fatalf("the replica did not lag: version %q, %v", v, err)
	}
	for key, text := range map[string]string{"tg:{c:sales}:def": owns("ivan@example.org", "petr@example.org"), "tg:clients:version": "2"} {
		if err := replica.Set(t.Context(), key, text, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.gate.Process().Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	b.answers("petr@example.org", 250)
	// Whom the new master never heard of is a client still.
	b.now("olga@example.org", 250)
	b.now("nobody@example.org", 550)
	b.status("late: its definition is gone")
	b.say(map[string]string{"late": owns("olga@example.org", "anna@example.org")})
	b.answers("anna@example.org", 250)
	b.status("its definition is gone", true)
	b.say(map[string]string{"late": ""})
	b.answers("olga@example.org", 550)
	b.now("petr@example.org", 250)

	if err := servers.Replica.Kill(); err != nil {
		t.Fatal(err)
	}
	b.status(clientsRead, true)
	b.now("petr@example.org", 250)
	b.now("olga@example.org", 550)
	if err := eventually(inForce, func() error {
		text, err := os.ReadFile(b.gate.State + "/clients.jsonl")
		if err == nil && strings.Contains(string(text), "olga@") {
			err = fmt.Errorf("what is kept is old: %s", text)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.gate.Process().Kill(); err != nil {
		t.Fatal(err)
	}
	if err := b.gate.Start(); err != nil {
		t.Fatal(err)
	}
	b.now("petr@example.org", 250)
	b.now("olga@example.org", 550)
}

// Clients stand in a Cluster: a master is lost and its replica takes its slots; one
// without a replica is lost, and comes back empty.
func TestClientsInACluster(t *testing.T) {
	t.Parallel()
	box := sandbox(t)
	servers, err := box.ClusterRedis()
	if err != nil {
		t.Fatal(err)
	}
	b := bill(t, box, fmt.Sprintf("addrs = [%q, %q, %q]\ncluster = true\n", servers.Addrs[0], servers.Addrs[1], servers.Addrs[2]),
		redis.Place{Addrs: servers.Addrs, Cluster: true})
	owner := func(key string) int { return redis.Slot(key) * 3 / 16384 }
	of := func(node int) string { // a client whose keys that master has
		for i := range 100 {
			if id := fmt.Sprintf("c%d", i); owner("{c:"+id+"}") == node {
				return id
			}
		}
		t.Fatal("no client")
		return ""
	}
	alone := 1 // without a replica, and it does not have the list of clients
	if owner("tg:clients") == alone {
		alone = 2
	}
	b.now("x0@example.org", 451)
	all := map[string]string{}
	for node := range servers.Masters {
		all[of(node)] = owns(fmt.Sprintf("x%d@example.org", node))
	}
	b.say(all)
	for node := range servers.Masters {
		b.answers(fmt.Sprintf("x%d@example.org", node), 250)
	}
	b.now("nobody@example.org", 550)

	if err := servers.Replica.InStep(servers.Masters[0]); err != nil {
		t.Fatal(err)
	}
	if err := servers.Masters[0].Kill(); err != nil {
		t.Fatal(err)
	}
	b.now("x0@example.org", 250)
	b.now("nobody@example.org", 550)
	b.say(map[string]string{of(0): owns("x0@example.org", "y0@example.org")})
	b.answers("y0@example.org", 250)

	lost := servers.Masters[alone]
	if err := lost.Kill(); err != nil {
		t.Fatal(err)
	}
	b.status(clientsRead, true)
	his := fmt.Sprintf("x%d@example.org", alone)
	b.now(his, 250)
	b.now("nobody@example.org", 550)
	_, port, _ := strings.Cut(lost.Addr, ":")
	if err := os.RemoveAll(box.Path("redis-" + port + "/appendonlydir")); err != nil {
		t.Fatal(err)
	}
	if err := lost.Start(); err != nil {
		t.Fatal(err)
	}
	b.status(of(alone) + ": its definition is gone")
	b.now(his, 250)
	b.now("y0@example.org", 250)
	b.now("nobody@example.org", 550)
	b.say(map[string]string{of(alone): owns(his, "z@example.org")})
	b.answers("z@example.org", 250)
	b.status("its definition is gone", true)
}
