package mailauth

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	// maxKeyBits is the longest RSA key that is computed with. RFC 8301 §3.2 wants
	// verifiers to take 4096 bits; the work grows with the square of the length,
	// and whoever publishes a key chooses it.
	maxKeyBits = 4096
	// maxKeyText is more than such a key has in base64.
	maxKeyText = 1024
)

// checkKey tells a key record (RFC 6376 §3.6.1) whose key is too long, before
// anything reads it.
func checkKey(text string) error {
	for _, tag := range strings.Split(text, ";") {
		name, value, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(name) != "p" {
			continue
		}
		value = strings.ReplaceAll(value, " ", "")
		if len(value) > maxKeyText {
			return fmt.Errorf("a key of %d octets: the longest taken has %d bits", len(value)*3/4, maxKeyBits)
		}
		der, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			continue // the verifier's to say
		}
		if bits := rsaBits(der); bits > maxKeyBits {
			return fmt.Errorf("a key of %d bits: the longest taken has %d", bits, maxKeyBits)
		}
	}
	return nil
}

// rsaBits is the length of an RSA key in either of the forms that records have
// (RFC 6376 errata 3017); 0 for what is none.
func rsaBits(der []byte) int {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		if key, ok := key.(*rsa.PublicKey); ok {
			return key.N.BitLen()
		}
		return 0
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key.N.BitLen()
	}
	return 0
}
