package mailauth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
)

// publishedKeys are the key records of signers of the corpus that are known
// though their domains have long had others: from RFC 6376 Appendix C, and from
// the test data of several DKIM implementations.
var publishedKeys = map[string]string{
	"brisbane._domainkey.example.com":       "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
	"20120113._domainkey.gmail.com":         "k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/UeJjenpabgbFwh+eBCsSTrqmwIYYvywlbhbqoo2DymndFkbjOVIPIldNs/m40KF+yzMn1skyoxcTUGCQs8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07y2+07wlNWwIt8svnxgdxGkVbbhzY8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjViiAH+ghvvIhkx4xYSIc9oSwVmAl5OctMEeWUwg8Istjqz8BZeTWbf41fbNhte7Y+YqZOwq1Sd0DbvYAD9NOZK9vlfuac0598HY+vtSBczUiKERHv1yRbcaQtZFh5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB",
	"20210112._domainkey.gmail.com":         "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq8JxVBMLHZRj1WvIMSHApRY3DraE/EiFiR6IMAlDq9GAnrVy0tDQyBND1G8+1fy5RwssQ9DgfNe7rImwxabWfWxJ1LSmo/DzEdOHOJNQiP/nw7MdmGu+R9hEvBeGRQAmn1jkO46KIw/p2lGvmPSe3+AVD+XyaXZ4vJGTZKFUCnoctAVUyHjSDT7KnEsaiND2rVsDvyisJUAH+EyRfmHSBwfJVHAdJ9oD8cn9NjIun/EHLSIwhCxXmLJlaJeNAFtcGeD2aRGbHaS7M6aTFP+qk4f2ucRx31cyCxbu50CDVfU+d4JkIDNBFDiV+MIpaDFXIf11bGoS08oBBQiyPXgX0wIDAQAB",
	"20210112._domainkey.google.com":        "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtnbQAeqvEP2pG2L540W9JvVU7qy767Zs83Hjw34PCkZ9/9dWE6cK+CYaMNIQqTGfwq4uUe3diBuz3Uikkr+WPMj9AuxtxJqUAO8PsZ2Y5DneFpz5kVesC9/rtXgCwgYOmO9UjSy4IN11ewXUBuCH+zp2v5Abv5T0Lol/nWl8wLgRI1IesstingY4cnSfo3Pq3U0I1GAxdNFCK2FPedPpg4sdPpHqtxVvRLMLamRKoUfySBMjpXuMNL0UeCizmFfdUL73ZdiS+MNxGECzFNmeCngFBscLQN++urvfB9OqHQrbxLIwNyni3KMbE/E+cxPkx4KxhyGHSU2klV1vvIAHfwIDAQAB",
	"foo._domainkey.vmt2.cis.att.net":       "v=DKIM1; k=rsa; g=*; s=*;p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhALSQ1y/+tHT1d9XvpiVap4Z+GFaydEmDgfC48m3wLLmDqfKBADWYIqrCnfKPvZPzGYzo+aJMEiAOTtiNxPWYToiTfJlTpn2YyEEz6OUIXw0uc+NfEQviN4QQr0jVX9yRjwIDAQAB",
	"s1024._domainkey.yahoo.com":            "k=rsa;  p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDrEee0Ri4Juz+QfiWYui/E9UGSXau/2P8LjnTD8V4Unn+2FAZVGE3kL23bzeoULYv4PeleB3gfmJiDJOKU3Ns5L4KJAUUHjFwDebt0NP+sBK0VKeTATL2Yr/S3bT/xhy+1xtj4RkdV7fVxTn56Lb4udUnwuxK4V5b5PdOKj/+XcwIDAQAB; n=A 1024 bit key;",
	"selector1._domainkey.outlook.com":      outlook2016,
	"selector1._domainkey.hotmail.com":      outlook2016,
	"mandrill._domainkey.mandrillapp.com":   mandrill,
	"mandrill._domainkey.papertrailapp.com": mandrill,
}

const (
	outlook2016 = "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvWyktrIL8DO/+UGvMbv7cPd/Xogpbs7pgVw8y9ldO6AAMmg8+ijENl/c7Fb1MfKM7uG3LMwAr0dVVKyM+mbkoX2k5L7lsROQr0Z9gGSpu7xrnZOa58+/pIhd2Xk/DFPpa5+TKbWodbsSZPRN8z0RY5x59jdzSclXlEyN9mEZdmOiKTsOP6A7vQxfSya9jg5N81dfNNvP7HnWejMMsKyIMrXptxOhIBuEYH67JDe98QgX14oHvGM2Uz53if/SW8MF09rYh9sp4ZsaWLIg6T343JzlbtrsGRGCDJ9JPpxRWZimtz+Up/BlKzT6sCCrBihb/Bi3pZiEBB4Ui/vruL5RCQIDAQAB; n=2048,1452627113,1468351913"
	mandrill    = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCrLHiExVd55zd/IQ/J/mRwSRMAocV/hMB3jXwaHH36d9NaVynQFYV8NaWi69c1veUtRzGt7yAioXqLj7Z4TeEUoOLgrKsn8YnckGs9i3B3tVFB+Ch/4mPhXWiNfNdynHWBcPcbJ8kjEQ2U8y78dHZj1YeRXXVvWob2OaKynO8/lQIDAQAB"
)

// signing is a key pair: what dkimpy signs with, and what goes into p=.
type signing struct {
	algorithm, private, public string
}

// keyring is what signs for signer.example: keys made for this run, in records
// of all kinds.
type keyring struct {
	rsa, short, weak, ed25519 signing
	records                   map[string][]string // by selector
}

const signedBy = "signer.example"

func newKeyring() (*keyring, error) {
	k := new(keyring)
	// The standard library makes keys as short as the weak one only when told
	// to: RFC 8301 §3.2 has no signatures of such keys valid.
	if err := os.Setenv("GODEBUG", "rsa1024min=0"); err != nil {
		return nil, err
	}
	defer os.Unsetenv("GODEBUG")
	for bits, pair := range map[int]*signing{2048: &k.rsa, 1024: &k.short, 768: &k.weak} {
		private, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
		if err != nil {
			return nil, err
		}
		pair.algorithm = "rsa-sha256"
		pair.private = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}))
		pair.public = base64.StdEncoding.EncodeToString(public)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	k.ed25519 = signing{"ed25519-sha256", base64.StdEncoding.EncodeToString(private.Seed()), base64.StdEncoding.EncodeToString(public)}
	k.records = map[string][]string{
		"rsa":       {"v=DKIM1; k=rsa; p=" + k.rsa.public},
		"ed":        {"v=DKIM1; k=ed25519; p=" + k.ed25519.public},
		"short":     {"v=DKIM1; k=rsa; p=" + k.short.public},
		"weak":      {"v=DKIM1; k=rsa; p=" + k.weak.public},
		"bare":      {"p=" + k.rsa.public},
		"revoked":   {"v=DKIM1; k=rsa; p="},
		"crossed":   {"v=DKIM1; k=ed25519; p=" + k.rsa.public},
		"other":     {"v=DKIM1; k=ed448; p=" + k.rsa.public},
		"strict":    {"v=DKIM1; k=rsa; t=s; p=" + k.rsa.public},
		"testing":   {"v=DKIM1; k=rsa; t=y; p=" + k.rsa.public},
		"sha1":      {"v=DKIM1; k=rsa; h=sha1; p=" + k.rsa.public},
		"sha256":    {"v=DKIM1; k=rsa; h=sha1:sha256; p=" + k.rsa.public},
		"telephone": {"v=DKIM1; k=rsa; s=telephone; p=" + k.rsa.public},
		"services":  {"v=DKIM1; k=rsa; s=telephone : email; p=" + k.rsa.public},
		"version":   {"v=DKIM2; k=rsa; p=" + k.rsa.public},
		"nonsense":  {"v=DKIM1; k=rsa; p=AAAA"},
		"nokey":     {"v=DKIM1; k=rsa"},
		"tags":      {"v=DKIM1; k=rsa; p=" + k.rsa.public + "; x-note=a; p=" + k.rsa.public},
		"blanks":    {"v=DKIM1; k = rsa ; p= " + k.rsa.public[:60] + "  " + k.rsa.public[60:] + " ; n="},
		"tabs":      {"v=DKIM1; k=rsa; p=" + k.rsa.public[:60] + "\t" + k.rsa.public[60:]},
		"spf":       {"v=spf1 -all"},
		"two":       {"v=DKIM1; k=rsa; p=" + k.rsa.public, "v=DKIM1; k=rsa; p=" + k.rsa.public + "; n=again"},
	}
	return k, nil
}

// zone is the records as the text of a zone.
func (k *keyring) zone() map[string]string {
	var b strings.Builder
	for selector, all := range k.records {
		for _, text := range all {
			b.WriteString(record(selector+"._domainkey."+signedBy, text))
		}
	}
	return map[string]string{"example": b.String()}
}
