package nettext_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/nettext"
)

func TestText(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1133}
	op := func(name string, err error) error { return &net.OpError{Op: name, Net: "tcp", Addr: addr, Err: err} }
	for _, tt := range []struct {
		err  error
		want string
	}{
		{op("dial", syscall.ECONNREFUSED), "connection refused at 127.0.0.1:1133"},
		{op("dial", syscall.EHOSTUNREACH), "no route to 127.0.0.1:1133"},
		{op("dial", syscall.ETIMEDOUT), "no connection to 127.0.0.1:1133 in time"},
		{op("dial", fmt.Errorf("x: %w", syscall.EMFILE)), "no connection to 127.0.0.1:1133: too many open files"},
		{op("dial", &net.DNSError{Err: "no such host", Name: "scan.example.org", IsNotFound: true}), "there is no host name scan.example.org"},
		{op("dial", &net.DNSError{Err: "server misbehaving", Name: "scan.example.org"}), "the address of scan.example.org cannot be found: server misbehaving"},
		{&net.DNSError{Err: "i/o timeout", Name: "scan.example.org", IsTimeout: true}, "no answer in time to what the address of scan.example.org is"},
		{op("write", net.ErrClosed), "the connection was closed before there was an answer"},
		{op("write", syscall.EPIPE), "the connection was closed before there was an answer"},
		{op("read", syscall.ECONNRESET), "the connection was closed before there was an answer"},
		{op("read", syscall.ETIMEDOUT), "no answer in time"},
		{op("read", syscall.ENOBUFS), "the connection broke: no buffer space available"},
		{net.ErrClosed, "the connection was closed before there was an answer"},
		{io.EOF, "the connection was closed before there was an answer"},
		{io.ErrUnexpectedEOF, "the answer was cut off"},
		{errors.New("answered HTTP 400"), "answered HTTP 400"},
		{errors.New("HEADER_EOF"), "HEADER_EOF"},
	} {
		for _, outer := range []string{"%w", "rspamd at http://127.0.0.1:1133: %w"} {
			err, want := fmt.Errorf(outer, tt.err), strings.Replace(outer, "%w", tt.want, 1)
			got := nettext.Explain(err)
			if got.Error() != want {
				t.Errorf("%v: %q, want %q", err, got, want)
			}
			if !errors.Is(got, tt.err) {
				t.Errorf("%v is no %v any more", got, tt.err)
			}
		}
	}
	if nettext.Explain(nil) != nil {
		t.Error("nil is an error")
	}
}

// What the libraries say today of services that are not there is understood.
func TestLibraries(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ask := func(addr string, body io.Reader) error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
			t.Fatalf("%s answers", addr)
		}
		return err
	}
	dial := func(network, addr string) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			conn.Close()
			t.Fatalf("%s is there", addr)
		}
		return err
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	long := strings.NewReader(strings.Repeat("x", 8<<20))
	socket := filepath.Join(t.TempDir(), "s")
	for err, want := range map[error]string{
		ask(gone.Addr().String(), nil):                                   "connection refused at " + gone.Addr().String(),
		dial("tcp", gone.Addr().String()):                                "connection refused at " + gone.Addr().String(),
		dial("unix", socket):                                             "there is no socket " + socket,
		ask(serving(t, ""), long):                                        "the connection was closed before there was an answer",
		ask(serving(t, "220 mail.example ESMTP\r\n"), nil):               "no HTTP is spoken there: malformed HTTP status code",
		ask(serving(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), nil): "the answer was cut off",
	} {
		text := nettext.Text(err)
		if !strings.Contains(text, want) || strings.Contains(text, "closed network") {
			t.Errorf("%v: %q, want %q", err, text, want)
		}
	}
}

// serving is the address of a server that says this and closes.
func serving(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if text != "" { // what is not read when it closes would take the text away
				_, _ = http.ReadRequest(bufio.NewReader(conn))
			}
			_, _ = io.WriteString(conn, text)
			conn.Close()
		}
	}()
	return l.Addr().String()
}
