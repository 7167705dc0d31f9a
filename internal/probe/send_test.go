package probe

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

func TestMessage(t *testing.T) {
	for kind, want := range map[Kind]string{Plain: "This is a test", GTUBE: gtube(), EICAR: base64.StdEncoding.EncodeToString([]byte(eicar()))} {
		b := Message(kind, "a@example.com", "b@example.org", "id", time.Now())
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil || m.Header.Get("To") != "<b@example.org>" || !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s: %v\n%s", kind, err, b)
		}
		for line := range strings.Lines(string(b)) {
			if !strings.HasSuffix(line, "\r\n") || len(line) > 1000 {
				t.Errorf("%s: line %q", kind, line)
			}
		}
	}
}

// What a server answers at any step is told as it is.
func TestSend(t *testing.T) {
	for _, tt := range []struct {
		refuse, reply string
		want          Answer
	}{
		{"", "", Answer{Step: ".", Code: 250, Text: "2.0.0 Ok: queued as 4Xy1", QueueID: "4Xy1"}},
		{"RCPT", "550 5.7.1 No (ref 4v1kz8m2p0q3)", Answer{Step: "RCPT", Code: 550, Text: "5.7.1 No (ref 4v1kz8m2p0q3)", Ref: "4v1kz8m2p0q3"}},
		{"MAIL", "451-4.7.1 Later\r\n451 4.7.1 please", Answer{Step: "MAIL", Code: 451, Text: "4.7.1 Later 4.7.1 please"}},
		{".", "554 5.7.1 Infected", Answer{Step: ".", Code: 554, Text: "5.7.1 Infected"}},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprint(conn, "220 mx1.example.org ESMTP\r\n")
			in, data := bufio.NewScanner(conn), false
			for in.Scan() {
				word, _, _ := strings.Cut(in.Text(), " ")
				switch {
				case data && word != ".":
				case word == tt.refuse:
					fmt.Fprint(conn, tt.reply+"\r\n")
				case word == "DATA":
					data = true
					fmt.Fprint(conn, "354 go on\r\n")
				case word == ".":
					data = false
					fmt.Fprint(conn, "250 2.0.0 Ok: queued as 4Xy1\r\n")
				default:
					fmt.Fprint(conn, "250 ok\r\n")
				}
			}
		}()
		got, err := Send(t.Context(), l.Addr().String(), "test.example", "a@example.com", "b@example.org", Message(Plain, "a@example.com", "b@example.org", "id", time.Now()))
		if err != nil || got != tt.want || got.Taken() != (tt.refuse == "") {
			t.Errorf("%+v, %v, want %+v", got, err, tt.want)
		}
		l.Close()
	}
}
