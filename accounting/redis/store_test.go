package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/storetest"
)

func TestConformance(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	var n atomic.Int64
	storetest.Run(t, func(t *testing.T) storetest.Open {
		prefix := fmt.Sprintf("t%d:", n.Add(1))
		return func(t *testing.T, o storetest.Options) accounting.Store {
			s, err := Open(t.Context(), Options{
				Addr: srv.addr, Gateway: "mx1", Prefix: prefix, Location: o.Location, Recipients: o.Recipients, SeenDays: o.SeenDays, Now: o.Now, Book: o.Book, Standing: o.Standing,
			})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{}, {Addr: "127.0.0.1:1"}, {Gateway: "mx1"}, {Addr: "127.0.0.1:1", Gateway: "mx1", Place: Place{DB: -1}}} {
		if s, err := Open(t.Context(), o); err == nil {
			s.Close()
			t.Errorf("%+v opens", o)
		}
	}
}

// The keys are the contract's: a billing system reads them.
func TestKeys(t *testing.T) {
	srv := startServer(t, "--save", "", "--appendonly", "no")
	s := mustOpen(t, srv.options())
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	put(t, s, storetest.Usage(1, "sales", "a@example.org", at, 1000, 500))
	if err := s.Heartbeat(t.Context(), "mx1", 7); err != nil {
		t.Fatal(err)
	}
	se, err := s.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer se.Close()
	if err := se.Move(t.Context(), "m"); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	keys, err := s.db.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"tg:{c:sales}:use:2026-11": "hash", "tg:{c:sales}:rcpt:2026-11": "hash", "tg:{c:sales}:day:2026-11-23": "hash",
		"tg:{c:sales}:applied": "hash", "tg:{c:sales}:seen:2026-11-23": "set", "tg:{c:sales}:rec:2026-11": "stream", "tg:clients": "set", "tg:gw:mx1": "hash",
		"tg:{c:_gw:mx1:0}": "string",
	}
	for _, k := range keys {
		if got := s.db.Type(ctx, k).Val(); got != want[k] {
			t.Errorf("%s is a %s, want %q", k, got, want[k])
		}
		delete(want, k)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if got := fmt.Sprint(s.db.HGetAll(ctx, "tg:{c:sales}:rcpt:2026-11").Val()); got != "map[a@example.org|charged:500 a@example.org|deliveries:1 a@example.org|size:1000]" {
		t.Error(got)
	}
	if got := fmt.Sprint(s.db.HGetAll(ctx, "tg:gw:mx1").Val()); got != "map[backlog:7 heartbeat:2026-11-23T12:00:00Z]" {
		t.Error(got)
	}
	if enc := s.db.ObjectEncoding(ctx, "tg:{c:sales}:seen:2026-11-23").Val(); enc != "intset" {
		t.Error("the seen set is a ", enc)
	}
	day := 24 * time.Hour
	if ttl := s.db.TTL(ctx, "tg:{c:sales}:seen:2026-11-23").Val(); ttl < 41*day || ttl > 42*day {
		t.Error("seen lives ", ttl)
	}
	if ttl := s.db.TTL(ctx, "tg:{c:sales}:day:2026-11-23").Val(); ttl < 399*day || ttl > 400*day {
		t.Error("day lives ", ttl)
	}
	for _, k := range []string{"tg:{c:sales}:use:2026-11", "tg:{c:sales}:rcpt:2026-11", "tg:{c:sales}:rec:2026-11"} {
		if ttl := s.db.TTL(ctx, k).Val(); ttl != -1 {
			t.Error(k, " lives ", ttl)
		}
	}
}

func put(t testing.TB, s *Store, batch ...accounting.Record) {
	t.Helper()
	if err := s.Put(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func deliveries(t testing.TB, s *Store) (n int64) {
	t.Helper()
	list, err := s.Counters(t.Context(), "2026-11")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		n += c.Deliveries
	}
	return n
}

func TestWarnings(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"good":     {[]string{"--appendonly", "yes"}, nil},
		"snapshot": {[]string{"--save", "60 1"}, nil},
		"volatile": {[]string{"--appendonly", "no", "--save", ""}, []string{"neither AOF nor RDB"}},
		"evicting": {[]string{"--save", "", "--appendonly", "no", "--maxmemory-policy", "allkeys-lru"}, []string{`"allkeys-lru"`, "neither AOF"}},
		"secret":   {[]string{"--save", "60 1"}, []string{"cannot be told"}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t, test.args...)
			s := mustOpen(t, srv.options())
			if name == "secret" {
				if err := s.db.Do(t.Context(), "ACL", "SETUSER", "default", "-config").Err(); err != nil {
					t.Fatal(err)
				}
			}
			got := s.Warnings(t.Context())
			if len(got) != len(test.want) {
				t.Fatalf("%q", got)
			}
			for i, w := range test.want {
				if !strings.Contains(got[i], w) {
					t.Errorf("%q has no %q", got[i], w)
				}
			}
		})
	}
}

func TestPassword(t *testing.T) {
	srv := startServer(t, "--save", "", "--requirepass", "right horse")
	for password, right := range map[string]bool{"": false, "wrong": false, "right horse": true} {
		o := srv.options()
		o.Password = password
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		err = s.Put(t.Context(), []accounting.Record{storetest.Usage(1, "sales", "a@example.org", storetest.Now, 1, 1)})
		if (err == nil) != right {
			t.Errorf("password %q: %v", password, err)
		}
		if err != nil && strings.Contains(err.Error(), "right horse") {
			t.Error("the error has the password: ", err)
		}
		if n := len(s.Warnings(t.Context())); (n == 0) == right { // without AOF or RDB there is always one
			if right {
				t.Errorf("%d warnings", n)
			}
		}
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	ca := certificate(t, dir)
	srv := startServer(t, "--save", "", "--tls-port", "", "--tls-cert-file", filepath.Join(dir, "cert.pem"),
		"--tls-key-file", filepath.Join(dir, "key.pem"), "--tls-ca-cert-file", filepath.Join(dir, "cert.pem"), "--tls-auth-clients", "no")
	o := srv.options()
	o.TLS = &tls.Config{RootCAs: ca, ServerName: "127.0.0.1"}
	s := mustOpen(t, o)
	put(t, s, storetest.Usage(1, "sales", "a@example.org", storetest.Now, 1, 1))
	if n := deliveries(t, s); n != 1 {
		t.Fatal(n)
	}
	o.TLS = &tls.Config{ServerName: "127.0.0.1", RootCAs: x509.NewCertPool()}
	stranger, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatal("a certificate of nobody's is taken: ", err)
	}
}

// certificate writes a self-signed one for the loopback.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, b := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return pool
}
