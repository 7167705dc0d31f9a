package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// haPatience is how long servers may take to find each other.
const haPatience = 60 * time.Second

// SentinelRedis is a master behind a ReplicationProxy, its replica, and a
// Sentinel that knows the master by the name "tollgate".
type SentinelRedis struct {
	Addr            string // of the Sentinel
	Proxy           *ReplicationProxy
	Master, Replica *Redis
}

// SentinelRedis starts them and waits until the replica follows.
func (s *Sandbox) SentinelRedis(args ...string) (*SentinelRedis, error) {
	var r SentinelRedis
	var err error
	if r.Master, err = s.Redis(append([]string{"--repl-diskless-sync-delay", "0"}, args...)...); err != nil {
		return nil, err
	}
	if r.Proxy, err = s.ReplicationProxy(r.Master.Addr); err != nil {
		return nil, err
	}
	r.Replica, err = s.Redis(append([]string{"--replicaof", "127.0.0.1 " + strconv.Itoa(r.Proxy.Port)}, args...)...)
	if err != nil {
		return nil, err
	}
	if err := r.Replica.follows(); err != nil {
		return nil, err
	}
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	r.Addr = Loopback(port)
	// The Sentinel writes to its file what it learns.
	file := s.Path("sentinel-" + strconv.Itoa(port) + ".conf")
	conf := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor tollgate 127.0.0.1 %d 1\n"+
		"sentinel down-after-milliseconds tollgate 1000\nsentinel failover-timeout tollgate 5000\n", port, s.Dir, r.Proxy.Port)
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	p, err := start("sentinel", s.Path("sentinel.log"), syscall.SIGKILL, "redis-server", file, "--sentinel")
	if err != nil {
		return nil, err
	}
	s.OnClose(func() error { return p.Stop(10 * time.Second) })
	db := redis.NewSentinelClient(&redis.Options{Addr: r.Addr, Protocol: 2, DisableIdentity: true})
	defer db.Close()
	return &r, p.await(func() error {
		list, err := db.Replicas(context.Background(), "tollgate").Result()
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("the Sentinel knows of %d replicas", len(list))
		}
		return err
	}, haPatience)
}

// Client of this one server, for tests.
func (r *Redis) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: r.Addr, Protocol: 2, DisableIdentity: true, MaxRetries: -1})
}

// follows waits until a replica is in step with its master.
func (r *Redis) follows() error {
	db := r.Client()
	defer db.Close()
	return r.proc.await(func() error {
		text, err := db.Info(context.Background(), "replication").Result()
		if err == nil && !strings.Contains(text, "master_link_status:up") {
			err = errors.New("the replica is not in step")
		}
		return err
	}, haPatience)
}

// InStep waits until the replica has all that the master has written.
func (r *Redis) InStep(master *Redis) error {
	ours, theirs := r.Client(), master.Client()
	defer ours.Close()
	defer theirs.Close()
	offset := func(db *redis.Client, field string) (int64, error) {
		text, err := db.Info(context.Background(), "replication").Result()
		if err != nil {
			return 0, err
		}
		_, rest, _ := strings.Cut(text, field+":")
		number, _, _ := strings.Cut(rest, "\r\n")
		return strconv.ParseInt(number, 10, 64)
	}
	want, err := offset(theirs, "master_repl_offset")
	if err != nil {
		return err
	}
	return r.proc.await(func() error {
		have, err := offset(ours, "slave_repl_offset")
		if err == nil && have < want {
			err = fmt.Errorf("the replica is at %d of %d", have, want)
		}
		return err
	}, haPatience)
}

// ClusterRedis is a Cluster of three masters, the first behind a
// ReplicationProxy and with a replica.
type ClusterRedis struct {
	Masters [3]*Redis
	Replica *Redis
	Proxy   *ReplicationProxy
	Addrs   []string // of the masters, as clients reach them
}

// ClusterRedis starts one and waits until it is whole.
func (s *Sandbox) ClusterRedis(args ...string) (*ClusterRedis, error) {
	c := &ClusterRedis{}
	var buses [4]int
	node := func(i int, more ...string) (*Redis, error) {
		var err error
		if buses[i], err = s.Port(); err != nil {
			return nil, err
		}
		more = append(more, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(buses[i]), "--cluster-node-timeout", "2000",
			"--cluster-announce-ip", "127.0.0.1", "--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0")
		return s.Redis(append(more, args...)...)
	}
	// The proxy's port must be announced, and the server's is known only when it
	// runs: it is told afterwards.
	ctx := context.Background()
	for i := range c.Masters {
		var err error
		if c.Masters[i], err = node(i); err != nil {
			return nil, err
		}
		c.Addrs = append(c.Addrs, c.Masters[i].Addr)
	}
	var err error
	if c.Proxy, err = s.ReplicationProxy(c.Masters[0].Addr); err != nil {
		return nil, err
	}
	c.Addrs[0] = c.Proxy.Addr
	if c.Replica, err = node(3); err != nil {
		return nil, err
	}
	first := c.Masters[0].Client()
	defer first.Close()
	if err := first.ConfigSet(ctx, "cluster-announce-port", strconv.Itoa(c.Proxy.Port)).Err(); err != nil {
		return nil, err
	}
	for i, m := range append(c.Masters[:], c.Replica) {
		db := m.Client()
		defer db.Close()
		if i < len(c.Masters) {
			from, to := 16384*i/3, 16384*(i+1)/3-1
			if err := db.ClusterAddSlotsRange(ctx, from, to).Err(); err != nil {
				return nil, err
			}
		}
		if i > 0 {
			_, port, _ := strings.Cut(m.Addr, ":")
			if err := first.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", port, buses[i]).Err(); err != nil {
				return nil, err
			}
		}
	}
	id, err := first.ClusterMyID(ctx).Result()
	if err != nil {
		return nil, err
	}
	replica := c.Replica.Client()
	defer replica.Close()
	if err := c.Replica.proc.await(func() error { return replica.ClusterReplicate(ctx, id).Err() }, haPatience); err != nil {
		return nil, err
	}
	if err := c.Replica.follows(); err != nil {
		return nil, err
	}
	for _, m := range append(c.Masters[:], c.Replica) {
		db := m.Client()
		defer db.Close()
		if err := m.proc.await(func() error {
			text, err := db.ClusterInfo(ctx).Result()
			if err == nil && (!strings.Contains(text, "cluster_state:ok") || !strings.Contains(text, "cluster_known_nodes:4")) {
				err = errors.New("the Cluster is not whole")
			}
			return err
		}, haPatience); err != nil {
			return nil, err
		}
	}
	return c, nil
}
