package text

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/archive/archivetest"
)

// wrapped is base64 in lines.
func wrapped(content []byte) string {
	s := base64.StdEncoding.EncodeToString(content)
	var b strings.Builder
	for ; len(s) > 72; s = s[72:] {
		b.WriteString(s[:72] + "\r\n")
	}
	return b.String() + s + "\r\n"
}

// TestSigned: whatever is around a text that programs open by themselves, rules see it.
func TestSigned(t *testing.T) {
	inners := []string{
		"Content-Type: text/plain; charset=utf-8\r\n\r\n%s", "Content-Type: text/html\r\n\r\n<p>%s", "\r\n%s", "%s",
		"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\n%s\r\n--i--\r\n", "MIME-Version: 1.0\r\nSubject: x\r\n\r\n%s",
	}
	heads := []string{
		"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Disposition: attachment; filename=smime.p7m",
		"Content-Type: application/x-pkcs7-mime", "Content-Type: application/octet-stream; name=\"smime.P7M\"", "Content-Disposition: inline; filename=a.p7m", "Content-Type: application/pkcs7-mime; name=re.port.p7m", "Content-Type: text/plain\r\nContent-Type: application/pkcs7-mime",
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "Content-Type: application/pkcs7-mime; smime-type=certs-only",
	}
	arounds := []string{"%s", "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nx\r\n--o\r\n%s\r\n--o--\r\n", "Content-Type: message/rfc822\r\n\r\n%s"}
	sealed := func(head string, content []byte, binary bool) string {
		if binary {
			return head + "\r\nContent-Transfer-Encoding: binary\r\n\r\n" + string(content)
		}
		return head + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(content)
	}
	rapid.Check(t, func(t *rapid.T) {
		words := "казино 4111 1111 1111 1111 https://evil.example.com/"
		message := strings.Replace(rapid.SampledFrom(inners).Draw(t, "inner"), "%s", words, 1)
		for range rapid.IntRange(1, 3).Draw(t, "depth") {
			content := archivetest.SignedOf([]byte(message), rapid.SampledFrom([]int{0, 16}).Draw(t, "pieces"))
			if rapid.Bool().Draw(t, "compressed") {
				content = archivetest.CompressedOf([]byte(message))
			}
			// What is binary may have line ends that belong to a delimiter.
			message = sealed(rapid.SampledFrom(heads).Draw(t, "head"), content, rapid.Bool().Draw(t, "binary"))
		}
		message = strings.Replace(rapid.SampledFrom(arounds).Draw(t, "around"), "%s", message, 1)
		f, err := new(Inspector).inspect(t.Context(), strings.NewReader(message))
		if err != nil || !slices.ContainsFunc(f.Text, func(s string) bool { return strings.Contains(s, "казино") }) || !slices.Equal(f.Symbols, []string{SymbolCard}) || !slices.Contains(f.URLDomains, "evil.example.com") {
			t.Fatalf("%q: %q, %q, %v", message, f.Text, f.Symbols, err)
		}
	})
}

// What cannot be read is never nothing.
func TestSealed(t *testing.T) {
	signed := archivetest.SignedOf([]byte("\r\nlottery"), 0)
	enveloped := bytes.Replace(signed, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"), 1)
	p7m := "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	nested := "\r\nlottery"
	for range maxSigned + 2 {
		nested = p7m + wrapped(archivetest.SignedOf([]byte(nested), 0))
	}
	for _, tt := range []struct {
		name, message string
		symbols       []string
	}{
		{"encrypted", p7m + wrapped(enveloped), []string{SymbolEncrypted}},
		{"damaged", p7m + wrapped(signed[:len(signed)/2]), []string{SymbolUnreadable}},
		{"none", p7m + "lottery", []string{SymbolUnreadable}},
		{"empty", p7m, []string{SymbolUnreadable}},
		{"certificates", "Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n\r\n0\x00", nil},
		{"PGP/MIME", "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b--\r\n", []string{SymbolEncrypted}},
		{"PGP in a text", "\r\nhello\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n-----END PGP MESSAGE-----\r\n", []string{SymbolEncrypted}},
		{"rights", "Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\r\n\r\nx", []string{SymbolEncrypted}},
		{"a file", "Content-Type: application/pkcs7-mime; name=contract.pdf.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n" + wrapped(archivetest.SignedOf([]byte("%PDF-1.4\nx"), 0)), nil},
		{"a control character", p7m + wrapped(archivetest.SignedOf([]byte("Subject: x\r\n\r\n\x014111 1111 1111 1111"), 0)), []string{SymbolCard}},
		{"binary", p7m + wrapped(archivetest.SignedOf([]byte("\x014111 1111 1111 1111"), 0)), []string{SymbolCard}},
		{"a text by its type", "Content-Type: text/plain; name=a.p7m\r\n\r\n4111 1111 1111 1111", []string{SymbolCard, SymbolUnreadable}},
		{"deep", nested, []string{SymbolLimit}},
	} {
		if f := of(t, tt.message); !slices.Equal(f.Symbols, tt.symbols) {
			t.Errorf("%s: %q, %q", tt.name, f.Symbols, f.Text)
		}
	}
}
