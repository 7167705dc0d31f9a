package mailauth_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/mailauth"
)

// A key of any length is told before it is computed with.
func TestKeySizes(t *testing.T) {
	const signed = "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.com; s=s; h=from; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=AAAA\r\n" + message
	for bits, want := range map[int]string{1024: "fail", 2048: "fail", 4096: "fail", 4097: "permerror", 8192: "permerror", 340_000: "permerror"} {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits)-1)
		key := &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
		pkix, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for form, der := range map[string][]byte{"PKIX": pkix, "PKCS#1": x509.MarshalPKCS1PublicKey(key)} {
			z := zone{"s._domainkey.example.com": {"v=DKIM1; k=rsa; p = " + base64.StdEncoding.EncodeToString(der)}}
			all, err := mailauth.VerifyDKIM(t.Context(), nil, strings.NewReader(signed), z.lookup)
			if err != nil || len(all) != 1 || string(all[0].Result) != want {
				t.Errorf("%d bits, %s: %+v, %v", bits, form, all, err)
			}
			if want == "permerror" && len(all) == 1 && !strings.Contains(all[0].Reason, "4096") {
				t.Errorf("%d bits, %s: %s", bits, form, all[0].Reason)
			}
		}
	}
}
