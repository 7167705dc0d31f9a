package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestComplex(t *testing.T) {
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%d\n\n--%d\n", i, i)
		}
		return b.String() + "Content-Type: a/b; name=x\n\n"
	}
	attached := func(n int) string { return strings.Repeat("Content-Type: message/rfc822\n\n", n) }
	parts := func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n", n)
	}
	encoded := func(n int) string {
		m := "Content-Type: a/b; name=x\n\n"
		for range n {
			m = "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(m, "=", "=3D")
		}
		return m
	}
	field := func(n int) string {
		return "Content-Type: a/b;" + strings.Repeat("\n x=yyyyyyy;", n/11) + "\n name=x\n\n"
	}
	names := func(n int) string {
		var b strings.Builder
		b.WriteString("Content-Type: multipart/mixed; boundary=b\n\n")
		for i := range n {
			fmt.Fprintf(&b, "--b\nContent-Type: a/b; name=%d%s\n\n", i, strings.Repeat("x", 600))
		}
		return b.String()
	}
	variants := func(format string, n int) string {
		var b strings.Builder
		b.WriteString("Content-Type: multipart/mixed; name=x")
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String() + "\n\n"
	}
	for _, tt := range []struct {
		name    string
		message string
		ok      bool
	}{
		{"levels", nested(maxDepth), true},
		{"too many levels", nested(maxDepth + 1), false},
		{"messages within", attached(maxDepth), true},
		{"too many messages within", attached(maxDepth + 1), false},
		{"parts", parts(maxParts - 1), true},
		{"too many parts", parts(maxParts), false},
		{"encoded", encoded(maxEncoded), true},
		{"encoded too often", encoded(maxEncoded + 1), false},
		{"a long field", field(maxField - 100), true},
		{"too long a field", field(2 * maxField), false},
		{"names of a part", variants("; name=%d", maxReadings-1), true},
		{"too many names of a part", variants("; name=%d", maxNames), false},
		{"boundaries", variants("; boundary=%d", maxReadings-1), true},
		{"too many boundaries", variants("; boundary=%d", maxReadings+1), false},
		{"names", names(1000), true},
		{"too many names", names(maxParts - 1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := ListParts(nil, strings.NewReader(tt.message), "")
			switch {
			case tt.ok && err != nil:
				t.Error(err)
			case !tt.ok && !errors.Is(err, ErrComplex):
				t.Errorf("%v, want ErrComplex", err)
			case tt.ok && !strings.HasPrefix(tt.name, "parts") && len(l.Names) == 0 && strings.Contains(tt.message, "name"):
				t.Error("no name")
			}
		})
	}
}

// A failing reader is not the end of a message.
func TestPartsReadError(t *testing.T) {
	broken := errors.New("broken")
	message := crlf("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain", "Content-Transfer-Encoding: quoted-printable", "",
		"a=20b", "--b", "no field", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "QTpiCgp4eHh4eHg=", "--b", "", "begin 644 x", "#0V%T")
	for n := range len(message) {
		for _, read := range []bool{false, true} {
			err := ReadParts(nil, io.MultiReader(strings.NewReader(message[:n]), failing{broken}), func(p *Part) error {
				if !read {
					return nil
				}
				_, err := io.ReadAll(p.Body)
				return err
			})
			if !errors.Is(err, broken) {
				t.Fatalf("after %d octets: %v", n, err)
			}
		}
	}
	if err := ReadParts(nil, strings.NewReader(message), func(*Part) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// hostile are messages, as a beginning and what is repeated after it, that
// are hard on a reader that does not take care.
var hostile = [][2]string{
	{"", "A: b\n"},
	{"", "x"},
	{"\n", "x"},
	{"\n", "\n"},
	{"\n", "\r"},
	{"\n", "\r\n"},
	{"\n", "begin 644 x\n"},
	{"\n", "begin 644 x\n\n"},
	{"Content-Transfer-Encoding: quoted-printable\n\n", "="},
	{"Content-Transfer-Encoding: quoted-printable\n\n", "= "},
	{"Content-Transfer-Encoding: quoted-printable\n\n", "=\n"},
	{"Content-Transfer-Encoding: base64\n\n", "="},
	{"Content-Transfer-Encoding: base64\n\n", "YmVnaW4gNjQ0IHgK"},
	{"no field\n", "no field\n"},
	{"no field\n", "X: y\n"},
	{"Content-Type: multipart/mixed; boundary=b\n\n", "--"},
	{"Content-Type: multipart/mixed; boundary=b\n\n", "--b--\n"},
	{"Content-Type: multipart/mixed; boundary=b\n\n", "--bb\n"},
	{"Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 1000) + "\n\n", "--" + strings.Repeat("b", 999) + "\n"},
	{"Content-Type: multipart/mixed; boundary=b\n\n--b\nno field\n", "x"},
	{"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + strings.Repeat("no field\n", 100), "--\n"},
	{strings.Repeat("Content-Type: message/rfc822\n\n", 90), "no field\n"},
}

// endless reads one of them.
type endless struct {
	rest  []byte
	again []byte
	size  int // left
	every func()
	count int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.size <= 0 {
		return 0, io.EOF
	}
	if len(e.rest) == 0 {
		if e.rest = e.again; e.count%64 == 0 {
			e.every()
		}
		e.count++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	e.size -= n
	return n, nil
}

// TestPartsMemory looks at what is in use while a message is read. In
// quadratic time it would not end.
func TestPartsMemory(t *testing.T) {
	const size, most = 4 << 20, 2 << 20
	for _, h := range hostile {
		var before, now runtime.MemStats
		again := bytes.Repeat([]byte(h[1]), 1+32768/len(h[1]))
		runtime.GC()
		runtime.ReadMemStats(&before)
		r := &endless{rest: []byte(h[0]), again: again, size: size, every: func() {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if now.HeapAlloc > before.HeapAlloc+most {
				t.Errorf("%.20q: %d octets in use", h[1], now.HeapAlloc-before.HeapAlloc)
			}
		}}
		if err := ReadParts(nil, r, func(p *Part) error {
			_, err := io.Copy(io.Discard, p.Body)
			return err
		}); err != nil && !errors.Is(err, ErrComplex) {
			t.Errorf("%.20q: %v", h[1], err)
		}
	}
}

func BenchmarkReadParts(b *testing.B) {
	text := strings.Repeat("A line of text that is as long as lines of a text use to be.\r\n", 16<<10)
	data := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 13<<10)
	message := crlf("Content-Type: multipart/mixed; boundary=b", "", "--b", "", text, "--b", "Content-Type: a/b; name=x", "Content-Transfer-Encoding: base64", "", data, "--b--")
	for name, read := range map[string]bool{"names": false, "contents": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				if err := ReadParts(nil, strings.NewReader(message), func(p *Part) error {
					if !read {
						return nil
					}
					_, err := io.Copy(io.Discard, p.Body)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
