package mail

import (
	"bytes"
	"encoding/base64"
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
