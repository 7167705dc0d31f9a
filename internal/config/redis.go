package config

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

func (d *decoder) redis(n *node) {
	r := &Redis{Prefix: "tg:"}
	d.Read(n, "[redis]", d.redisFields(r))
	if !r.TLS {
		for _, key := range []string{"ca_file", "cert_file", "key_file"} {
			if c := n.Child(key); c != nil && c.Value != "" {
				d.Errorf(c, "%s is without effect unless tls = true", key)
			}
		}
	}
	d.keyPair(n, r)
	d.redisKind(n, r)
	d.config.Redis = r
}

func (d *decoder) redisFields(r *Redis) []field {
	return []field{
		{Key: "addrs", Read: d.redisAddrs(r), Required: true},
		{Key: "username", Read: d.Text(&r.Username)},
		{Key: "password_file", Read: d.SecretFile(&r.Password)},
		{Key: "tls", Read: d.Boolean(&r.TLS)},
		{Key: "ca_file", Read: d.Certificates(&r.CAFile)},
		{Key: "cert_file", Read: d.PathOrNone(&r.CertFile)},
		{Key: "key_file", Read: d.PathOrNone(&r.KeyFile)},
		{Key: "db", Read: d.redisDB(r)},
		{Key: "prefix", Read: d.redisPrefix(r)},
		{Key: "cluster", Read: d.Boolean(&r.Cluster)},
		{Key: "master", Read: d.Text(&r.Master)},
		{Key: "sentinel_password_file", Read: d.SecretFile(&r.SentinelPassword)},
		{Key: "replicas", Read: d.redisReplicas(r)},
	}
}

func (d *decoder) redisAddrs(r *Redis) func(*node) {
	return func(n *node) {
		texts := d.TextNodes(n)
		if n.Kind == document.Array && len(n.Children) == 0 {
			d.Errorf(n, "addrs is empty")
		}
		for _, c := range texts {
			s := c.Value.(string)
			host, port, err := net.SplitHostPort(s)
			if err != nil || host == "" || !isPort(port) {
				d.Errorf(c, `addrs: %q is not "host:port"%s`, s, redisMeant(s))
				continue
			}
			if r.Addrs = append(r.Addrs, s); r.Addr == "" {
				r.Addr = s
			}
		}
	}
}

// redisMeant is the address in what is a URL, or has no port.
func redisMeant(s string) string {
	secure := strings.HasPrefix(s, "rediss://")
	host := strings.TrimPrefix(strings.TrimPrefix(s, "redis://"), "rediss://")
	host, _, _ = strings.Cut(host, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	switch {
	case host == "" || strings.ContainsAny(host, " \t"):
		return ""
	case !strings.Contains(host, ":"):
		host += ":6379"
	}
	if _, port, err := net.SplitHostPort(host); err != nil || !isPort(port) {
		return "; a port is a number from 1 to 65535"
	}
	if secure {
		return fmt.Sprintf("; write %q, and tls = true", host)
	}
	return fmt.Sprintf("; write %q", host)
}

// redisKind: a server, a Cluster or Sentinels, and what goes with which.
func (d *decoder) redisKind(n *node, r *Redis) {
	addrs := n.Child("addrs")
	switch {
	case r.Cluster && r.Master != "":
		d.Errorf(n.Child("master"), "master and cluster = true exclude each other: a Cluster has no Sentinels")
	case r.Cluster && r.DB != 0:
		d.Errorf(n.Child("db"), "db: a Cluster has one database, 0")
	case len(r.Addrs) > 1 && !r.Cluster && r.Master == "":
		d.Errorf(addrs, "several addrs are nodes of a Cluster (cluster = true) or Sentinels (master = the name they know the server by)")
	case r.SentinelPassword != "" && r.Master == "":
		d.Errorf(n.Child("sentinel_password_file"), "sentinel_password_file is without effect unless master names a server")
	}
}

// maxReplicas is more than anybody has.
const maxReplicas = 16

func (d *decoder) redisReplicas(r *Redis) func(*node) {
	return func(n *node) {
		v, ok := n.Value.(int64)
		if !ok || v < 0 || v > maxReplicas {
			d.Errorf(n, "replicas must be a number from 0 to %d", maxReplicas)
			return
		}
		r.Replicas = int(v)
	}
}

func (d *decoder) redisDB(r *Redis) func(*node) {
	return func(n *node) {
		v, ok := n.Value.(int64)
		if !ok || v < 0 || v > 1<<16 {
			d.Errorf(n, "db must be the number of a database, such as 0")
			return
		}
		r.DB = int(v)
	}
}

// redisPrefix: braces choose the slot of a key in a cluster, and the prefix
// must not.
func (d *decoder) redisPrefix(r *Redis) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		if !ok {
			return
		}
		if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`{}*?[]\`, c) }) {
			d.Errorf(n, "prefix %q: printable ASCII without spaces and { } * ? [ ] \\ can begin a key", s)
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
		if _, err := r.KeyPair(); err != nil {
			d.Errorf(cert, "cert_file: %v", err)
		}
	case r.CertFile != "" && (key == nil || key.Value == ""):
		d.Errorf(cert, "cert_file needs key_file")
	case r.KeyFile != "" && (cert == nil || cert.Value == ""):
		d.Errorf(key, "key_file needs cert_file")
	}
}

// KeyPair reads the certificate and its key.
func (r *Redis) KeyPair() (tls.Certificate, error) {
	var texts [2]string
	for i, path := range []string{r.CertFile, r.KeyFile} {
		var err error
		if texts[i], err = document.ReadFile(path, document.MaxFile); err != nil {
			return tls.Certificate{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	return tls.X509KeyPair([]byte(texts[0]), []byte(texts[1]))
}
