package config

import (
	"crypto/tls"
	"net"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/config/document"
)

func (d *decoder) redis(n *node) {
	r := &Redis{Prefix: "tg:"}
	d.read(n, "[redis]", d.redisFields(r))
	if !r.TLS {
		for _, key := range []string{"ca_file", "cert_file", "key_file"} {
			if c := n.Child(key); c != nil && c.Value != "" {
				d.errorf(c, "%s is without effect unless tls = true", key)
			}
		}
	}
	d.keyPair(n, r)
	d.redisKind(n, r)
	d.config.Redis = r
}

func (d *decoder) redisFields(r *Redis) []field {
	return []field{
		{key: "addrs", read: d.redisAddrs(r), required: true},
		{key: "username", read: d.text(&r.Username)},
		{key: "password_file", read: d.secretFile(&r.Password)},
		{key: "tls", read: d.boolean(&r.TLS)},
		{key: "ca_file", read: d.certificates(&r.CAFile)},
		{key: "cert_file", read: d.pathOrNone(&r.CertFile)},
		{key: "key_file", read: d.pathOrNone(&r.KeyFile)},
		{key: "db", read: d.redisDB(r)},
		{key: "prefix", read: d.redisPrefix(r)},
		{key: "cluster", read: d.boolean(&r.Cluster)},
		{key: "master", read: d.text(&r.Master)},
		{key: "sentinel_password_file", read: d.secretFile(&r.SentinelPassword)},
		{key: "replicas", read: d.redisReplicas(r)},
	}
}

func (d *decoder) redisAddrs(r *Redis) func(*node) {
	return func(n *node) {
		texts := d.textNodes(n)
		if n.Kind == document.Array && len(n.Children) == 0 {
			d.errorf(n, "addrs is empty")
		}
		for _, c := range texts {
			s := c.Value.(string)
			host, port, err := net.SplitHostPort(s)
			if err != nil || host == "" || !isPort(port) {
				d.errorf(c, `addrs: %q is not "host:port"`, s)
				continue
			}
			if r.Addrs = append(r.Addrs, s); r.Addr == "" {
				r.Addr = s
			}
		}
	}
}

// redisKind: a server, a Cluster or Sentinels, and what goes with which.
func (d *decoder) redisKind(n *node, r *Redis) {
	addrs := n.Child("addrs")
	switch {
	case r.Cluster && r.Master != "":
		d.errorf(n.Child("master"), "master and cluster = true exclude each other: a Cluster has no Sentinels")
	case r.Cluster && r.DB != 0:
		d.errorf(n.Child("db"), "db: a Cluster has one database, 0")
	case len(r.Addrs) > 1 && !r.Cluster && r.Master == "":
		d.errorf(addrs, "several addrs are nodes of a Cluster (cluster = true) or Sentinels (master = the name they know the server by)")
	case r.SentinelPassword != "" && r.Master == "":
		d.errorf(n.Child("sentinel_password_file"), "sentinel_password_file is without effect unless master names a server")
	}
}

// maxReplicas is more than anybody has.
const maxReplicas = 16

func (d *decoder) redisReplicas(r *Redis) func(*node) {
	return func(n *node) {
		v, ok := n.Value.(int64)
		if !ok || v < 0 || v > maxReplicas {
			d.errorf(n, "replicas must be a number from 0 to %d", maxReplicas)
			return
		}
		r.Replicas = int(v)
	}
}

func (d *decoder) redisDB(r *Redis) func(*node) {
	return func(n *node) {
		v, ok := n.Value.(int64)
		if !ok || v < 0 || v > 1<<16 {
			d.errorf(n, "db must be the number of a database, such as 0")
			return
		}
		r.DB = int(v)
	}
}

// redisPrefix: braces choose the slot of a key in a cluster, and the prefix
// must not.
func (d *decoder) redisPrefix(r *Redis) func(*node) {
	return func(n *node) {
		s, ok := d.readString(n)
		if !ok {
			return
		}
		if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`{}*?[]\`, c) }) {
			d.errorf(n, "prefix %q: printable ASCII without spaces and { } * ? [ ] \\ can begin a key", s)
			return
		}
		r.Prefix = s
	}
}

// keyPair: a certificate and its key go together.
func (d *decoder) keyPair(n *node, r *Redis) {
	cert, key := n.Child("cert_file"), n.Child("key_file")
	switch {
	case r.CertFile != "" && r.KeyFile != "":
		if _, err := tls.LoadX509KeyPair(r.CertFile, r.KeyFile); err != nil {
			d.errorf(cert, "cert_file: %v", err)
		}
	case r.CertFile != "" && (key == nil || key.Value == ""):
		d.errorf(cert, "cert_file needs key_file")
	case r.KeyFile != "" && (cert == nil || cert.Value == ""):
		d.errorf(key, "key_file needs cert_file")
	}
}
