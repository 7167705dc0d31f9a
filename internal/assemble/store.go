package assemble

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/embedded"
	"github.com/tollgate-mail/tollgate/accounting/redis"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
)

// StoreMode says what an embedded store that is not there means.
type StoreMode uint8

// The modes.
const (
	MustExist StoreMode = iota // for who only reads
	MakeIt
)

// databaseName is the embedded store's file in the state folder.
const databaseName = "account.db"

// StoreStatus is how the store fares.
type StoreStatus struct {
	Kind     string   `json:"kind"` // "embedded" or "redis"
	Place    string   `json:"place"`
	Error    string   `json:"error"`  // "" when it is well
	Parked   int64    `json:"parked"` // records that wait for somebody's decision
	Warnings []string `json:"warnings"`
}

// OpenStore opens the store that the policy names and tells where it is. A
// Redis server that is away is no error: its methods answer so. Accounts are
// told of what changes; nil for who only reads.
func OpenStore(ctx context.Context, cfg *config.Config, accounts *Accounts, log *slog.Logger, mode StoreMode) (accounting.Store, StoreStatus, error) {
	if accounts == nil {
		var err error
		if accounts, err = NewAccounts(cfg.StateDir, log); err != nil {
			return nil, StoreStatus{}, err
		}
	}
	if cfg.Redis == nil {
		path := filepath.Join(cfg.StateDir, databaseName)
		is := StoreStatus{Kind: "embedded", Place: path}
		if _, err := os.Stat(path); err != nil && mode == MustExist {
			return nil, is, fmt.Errorf("the store cannot be read: %w", err)
		}
		s, err := embedded.Open(path, embedded.Options{
			Location: cfg.Location, Book: accounts.Book, Standing: accounts.Live.Tell, Log: log,
		})
		if err != nil {
			return nil, is, err
		}
		return s, is, nil
	}
	place, err := RedisPlace(cfg.Redis)
	is := StoreStatus{Kind: "redis", Place: place.String()}
	if err != nil {
		return nil, is, err
	}
	// Its own lines would stand in the log without a word of whose they are; what
	// they say comes back as errors.
	redis.SilenceClient()
	s, err := redis.Open(ctx, redis.Options{
		Place: place, Replicas: cfg.Redis.Replicas, Prefix: cfg.Redis.Prefix, Gateway: cfg.Gate.Gateway, Location: cfg.Location, Log: log,
		Book: accounts.Book, Standing: accounts.Live.Tell, Limited: accounts.Live.Limited,
	})
	if err != nil {
		return nil, is, err
	}
	return s, is, nil
}

// RedisPlace is where the policy's Redis is.
func RedisPlace(r *config.Redis) (redis.Place, error) {
	secure, err := tlsConfig(r)
	return redis.Place{
		Addrs: r.Addrs, Master: r.Master, Cluster: r.Cluster, Username: r.Username, Password: r.Password,
		SentinelPassword: r.SentinelPassword, TLS: secure, DB: r.DB,
	}, err
}

// tlsConfig is nil when the line is not to be encrypted.
func tlsConfig(r *config.Redis) (*tls.Config, error) {
	if !r.TLS {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CAFile != "" {
		pem, err := document.ReadFile(r.CAFile, document.MaxFile)
		if err != nil {
			return nil, fmt.Errorf("redis: %s: %w", r.CAFile, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, errors.New("redis: no certificate in " + r.CAFile)
		}
	}
	if r.CertFile != "" {
		pair, err := r.KeyPair()
		if err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// SilenceRedis ends what the client of Redis says by itself.
func SilenceRedis() { redis.SilenceClient() }
