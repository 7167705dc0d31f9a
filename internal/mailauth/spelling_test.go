package mailauth_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/mailauth"
)

// pen writes signatures in the spellings that RFC 6376 §3.5 allows.
type pen struct {
	private ed25519.PrivateKey
	record  string // of the key
}

func newPen(t *testing.T) *pen {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &pen{private, base64.StdEncoding.EncodeToString(public)}
}

// tag is one of a signature, its value with the white space that it may have.
type tag struct{ name, value string }

// relaxed is a field in that canonicalisation (RFC 6376 §3.4.2), or as it is.
func canonical(field string, relaxed bool) string {
	if !relaxed {
		return field
	}
	name, value, _ := strings.Cut(field, ":")
	value = strings.Join(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + value + "\r\n"
}

// sign signs fields and a body, of which nothing is to be normalised. The field
// name of the signature has the tags with the space of each that white draws.
func (p *pen) sign(header []string, names []string, body string, relaxed bool, tags []tag, white func() string) string {
	sum := sha256.Sum256([]byte(body))
	var signed strings.Builder
	left := slices.Clone(header)
	for _, name := range names {
		for i, field := range slices.Backward(left) {
			if n, _, _ := strings.Cut(field, ":"); strings.EqualFold(strings.TrimRight(n, " \t"), name) {
				signed.WriteString(canonical(field, relaxed))
				left = slices.Delete(left, i, i+1)
				break
			}
		}
	}
	var before, after strings.Builder // the value of b=
	out := &before
	for i, t := range tags {
		if i > 0 {
			out.WriteString(";")
		}
		out.WriteString(white() + t.name + white() + "=")
		switch t.name {
		case "b":
			out = &after
		case "bh":
			out.WriteString(white() + spaced(base64.StdEncoding.EncodeToString(sum[:]), white) + white())
		case "h":
			for i, name := range names {
				if i > 0 {
					out.WriteString(white() + ":" + white())
				}
				out.WriteString(name)
			}
		default:
			out.WriteString(white() + t.value + white())
		}
	}
	const name = "DKIM-Signature:"
	field := strings.TrimRight(canonical(name+before.String()+after.String()+"\r\n", relaxed), "\r\n")
	if !relaxed {
		field = name + before.String() + after.String()
	}
	signed.WriteString(field)
	hash := sha256.Sum256([]byte(signed.String()))
	b := white() + spaced(base64.StdEncoding.EncodeToString(ed25519.Sign(p.private, hash[:])), white) + white()
	return name + before.String() + b + after.String() + "\r\n" + strings.Join(header, "") + "\r\n" + body
}

// spaced is a text with white space in some places.
func spaced(text string, white func() string) string {
	var b strings.Builder
	for piece := range slices.Chunk([]byte(text), 17) {
		b.WriteString(white())
		b.Write(piece)
	}
	return b.String()
}

// However a signature and its key are spelled that the RFC allows, it passes; with
// one letter of what was signed changed it does not.
func TestSignaturesSpelled(t *testing.T) {
	p := newPen(t)
	rapid.Check(t, func(t *rapid.T) {
		from := func(label string, all ...string) string { return rapid.SampledFrom(all).Draw(t, label) }
		white := func() string { return from("white", "", "", "", " ", "\t", "\r\n ", " \r\n\t", "  ") }
		header := []string{"From: Anna <anna@mail.example.com>\r\n", from("to", "To: a@example.org\r\n", "TO:a@example.org \r\n", "to \t: a@example.org\r\n", "To:\r\n a@example.org,\r\n\tb@example.org\r\n"), "Subject: hello\r\n"}
		names := []string{from("h", "From", "from", "FROM"), from("second", "To", "to", "X-None", "From", "Subject")}
		relaxed := rapid.Bool().Draw(t, "relaxed")
		c := from("simple", "simple", "simple/simple", "")
		if relaxed {
			c = from("relaxing", "relaxed", "relaxed/simple")
		}
		tags := []tag{{"v", "1"}, {"a", "ed25519-sha256"}, {"d", from("d", "example.com", "Example.COM")}, {"s", from("s", "s", "S")}, {"h", ""}, {"bh", ""}, {"b", ""}}
		if c != "" {
			tags = append(tags, tag{"c", c})
		}
		for _, more := range [][]string{{"q", "dns/txt", "dns/txt:x", "other : dns/txt"}, {"t", "1", "1700000000"}, {"x", "9999999999", "999999999999"}, {"z", "From:a|To:c=20d", ""}, {"x-note", "", "a=b"}, {"_", "1"}} {
			if rapid.Bool().Draw(t, more[0]) {
				tags = append(tags, tag{more[0], from(more[0]+"=", more[1:]...)})
			}
		}
		tags = rapid.Permutation(tags).Draw(t, "order")
		key := from("key", "v=DKIM1; k=ed25519; p=%s", "v=DKIM1;k=ed25519;p=%s;", "k = ed25519 ;p = %s ; n=a=20note", "v=DKIM1; t=y; k=ed25519; h=sha256; s=email; p=%s", "v=DKIM1; h=sha1 : sha256 : x; s=x:*; k=ed25519; g=*; t=y:x; p=%s",
			"k=ed25519; s = tlsrpt : email; p=%s; x=1")
		z := zone{"s._domainkey.example.com": {fmt.Sprintf(key, p.record)}}
		body := from("body", "", "\r\n", "text\r\n", "text \r\n\r\n text\r\n")
		if body == "\r\n" || body == "" {
			body = "\r\n" // simple has one line end there
		}
		text := p.sign(header, names, body, relaxed, tags, white)
		got, err := mailauth.VerifyDKIM(t.Context(), nil, strings.NewReader(text), z.lookup)
		if err != nil || len(got) != 1 || got[0].Result != "pass" || got[0].Domain != "example.com" {
			t.Fatalf("%q\n%q: %+v %v", text, z, got, err)
		}
		at := bytes.Index([]byte(text), []byte("anna@"))
		got, err = mailauth.VerifyDKIM(t.Context(), nil, strings.NewReader(text[:at]+"hanna@"+text[at+5:]), z.lookup)
		if err != nil || len(got) != 1 || got[0].Result != "fail" {
			t.Fatalf("changed: %q: %+v %v", text, got, err)
		}
	})
}

// A From field that was signed and is called so only by a reader that drops white
// space of its own vouches for no other.
func TestSignedFromInDisguise(t *testing.T) {
	p := newPen(t)
	z := zone{"s._domainkey.example.com": {"k=ed25519; p=" + p.record}}
	tags := []tag{{"v", "1"}, {"a", "ed25519-sha256"}, {"c", "relaxed/simple"}, {"d", "example.com"}, {"s", "s"}, {"h", ""}, {"bh", ""}, {"b", ""}}
	signed := p.sign([]string{"From: anna@example.com\r\n"}, []string{"from"}, "text\r\n", true, tags, func() string { return "" })
	if got, err := mailauth.VerifyDKIM(t.Context(), nil, strings.NewReader(signed), z.lookup); err != nil || mailauth.Best(got) != "pass" {
		t.Fatal(got, err)
	}
	for _, white := range []string{"", " ", "\t", "\v", "\f", "\r", "\r\n ", "\r\n\t\v", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u205f", "\u3000", " \v ", strings.Repeat("\v", 40), strings.Repeat(" \v\u2003", 2000)} {
		for _, name := range []string{"From" + white, white + "From", white + "fROM" + white} {
			for _, text := range []string{"From: chief@example.com\r\n" + strings.Replace(signed, "From:", name+":", 1), strings.Replace(signed, "From:", name+":", 1) + "", name + ": anna@example.com\r\n" + strings.Replace(signed, "From: anna", "From: chief", 1)} {
				if !strings.Contains(text, "chief") {
					continue
				}
				if got, err := mailauth.VerifyDKIM(t.Context(), nil, strings.NewReader(text), z.lookup); err != nil || mailauth.Best(got) == "pass" {
					t.Errorf("%q: %+v %v", name, got, err)
				}
			}
		}
	}
}
