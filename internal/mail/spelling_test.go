package mail

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spelled draws a parameter as senders have written it, well and badly: what
// stands before it, its name, and its value.
func spelled(t *rapid.T, name, value string) string {
	from := func(label string, all ...string) string { return rapid.SampledFrom(all).Draw(t, label) }
	comment := from("comment", "", "", "(c)", " (c) ", "(a (b) \\) c)", `("x)`)
	lead := from("before", "; ", ";", ";\n ", ", ", ",", " ", "\n ", "; x=y; ", "; x=y ", "; x=\"a;b\"; ", ";;", " (c); ", "; (c) ", "; "+name+"x=z; ", "; x="+name+"; ")
	word := from("name", name, strings.ToUpper(name), strings.ToUpper(name[:1])+name[1:])
	is := from("equals", "=", " =", "= ", " = ", comment+"=", "="+comment, " = "+comment)
	text := from("value", value, value, `"`+value+`"`, `'`+value+`'`, `"`+value, `"`+value+`"`+comment, value+" "+comment, value+comment, value+" x", value+", x=y", value+"; x=y",
		`"`+value+`" x=y`, `"`+value+`";`)
	return lead + word + is + text
}

// However a parameter is spelled, the file's name is among those of its part.
func TestSpellingsOfNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const name = "invoice.exe"
		fields := []string{"Content-Type: a/b", "Content-Disposition: attachment"}
		i := rapid.IntRange(0, 1).Draw(t, "field")
		fields[i] += spelled(t, rapid.SampledFrom([]string{"name", "filename"}).Draw(t, "which"), name)
		message := "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + strings.Join(fields, "\n") + "\n\nx\n--b--\n"
		l, err := ListParts(nil, strings.NewReader(message), "")
		if err != nil || !slices.Contains(l.Names, name) {
			t.Errorf("%q: %q, %v", fields[i], l.Names, err)
		}
	})
}

// However a boundary is spelled, the parts that it divides are seen.
func TestSpellingsOfBoundaries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		boundary := rapid.SampledFrom([]string{"b", "bb=_c", "----b", "a'b"}).Draw(t, "boundary")
		kind := rapid.SampledFrom([]string{"multipart/mixed", "Multipart/Mixed", "(c) multipart/mixed", "multipart(c)/mixed", "multipart / mixed", "multipart/mixed (c)",
			`multipart\mixed`, "multipart", "\n multipart/mixed"}).Draw(t, "type")
		value := kind + spelled(t, "boundary", boundary)
		message := "Content-Type: " + value + "\n\n--" + boundary + "\nContent-Type: a/b; name=invoice.exe\n\nx\n--" + boundary + "--\n"
		l, err := ListParts(nil, strings.NewReader(message), "")
		if err != nil || !slices.Contains(l.Names, "invoice.exe") {
			t.Errorf("%q: %q, %v", value, l.Names, err)
		}
	})
}

// However base64 is declared, it is decoded.
func TestSpellingsOfEncodings(t *testing.T) {
	const content = "TVo6IHRoaXMgaXMgd2hhdCBhIHByb2dyYW0gYmVnaW5zIHdpdGgsIG9yIHNvbWV0aGluZw==\n"
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"base64", "BASE64", "Base64", `"base64"`, "'base64'", "base-64", "x-base64", "=?utf-8?Q?base64?=", "(c) base64", "base64 (c)", "base64(c)",
			"base64;", "base64; x=y", "base64, x", " base64 "}).Draw(t, "word")
		other := rapid.SampledFrom([]string{"", "", "7bit", "8bit", "binary", "x-what", "quoted-printable"}).Draw(t, "other")
		fields := []string{"Content-Transfer-Encoding:" + rapid.SampledFrom([]string{"", " ", "\n "}).Draw(t, "space") + word}
		if other != "" {
			fields = append(fields, "Content-Transfer-Encoding: "+other)
		}
		if rapid.Bool().Draw(t, "turned") {
			slices.Reverse(fields)
		}
		message := "Content-Type: a/b\n" + strings.Join(fields, "\n") + "\n\n" + content
		if err := ReadParts(nil, strings.NewReader(message), func(p *Part) error {
			b, err := io.ReadAll(p.Body)
			if !bytes.HasPrefix(b, []byte("MZ:")) {
				t.Errorf("%q: %q", fields, b)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}
