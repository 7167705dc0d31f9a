package clamav

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// infectedForms are messages that carry EICAR, each in another way, with bare
// LF at the ends of lines.
func infectedForms(t testing.TB) map[string]string {
	t.Helper()
	eicar := harness.EICAR()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("eicar.com")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, eicar)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const from = "From: a@example.com\nSubject: x\n"
	inBase64 := part("base64", wrapped([]byte(eicar)))
	nested := func(encoding, inner string) string {
		return from + "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\n" +
			"Content-Type: message/rfc822\nContent-Transfer-Encoding: " + encoding + "\n\n" + inner + "\n--outer--\n"
	}
	return map[string]string{
		"plain":                 from + "\n" + eicar + "\n",
		"plain, no header":      "\n" + eicar + "\n",
		"base64":                from + inBase64,
		"base64 body":           from + "MIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n" + wrapped([]byte(eicar)),
		"quoted-printable":      from + part("quoted-printable", quoted(eicar)),
		"7bit":                  from + part("7bit", eicar),
		"8bit":                  from + part("8bit", eicar),
		"binary":                from + part("binary", eicar),
		"unknown encoding":      from + part("x-rot26", eicar),
		"zip":                   from + part("base64", wrapped(archive.Bytes())),
		"nested":                nested("7bit", from+inBase64),
		"nested in base64":      nested("base64", wrapped([]byte(from+inBase64))),
		"nested, odd":           nested("7bit", "Foo: bar\n"+from+inBase64),
		"odd first field":       "Foo: bar\n" + from + inBase64,
		"odd fields only":       "Foo: bar\nBar: foo\n" + strings.TrimPrefix(inBase64, "MIME-Version: 1.0\n"),
		"a part's fields first": strings.TrimPrefix(inBase64, "MIME-Version: 1.0\n"),
		"long first field":      "X-Long: " + strings.Repeat("x", 5000) + "\n" + inBase64,
		"20,000 fields before":  strings.Repeat("X-Many: x\n", 20_000) + inBase64,
		"from line":             "From a@example.com Mon Jan  1 00:00:00 2024\n" + from + inBase64,
		"zip behind odd fields": "Foo: bar\n" + strings.TrimPrefix(part("base64", wrapped(archive.Bytes())), "MIME-Version: 1.0\n"),
	}
}

// part is the fields and the body of a message with one attachment.
func part(encoding, body string) string {
	return "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=inner\n\n--inner\nContent-Type: text/plain\n\nhello\n--inner\n" +
		"Content-Type: application/octet-stream; name=eicar\nContent-Transfer-Encoding: " + encoding + "\n" +
		"Content-Disposition: attachment; filename=eicar\n\n" + body + "\n--inner--\n"
}

// wrapped is base64 in lines, as RFC 2045 section 6.8 has it.
func wrapped(data []byte) string {
	var b strings.Builder
	for text := base64.StdEncoding.EncodeToString(data); text != ""; {
		n := min(76, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	return b.String()
}

// quoted is quoted-printable with nothing left as it was.
func quoted(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "=%02X", text[i])
		if i%20 == 19 {
			b.WriteString("=\n")
		}
	}
	return b.String()
}
