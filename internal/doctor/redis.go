package doctor

import (
	"strconv"
	"strings"
	"time"
)

// skew is how far two clocks may be apart before days and delays go wrong.
const skew = 2 * time.Second

func (e *examination) redis(r *Redis) {
	if r.Error != "" {
		e.fault("redis-down", advice{"records wait in the spool, reports and balances stand still", "systemctl restart redis-server"}, "Redis at %s: %s", r.Address, r.Error)
		return
	}
	set := func(args string) string { return "redis-cli config set " + args + " && redis-cli config rewrite" }
	info := func(name string) int64 { n, _ := strconv.ParseInt(r.Info[name], 10, 64); return n }
	if old(r.Info["redis_version"], 6, 2) {
		e.fault("redis-old", advice{"it lacks commands that the account needs", "apt install redis-server"}, "Redis %s, want 6.2 or later", r.Info["redis_version"])
	}
	if policy := r.Config["maxmemory-policy"]; r.Config["maxmemory"] != "0" && r.Config["maxmemory"] != "" && policy != "noeviction" {
		e.fault("redis-evicts", advice{"when its memory is full it throws accounts away", set("maxmemory-policy noeviction")}, "maxmemory-policy is %s", policy)
	}
	if most := info("maxmemory"); most > 0 && info("used_memory")*10 > most*9 {
		e.fault("redis-full", advice{"it refuses records, which wait in the spool, and forgets greylisting", set("maxmemory " + strconv.FormatInt(2*most, 10))}, "Redis uses %d of %d octets", info("used_memory"), most)
	}
	switch append, known := r.Config["appendonly"]; {
	case !known:
	case append == "no" && r.Config["save"] == "":
		e.fault("redis-not-kept", advice{"a restart of Redis forgets the account, but for what the spool still has", set("appendonly yes")}, "Redis keeps nothing on disk")
	case append == "no":
		e.warn("redis-snapshots-only", advice{"a crash of Redis loses the minutes since its last snapshot; tollgate sends again what its spool still has", set("appendonly yes")},
			"Redis keeps snapshots and no append-only file")
	case r.Config["appendfsync"] == "no":
		e.warn("redis-fsync", advice{"a crash of the machine loses what the kernel had not written", set("appendfsync everysec")}, "appendfsync is no")
	}
	if s := r.Info["rdb_last_bgsave_status"]; s != "" && s != "ok" {
		e.fault("redis-save-fails", advice{"Redis refuses to write, or forgets at its next restart", "redis-cli bgsave; df -h /var/lib/redis; journalctl -u redis-server"}, "the last snapshot of Redis has failed")
	}
	if s := r.Info["aof_last_write_status"]; s != "" && s != "ok" {
		e.fault("redis-append-fails", advice{"Redis refuses to write", "df -h /var/lib/redis; journalctl -u redis-server"}, "the append-only file of Redis cannot be written")
	}
	switch r.Info["role"] {
	case "slave":
		e.fault("redis-replica", advice{"it takes no records", "name the master in addrs of [redis], or the Sentinels and their master"}, "%s is a replica", r.Address)
		if r.Info["master_link_status"] == "down" {
			e.fault("redis-link-down", advice{"it does not follow its master: after a fail-over records are missing", "redis-cli -h MASTER info replication"}, "the replica has lost its master")
		}
	case "master":
		if have := info("connected_slaves"); have < int64(r.Replicas) {
			e.fault("redis-replicas", advice{"records wait in the spool: the policy wants them on replicas, too", "redis-cli info replication"}, "%d replicas are connected, the policy wants %d", have, r.Replicas)
		}
	}
	if r.Info["cluster_enabled"] == "1" && r.Info["cluster_state"] != "" && r.Info["cluster_state"] != "ok" {
		e.fault("redis-cluster", advice{"a part of the accounts takes no records", "redis-cli cluster info"}, "the Cluster is in state %s", r.Info["cluster_state"])
	}
	if d := r.Clock.Abs(); d > skew {
		e.warn("redis-clock", advice{"days, greylisting delays and expiry differ between here and there", "timedatectl set-ntp true (on both machines)"}, "the clock of Redis is %s off ours", r.Clock.Round(time.Second/10))
	}
	if !r.Loopback && !r.TLS {
		e.warn("redis-clear-text", advice{"whoever is on the way reads and changes accounts", "write tls = true into [redis] (docs/redis.md)"}, "the line to Redis at %s is not encrypted", r.Address)
	}
	if !r.Loopback && !r.Password {
		e.warn("redis-no-password", advice{"whoever reaches the port reads and changes accounts", "write requirepass into redis.conf, and password_file into [redis]"}, "Redis at %s asks for no password", r.Address)
	}
	if r.Loopback && !r.Password && strings.Contains(" "+r.Config["bind"]+" ", " 0.0.0.0 ") && r.Config["protected-mode"] == "no" {
		e.fault("redis-open", advice{"whoever reaches the port reads and changes accounts", set("protected-mode yes")}, "Redis is open to the network without a password")
	}
}
