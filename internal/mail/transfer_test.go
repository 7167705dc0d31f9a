package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// What others encode is decoded, however it is read and divided into lines.
func TestTransfer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		var b bytes.Buffer
		encoding := rapid.SampledFrom([]string{"base64", "quoted-printable", "binary"}).Draw(t, "encoding")
		switch encoding {
		case "base64":
			s := base64.StdEncoding.EncodeToString(data)
			for step := rapid.IntRange(1, 80).Draw(t, "length"); len(s) > step; s = s[step:] {
				b.WriteString(s[:step] + "\r\n")
			}
			b.WriteString(s)
		case "quoted-printable":
			w := quotedprintable.NewWriter(&b)
			w.Binary = true
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		default:
			if bytes.Contains(data, []byte("--")) {
				return
			}
			b.Write(data)
		}
		message := fmt.Sprintf("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n--b--\r\n", encoding, b.String())
		for _, read := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r },
			iotest.OneByteReader,
			iotest.DataErrReader,
		} {
			if err := ReadParts(nil, read(strings.NewReader(message)), func(p *Part) error {
				if p.Depth == 0 {
					return nil
				}
				got, err := io.ReadAll(read(p.Body))
				if !bytes.Equal(got, data) {
					t.Errorf("%q, want %q", got, data)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestQuotedInPieces: what is decoded does not depend on how octets come, or on
// how much is asked for at once.
func TestQuotedInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
			"a", "word ", "=3D", "=", "=\r\n", "= \t\r\n", "=\n", "==", "=4", "=ZZ", "\r\n", "=20", " \r\n", "=\r", strings.Repeat("x", 5000), strings.Repeat(" ", 99),
		}), 0, 30).Draw(t, "pieces"), "")
		decode := func(r io.Reader, size int) string {
			q := &quotedReader{r: bufio.NewReaderSize(r, 4096)}
			var out []byte
			p := make([]byte, size)
			for {
				n, err := q.Read(p)
				out = append(out, p[:n]...)
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Fatal(err)
					}
					return string(out)
				}
			}
		}
		want := decode(iotest.OneByteReader(strings.NewReader(text)), 1)
		for _, size := range []int{1, 2, 7, 512, 8192} {
			if got := decode(strings.NewReader(text), size); got != want {
				t.Errorf("%q by %d: %q, want %q", text, size, got, want)
			}
		}
	})
}
