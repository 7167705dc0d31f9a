package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// A file that a module's settings come from is part of them: with another
// certificate at the same path they are others, with the same one they are not.
func TestRenewedCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	policy, ca := filepath.Join(dir, "policy.toml"), filepath.Join(dir, "ca.pem")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(policy, `
[[module]]
name = "ours"
type = "http"
url  = "https://scanner.example.org/"
ca_file = "ca.pem"
`)
	settings := func(serial int64) any {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(serial)}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		write(ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		return settingsOf(t, policy)
	}
	first := settings(1)
	if !reflect.DeepEqual(first, settingsOf(t, policy)) {
		t.Error("the same settings differ")
	}
	if reflect.DeepEqual(first, settings(2)) {
		t.Error("with another certificate the settings are the same")
	}
}

func settingsOf(t *testing.T, policy string) any {
	t.Helper()
	c, problems := Load(policy)
	if c == nil || len(c.Modules) != 1 {
		t.Fatal(problems)
	}
	return c.Modules[0].Settings
}
