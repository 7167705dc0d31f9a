package redis

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Place is where a Redis is and how to be let in: a single server, the master
// that Sentinels name, or a Cluster.
type Place struct {
	Addrs   []string // host:port, or the path of a unix socket; of Sentinels where Master is set
	Master  string   // the Sentinels' name of it
	Cluster bool     // Addrs are some nodes of a Cluster

	Username, Password string
	SentinelPassword   string
	TLS                *tls.Config // nil: none; of Sentinels, too
	DB                 int         // always 0 in a Cluster
}

// String is for eyes.
func (p Place) String() string {
	addrs := strings.Join(p.Addrs, ", ")
	switch {
	case p.Master != "":
		return p.Master + " by Sentinels " + addrs
	case p.Cluster:
		return "Cluster " + addrs
	}
	return addrs
}

// Client makes a client that waits no longer than timeout for anything, tries
// nothing twice of its own accord, and heeds the deadlines of contexts: who
// uses it retries, and says so. A retry in here after a lost reply would be
// hidden.
func (p Place) Client(timeout time.Duration) redis.UniversalClient {
	o := &redis.UniversalOptions{
		Addrs: p.Addrs, MasterName: p.Master, IsClusterMode: p.Cluster,
		Username: p.Username, Password: p.Password, SentinelPassword: p.SentinelPassword, TLSConfig: p.TLS, DB: p.DB,
		// RESP2: no pushed messages to mind.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		MaxRetries:               -1, DialerRetries: 1, MaxRedirects: redirects(p.Cluster),
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		ContextTimeoutEnabled: true,
		PoolSize:              8, PipelinePoolSize: -1, ConnMaxIdleTime: 5 * time.Minute,
	}
	if !p.Cluster {
		return redis.NewUniversalClient(o)
	}
	c := o.Cluster()
	c.ClusterStateReloadInterval = lookAgain
	return redis.NewClusterClient(c)
}

// lookAgain is how old what is known of a Cluster's masters may be. A master that is
// lost says nothing of who has taken its place, and the client library would ask it
// for a minute.
const lookAgain = 2 * time.Second

// redirects: a question to a Cluster may be sent on when slots have moved.
func redirects(inCluster bool) int {
	if inCluster {
		return 3
	}
	return 0
}

// SilenceClient stops what the client library prints to stderr of its own
// accord, such as a line for each failed dial: the errors it returns say the
// same. It holds for the whole process, so it is for a program's main to call,
// before any Open.
func SilenceClient() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
