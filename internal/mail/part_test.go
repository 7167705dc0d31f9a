package mail

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// crlf joins lines.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

// outline is each part in one line: depth, type, names, and what is in it.
func outline(t *testing.T, message string) []string {
	t.Helper()
	var list []string
	err := ReadParts(nil, strings.NewReader(message), func(p *Part) error {
		b, err := io.ReadAll(p.Body)
		list = append(list, fmt.Sprintf("%d %s %q %q", p.Depth, p.Type, p.Names, b))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	// Whether a part is read must not matter for the others.
	n := 0
	if err := ReadParts(nil, strings.NewReader(message), func(p *Part) error {
		if n >= len(list) || !strings.HasPrefix(list[n], fmt.Sprintf("%d %s %q ", p.Depth, p.Type, p.Names)) {
			t.Errorf("unread, part %d is %s %q", n, p.Type, p.Names)
		}
		n++
		return nil
	}); err != nil || n != len(list) {
		t.Errorf("unread: %d parts of %d, %v", n, len(list), err)
	}
	return list
}

func TestReadParts(t *testing.T) {
	const mixed = `Content-Type: multipart/mixed; boundary=b`
	long := strings.Repeat("word ", 8<<10) // in pieces
	for _, tt := range []struct {
		name    string
		message string
		want    []string
	}{
		{"no fields", crlf("", "text"), []string{`0 text/plain [] "text\r\n"`}},
		{"empty", "", []string{`0 text/plain [] ""`}},
		{"no MIME", crlf("Subject: x", "", "text"), []string{`0 text/plain [] "text\r\n"`}},
		{"two parts", crlf(mixed, "", "preamble", "--b", "", "one", "--b", "Content-Type: TEXT/html; name=a.html", "", "two", "--b--", "epilogue"),
			[]string{`0 multipart/mixed [] ""`, `1 text/plain [] "one"`, `1 text/html ["a.html"] "two"`}},
		{"no end, LF", strings.ReplaceAll(crlf(mixed, "", "--b", "", "one", "--b", "Content-Type: a/b; name=x", "", "two"), "\r", ""),
			[]string{`0 multipart/mixed [] ""`, `1 text/plain [] "one"`, `1 a/b ["x"] "two\n"`}},
		{"CR alone", strings.ReplaceAll(crlf(mixed, "", "--b", "", "one", "--b", "Content-Type: a/b; name=x", "", "two", "--b--"), "\n", ""),
			[]string{`0 multipart/mixed [] ""`, `1 text/plain [] "one"`, `1 a/b ["x"] "two"`}},
		{"no blank line before the first part", crlf(mixed, "--b", "Content-Type: a/b; name=x", "", "two", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 a/b ["x"] "two"`}},
		{"no blank line after the header", crlf(mixed, "", "--b", "Content-Type: a/b; name=x", "two words", "more", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 a/b ["x"] "two words\r\nmore"`}},
		{"header alone", crlf(mixed, "", "--b", "Content-Type: a/b; name=x", "--b", "Content-Type: a/b; name=y", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 a/b ["x"] ""`, `1 a/b ["y"] ""`}},
		{"a line that is no field", crlf(mixed, "", "--b", "Content-Type: a/b", "no field", "Content-Disposition: attachment; filename=x.exe", "", "two", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 a/b ["x.exe"] "two"`}},
		{"nested", crlf(mixed, "", "--b", "Content-Type: multipart/alternative; boundary=bb", "", "--bb", "", "one", "--bb--", "--b", "Content-Type: a/b; name=x", "", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 multipart/alternative [] ""`, `2 text/plain [] "one"`, `1 a/b ["x"] ""`}},
		{"nested, the inner is a prefix of the outer", crlf("Content-Type: multipart/mixed; boundary=bb", "", "--bb", "Content-Type: multipart/alternative; boundary=b", "", "--b", "", "one", "--b--", "--bb", "Content-Type: a/b; name=x", "", "--bb--"),
			[]string{`0 multipart/mixed [] ""`, `1 multipart/alternative [] ""`, `2 text/plain [] "one"`, `1 a/b ["x"] ""`}},
		{"nested, no inner end", crlf(mixed, "", "--b", "Content-Type: multipart/alternative; boundary=c", "", "--c", "", "one", "--b", "Content-Type: a/b; name=x", "", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 multipart/alternative [] ""`, `2 text/plain [] "one"`, `1 a/b ["x"] ""`}},
		{"a part after the end", crlf(mixed, "", "--b", "", "one", "--b--", "--b", "Content-Type: a/b; name=x", "", "two"),
			[]string{`0 multipart/mixed [] ""`, `1 text/plain [] "one"`, `1 a/b ["x"] "two\r\n"`}},
		{"two boundaries", crlf("Content-Type: multipart/mixed; boundary=a; boundary=b", "", "--a", "Content-Type: a/a; name=a", "", "--b", "Content-Type: b/b; name=b", "", "--a--"),
			[]string{`0 multipart/mixed [] ""`, `1 a/a ["a"] ""`, `1 b/b ["b"] ""`}},
		{"white space after a delimiter", crlf(mixed, "", "--b \t", "Content-Type: a/b; name=x", "", "two", "--b-- "),
			[]string{`0 multipart/mixed [] ""`, `1 a/b ["x"] "two"`}},
		{"digest", crlf("Content-Type: multipart/digest; boundary=b", "", "--b", "", "Content-Type: a/b; name=x", "", "two", "--b--"),
			[]string{`0 multipart/digest [] ""`, `1 message/rfc822 [] ""`, `2 a/b ["x"] "two"`}},
		{"a message", crlf(mixed, "", "--b", "Content-Type: message/rfc822; name=m.eml", "", mixed+"b", "", "--bb", "Content-Type: a/b; name=x", "", "two", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 message/rfc822 ["m.eml"] ""`, `2 multipart/mixed [] ""`, `3 a/b ["x"] "two"`}},
		{"a message in base64", crlf(mixed, "", "--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "Q29udGVudC1UeXBlOiBhL2I7IG5hbWU9eA0KDQp0d28=", "--b", "", "three", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 message/rfc822 [] ""`, `2 a/b ["x"] "two"`, `1 text/plain [] "three"`}},
		{"a short message in base64", crlf(mixed, "", "--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "", "Q29udGVudC1UeXBlOiBhL2I7", "IG5hbWU9eA0KDQp0d28=", "--b", "Content-Type: a/b; name=y", "", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 message/rfc822 [] ""`, `2 a/b ["x"] "two"`, `1 a/b ["y"] ""`}},
		{"a message in quoted-printable", crlf(mixed, "", "--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: quoted-printable", "", "Content-Type: a/b; name=3D=", "x", "", "two", "--b", "", "three", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 message/rfc822 [] ""`, `2 a/b ["x"] "two"`, `1 text/plain [] "three"`}},
		{"a message said to be in quoted-printable", crlf(mixed, "", "--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: quoted-printable", "", "Content-Type: multipart/mixed; boundary=abc", "", "--abc", "Content-Type: a/b; name=x", "", "two", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 message/rfc822 [] ""`, `2 multipart/mixed [] ""`, `3 a/b ["x"] "two"`}},
		{"a multipart in base64", crlf(mixed, "Content-Transfer-Encoding: base64", "", "LS1iDQpDb250ZW50LVR5cGU6IGEvYjsgbmFtZT14DQoNCnR3bw0KLS1i", "LS0NCg=="),
			[]string{`0 multipart/mixed [] ""`, `1 a/b ["x"] "two"`}},
		{"a message said to be in base64", crlf(mixed, "", "--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "Content-Type: a/b; name=x", "", "two", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 message/rfc822 [] ""`, `2 a/b ["x"] "two"`}},
		{"an external body", crlf("Content-Type: message/external-body; access-type=URL; name=x.exe", "", "Content-Type: a/b; name=y", "", "phantom"),
			[]string{`0 message/external-body ["x.exe"] ""`, `1 a/b ["y"] "phantom\r\n"`}},
		{"base64 with junk", crlf("Content-Type: a/b", "Content-Transfer-Encoding: BASE64", "", "!dHd", "v=", "IG1vcmU"),
			[]string{`0 a/b [] "two more"`}},
		{"quoted-printable", crlf("Content-Type: a/b", "Content-Transfer-Encoding: quoted-printable", "", "=D0=B4=d0=b0 = =", "a=3", "=3D=  "),
			[]string{`0 a/b [] "да = a=3\r\n="`}},
		{"uuencode", crlf("", "text", "begin 644 x y.exe", "#0V%T", "`", "end", "more", "begin-base64 644 z", "dHdv", "====", "end"),
			[]string{`0 text/plain [] "text\r\n"`, `1 application/octet-stream ["x y.exe"] "Cat"`, `1 text/plain [] "more\r\n"`, `1 application/octet-stream ["z"] "two"`, `1 text/plain [] "end\r\n"`}},
		{"a text in uuencode", crlf("Content-Type: text/html", "Content-Transfer-Encoding: x-uuencode", "", "begin 644 x", "#0V%T", "`", "end"),
			[]string{`0 text/html [] ""`, `1 text/html ["x"] "Cat"`}},
		{"a text said to be in uuencode", crlf("Content-Transfer-Encoding: x-uuencode", "", "text"),
			[]string{`0 text/plain [] "text\r\n"`}},
		{"a text in yEnc", crlf("Content-Type: text/html", "Content-Transfer-Encoding: x-yencode", "", "=ybegin line=128 size=4 name=x", "=ypart begin=1 end=4", "m\x8b=\xde", "=}", "=yend size=4", "more"),
			[]string{`0 text/html [] ""`, `1 text/html ["x"] "Cat\x13"`, `1 text/html [] "more\r\n"`}},
		{"a text in another encoding than uuencode", crlf("Content-Transfer-Encoding: x-uuencode", "Content-Transfer-Encoding: quoted-printable", "", "=63asino"),
			[]string{`0 text/plain [] "casino\r\n"`}},
		{"an unknown encoding", crlf("Content-Transfer-Encoding: x-rot13", "", "text"),
			[]string{`0 text/plain [] "text\r\n"`}},
		{"uuencode without end", crlf(mixed, "", "--b", "", "begin 644 x", "#0V%T", "a text that follows", "--b", "Content-Type: a/b; name=y", "", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 text/plain [] ""`, `2 application/octet-stream ["x"] "Cat"`, `2 text/plain [] "a text that follows"`, `1 a/b ["y"] ""`}},
		{"yenc", crlf("", "text", "=ybegin line=128 size=4 name=x y.exe", "m=\x9e", "=yend size=4", "more", "=ybegin part=1 line=128 size=3 name=z", "what people read"),
			[]string{`0 text/plain [] "text\r\n=ybegin line=128 size=4 name=x y.exe\r\nm=\x9e\r\n=yend size=4\r\nmore\r\n=ybegin part=1 line=128 size=3 name=z\r\nwhat people read\r\n"`,
				`1 application/octet-stream ["x y.exe"] ""`, `1 application/octet-stream ["z"] ""`}},
		{"uuencode in base64", crlf("Content-Transfer-Encoding: base64", "", "YmVnaW4gNjQ0IHgNCiMwViVUDQpgDQplbmQNCg=="),
			[]string{`0 text/plain [] ""`, `1 application/octet-stream ["x"] "Cat"`}},
		{"base64 without end", crlf("", "begin-base64 644 x", "dHdv", "what people read"),
			[]string{`0 text/plain [] ""`, `1 application/octet-stream ["x"] "two"`, `1 text/plain [] "what people read\r\n"`}},
		{"a long line behind", crlf("", "begin 644 x", long, "more"),
			[]string{`0 text/plain [] ""`, `1 application/octet-stream ["x"] ""`, fmt.Sprintf("1 text/plain [] %q", crlf(long, "more"))}},
		{"a long line behind base64", crlf("", "begin-base64 644 x", strings.Repeat("x", 40<<10)+" word"),
			[]string{`0 text/plain [] ""`, `1 application/octet-stream ["x"] ""`, fmt.Sprintf("1 text/plain [] %q", strings.Repeat("x", 40<<10)+" word\r\n")}},
		{"no delimiter behind", crlf(mixed, "", "--b", "", "begin 644 x", "--b"+strings.Repeat(" ", 40<<10)+"word", "--b--"),
			[]string{`0 multipart/mixed [] ""`, `1 text/plain [] ""`, `2 application/octet-stream ["x"] ""`, fmt.Sprintf("2 text/plain [] %q", "--b"+strings.Repeat(" ", 40<<10)+"word")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := outline(t, tt.message); !slices.Equal(got, tt.want) {
				t.Errorf("parts\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// What stands behind a file in a text is shown as the text is: of a text that is a
// file itself nobody sees it.
func TestTextBehindFile(t *testing.T) {
	for _, disposition := range []string{"", "inline", "attachment"} {
		var got []string
		message := crlf("Content-Disposition: "+disposition, "", "text", "begin 644 x", "#0V%T", "end", "more")
		if err := ReadParts(nil, strings.NewReader(message), func(p *Part) error {
			got = append(got, p.Disposition)
			return nil
		}); err != nil || !slices.Equal(got, []string{disposition, "attachment", disposition}) {
			t.Errorf("%s: %q, %v", disposition, got, err)
		}
	}
}

func FuzzReadParts(f *testing.F) {
	f.Add([]byte(crlf("Content-Type: multipart/mixed; boundary=b", "", "--b", "no field", "Content-Disposition: x; filename*0*=utf-8''%D0; filename*1=x", "", "--b", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "QTpiCgp4", "--b--")))
	f.Add([]byte(crlf("Content-Type: text/plain; name=\"a\\b\"c", "Content-Transfer-Encoding: quoted-printable", "", "begin 644 x", "=0V%T", "=23=", "0V=", "`", "end")))
	f.Add([]byte("Content-Type: multipart/digest; boundary=b\r\r--b\rfrom\r--b--"))
	f.Add([]byte("Content-Type: multipart/digest; boundary=b\n--b\n--b\n\n--b\nx\n--b--\n--c"))
	f.Fuzz(func(t *testing.T, message []byte) {
		read, octets, parts := 0, 0, 0
		if err := ReadParts(nil, strings.NewReader(string(message)), func(p *Part) error {
			read++
			b, err := io.ReadAll(p.Body)
			octets += len(b)
			for _, name := range p.Names {
				if again, bidi := CleanName(name); again != name || bidi || len(name) > MaxName {
					t.Errorf("%q is cleaned to %q", name, again)
				}
			}
			return err
		}); err != nil {
			t.Skip(err)
		}
		if octets > len(message)+2*read {
			t.Errorf("%d octets decoded of %d", octets, len(message))
		}
		if err := ReadParts(nil, strings.NewReader(string(message)), func(*Part) error { parts++; return nil }); err != nil || parts != read {
			t.Errorf("%d parts when read, %d when not, %v", read, parts, err)
		}
	})
}

// TestEncodedIsRead: whatever programs decode, in whatever spelling, is read: of a text, of a
// file, and of what has parts.
func TestEncodedIsRead(t *testing.T) {
	spellings := map[string][]string{
		"base64": {"base64", "BASE64", "x-base64", "b64"}, "quoted": {"quoted-printable", "Quoted_Printable"},
		"uu": {"uuencode", "x-uuencode", "X-UUE", "uue"}, "yenc": {"x-yencode", "yEnc", "x-yenc"},
	}
	encode := map[string]func(string) string{
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) + "\r\n" },
		"quoted": func(s string) string {
			var b strings.Builder
			for i, c := range []byte(s) {
				fmt.Fprintf(&b, "=%02X", c)
				if i%20 == 19 {
					b.WriteString("=\r\n")
				}
			}
			return b.String() + "=\r\n"
		},
		"uu": func(s string) string {
			var b strings.Builder
			b.WriteString("begin 644 f\r\n")
			for rest := s; rest != ""; {
				line := rest[:min(45, len(rest))]
				rest = rest[len(line):]
				b.WriteByte(byte(' ' + len(line)))
				padded := line + "\x00\x00"
				for i := 0; i < len(line); i += 3 {
					bits := int(padded[i])<<16 | int(padded[i+1])<<8 | int(padded[i+2])
					for shift := 18; shift >= 0; shift -= 6 {
						b.WriteByte(byte(' ' + bits>>shift&63))
					}
				}
				b.WriteString("\r\n")
			}
			return b.String() + "`\r\nend\r\n"
		},
		"yenc": func(s string) string {
			var b strings.Builder
			b.WriteString("=ybegin line=128 size=1 name=f\r\n")
			for i, c := range []byte(s) {
				if c += 42; c == 0 || c == '\r' || c == '\n' || c == '=' || c == '-' {
					b.WriteByte('=')
					c += 64
				}
				b.WriteByte(c)
				if i%40 == 39 {
					b.WriteString("\r\n")
				}
			}
			return b.String() + "\r\n=yend size=1\r\n"
		},
	}
	for kind, names := range spellings {
		for _, name := range names {
			for what, head := range map[string]string{"text": "Content-Type: text/plain\r\n", "file": "Content-Type: a/b\r\n", "message": "Content-Type: message/rfc822\r\n", "multipart": "Content-Type: multipart/mixed; boundary=i\r\n"} {
				const words = "the only body, \xd0\xbf\xd1\x80, all of it is shown to whoever opens this letter"
				body := map[string]string{"text": words, "file": words, "message": "Subject: x\r\n\r\n" + words, "multipart": "--i\r\n\r\n" + words + "\r\n--i--\r\n"}[what]
				message := "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n" + head + "Content-Transfer-Encoding: " + name + "\r\n\r\n" + encode[kind](body) + "--o--\r\n"
				if got := strings.Join(outline(t, message), "\n"); !strings.Contains(got, fmt.Sprintf("%q", words)) {
					t.Errorf("%s, %s:\n%s", name, what, got)
				}
			}
		}
	}
}
