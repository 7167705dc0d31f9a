package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// found is what a message's parts are called, and whether one of them is the
// program.
func found(t interface{ Fatal(...any) }, message, program string) (names []string, seen bool) {
	err := ReadParts(nil, strings.NewReader(message), func(p *Part) error {
		names = append(names, p.Names...)
		content, err := io.ReadAll(p.Body)
		seen = seen || bytes.HasPrefix(content, []byte(program))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, seen
}

// However lines of a part's header are disturbed, as lenient programs read over it,
// the name and the content of the part are found.
func TestOddHeads(t *testing.T) {
	const program = "MZ\x90\x00 this is a program"
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"invoice.exe", "x (ref: 7).exe", "a:b.exe"}).Draw(t, "name")
		fields := []string{"Content-Type: application/octet-stream", "Content-Transfer-Encoding: base64", `Content-Disposition: attachment; filename="` + name + `"`}
		fields = rapid.Permutation(fields).Draw(t, "order")
		at := rapid.IntRange(0, len(fields)-1).Draw(t, "at")
		colon := strings.IndexByte(fields[at], ':')
		switch way := rapid.SampledFrom([]string{"comment", "comments", "NUL", "NULs", "indented", "space", "junk", "junk last", "stray", "stray behind", "backslash", "backslashes"}).Draw(t, "way"); way {
		case "comment":
			fields[at] = fields[at][:colon] + "(x)" + fields[at][colon:]
		case "comments":
			fields[at] = "(a (b))" + fields[at][:colon] + " (c \\) d) \t" + fields[at][colon:]
		case "NUL":
			fields[at] = fields[at][:3] + "\x00" + fields[at][3:]
		case "NULs":
			fields[at] = "\x00" + fields[at][:colon] + "\x00\x00" + fields[at][colon:]
		case "indented":
			fields[0] = rapid.SampledFrom([]string{" ", "\t", " \t "}).Draw(t, "space") + fields[0]
		case "space":
			fields[at] = fields[at][:colon] + " \t" + fields[at][colon:]
		case "junk":
			fields = slices.Insert(fields, at, rapid.SampledFrom([]string{"junk", "what is this?", "AAAA", "=", "????"}).Draw(t, "junk"))
		case "junk last":
			fields = append(fields, rapid.SampledFrom([]string{"junk!", "what is this?", "abc", "x-junk", "{}"}).Draw(t, "junk"))
		case "stray", "stray behind":
			i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "Content-D") })
			fields[i] = "Content-Disposition: attachment;"
			line := rapid.SampledFrom([]string{"filename=", "name=", "FileName ="}).Draw(t, "parameter") + `"` + name + `"`
			if way == "stray" {
				fields = append(fields, "X-Attachment-Id: f_1", line, "Content-ID: <f_1>")
			} else {
				fields = append(fields, line)
			}
		case "backslash", "backslashes":
			i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "Content-D") })
			fold := rapid.SampledFrom([]string{`\t`, `\r\n\t`, `\n`, `\r\n `}).Draw(t, "fold")
			fields[i] = "Content-Disposition: attachment;" + fold + `filename="` + name + `"`
			if way == "backslashes" {
				fields[i] += ";" + fold + "size=7"
			}
		}
		part := strings.Join(fields, "\r\n") + "\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(program)) + "\r\n"
		names, seen := found(t, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"+part+"--b--\r\n", program)
		if !slices.Contains(names, name) || !seen {
			t.Fatalf("%q, %v:\n%q", names, seen, part)
		}
	})
}

// What is no header is not read as one.
func TestNoHeads(t *testing.T) {
	for _, part := range []string{
		"name=value\r\nhello\r\n", "filename=report.exe&x=y\r\n", " Note: filename=report.exe\r\n", "\r\nContent-Type(x): a/b; name=report.exe\r\n",
		"Content-Type: text/plain\r\n\r\nfilename=report.exe\r\n", "Content-Type: text/plain\r\n\r\n Content-Type: a/b; name=report.exe\r\n",
	} {
		names, _ := found(t, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"+part+"--b--\r\n", "")
		if len(names) > 0 {
			t.Errorf("%q: %q", part, names)
		}
	}
}

// Of content in base64, a line before a blank one belongs to it where it may.
func TestFirstLineOfContent(t *testing.T) {
	for text, want := range map[string]string{
		"TVqQ\r\n\r\nAAAA\r\n": "MZ\x90\x00\x00\x00", "TVqQ\r\nAAAA\r\n": "MZ\x90\x00\x00\x00", "TVqQ!\r\n\r\nAAAA\r\n": "\x00\x00\x00",
	} {
		_, seen := found(t, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n"+text+"--b--\r\n", want)
		if !seen {
			t.Errorf("%q", text)
		}
	}
}

func TestDivided(t *testing.T) {
	l, err := ListParts(nil, strings.NewReader("Content-Type: message/partial; id=a; number=2; total=2\r\n\r\nx\r\n"), "")
	if err != nil || !slices.Contains(l.Defects, "divided") {
		t.Errorf("%q, %v", l.Defects, err)
	}
}
