package main

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
)

// storeMode says what an embedded store that is not there means.
type storeMode uint8

const (
	mustExist storeMode = iota // for who only reads
	makeIt
)

// databaseName is the embedded store's file in the state folder.
const databaseName = "account.db"

// quiet is the log of a command: what matters becomes its error.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openStore opens the store that the policy names and tells where it is. A
// Redis server that is away is no error: its methods answer so.
func openStore(ctx context.Context, cfg *config.Config, log *slog.Logger, mode storeMode) (accounting.Store, storeStatus, error) {
	if cfg.Redis == nil {
		path := filepath.Join(cfg.StateDir, databaseName)
		is := storeStatus{Kind: "embedded", Place: path}
		if _, err := os.Stat(path); err != nil && mode == mustExist {
			return nil, is, fmt.Errorf("the store cannot be read: %w", err)
		}
		s, err := embedded.Open(path, embedded.Options{Location: cfg.Location, Log: log})
		if err != nil {
			return nil, is, err
		}
		return s, is, nil
	}
	is := storeStatus{Kind: "redis", Place: cfg.Redis.Addr}
	secure, err := tlsConfig(cfg.Redis)
	if err != nil {
		return nil, is, err
	}
	s, err := redis.Open(ctx, redis.Options{
		Addr: cfg.Redis.Addr, Username: cfg.Redis.Username, Password: cfg.Redis.Password, TLS: secure,
		DB: cfg.Redis.DB, Prefix: cfg.Redis.Prefix, Gateway: cfg.Gate.Gateway, Location: cfg.Location, Log: log,
	})
	if err != nil {
		return nil, is, err
	}
	return s, is, nil
}

// tlsConfig is nil when the line is not to be encrypted.
func tlsConfig(r *config.Redis) (*tls.Config, error) {
	if !r.TLS {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CAFile != "" {
		pem, err := os.ReadFile(r.CAFile)
		if err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("redis: no certificate in " + r.CAFile)
		}
	}
	if r.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(r.CertFile, r.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("redis: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
