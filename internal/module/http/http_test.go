package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func inspector(t testing.TB, c Settings) *Inspector {
	t.Helper()
	i, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

// serve has handler answer, and returns an inspector that asks it.
func serve(t testing.TB, handler http.HandlerFunc) *Inspector {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return inspector(t, Settings{URL: s.URL + "/inspect?a=b"})
}

// limit bounds what must not hang; it is far from what it takes.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func message(text string) func(context.Context) io.Reader {
	return func(context.Context) io.Reader { return strings.NewReader(text) }
}

// stalled is a message whose rest never comes.
func stalled(ctx context.Context) io.Reader {
	return io.MultiReader(strings.NewReader("Subject: x\r\n"), waiting{ctx})
}

type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

func same(t *testing.T, name string, got, want module.Finding, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	} else if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// freePort is an address on loopback where nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestInspect(t *testing.T) {
	t.Parallel()
	const text = "From: a@example.org\r\n\r\nhello\xff\r\n"
	i := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.String() != "/inspect?a=b" || string(body) != text || err != nil ||
			r.Header.Get("Content-Type") != "message/rfc822" {
			t.Errorf("%s %s %v %q, %v", r.Method, r.URL, r.Header, body, err)
		}
		io.WriteString(w, `{"score": -0.5, "symbols": ["B", "A", "B"]}`)
	})
	f, err := i.inspect(limit(t), &module.Envelope{}, message(text))
	same(t, "verdict", f, module.Finding{Score: -500, Symbols: []string{"A", "B"}}, err)
}

// envelope is e as a service reads it.
func envelope(t *testing.T, e *module.Envelope) http.Header {
	t.Helper()
	told := http.Header{}
	i := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for name, values := range r.Header {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			for _, value := range values {
				text, err := url.PathUnescape(value)
				if err != nil {
					t.Errorf("%s: %q: %v", name, value, err)
				}
				told.Add(strings.TrimPrefix(name, prefix), text)
			}
		}
		io.WriteString(w, `{"score": 0}`)
	})
	if _, err := i.inspect(limit(t), e, message("x")); err != nil {
		t.Fatal(err)
	}
	return told
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	got := envelope(t, &module.Envelope{
		Ref: "4bz1", Gateway: "gate", QueueID: "4XyZ1a2b3c", ClientIP: netip.MustParseAddr("::ffff:192.0.2.7"),
		ClientHost: "unknown", Helo: "a\r\nX-Tollgate-Auth-User: root\r\n\r\n", TLSVersion: "TLSv1.3", AuthUser: "100% ivan",
		Direction: "inbound", Sender: "отправитель@example.com", Recipients: []string{"a+b@example.org", `"b, c"@example.org`}, Subject: "Привет,  \xff\x00",
	})
	want := http.Header{
		"Ref": {"4bz1"}, "Gateway": {"gate"}, "Queue-Id": {"4XyZ1a2b3c"}, "Client-Ip": {"192.0.2.7"}, "Client-Host": {"unknown"},
		"Helo": {"a\r\nX-Tollgate-Auth-User: root\r\n\r\n"}, "Tls-Version": {"TLSv1.3"}, "Auth-User": {"100% ivan"}, "Direction": {"inbound"},
		"Sender": {"отправитель@example.com"}, "Recipients": {"2"}, "Recipient": {"a+b@example.org", `"b, c"@example.org`}, "Subject": {"Привет,  \xff\x00"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text := page(t)
	for name := range want {
		if !strings.Contains(text, "| `"+prefix+name+"` |") {
			t.Errorf("%s%s is not documented", prefix, name)
		}
	}
	got = envelope(t, &module.Envelope{})
	if diff := cmp.Diff(http.Header{"Sender": {""}, "Subject": {""}, "Recipients": {"0"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLongEnvelope(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ё", 100_000)
	recipients := make([]string, 5000)
	for i := range recipients {
		recipients[i] = fmt.Sprintf("%04d@example.org", i)
	}
	e := &module.Envelope{
		Ref: long, Gateway: long, QueueID: long, ClientHost: long, Helo: long, TLSVersion: long, AuthUser: long, Direction: long,
		Sender: long, Recipients: recipients, Subject: long,
	}
	size := 0
	for name, values := range question(e) {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	if size > 32<<10 {
		t.Errorf("a header of %d octets", size)
	}
	got := envelope(t, e)
	if got.Get("Recipients") != "5000" || len(got["Recipient"]) < 300 || got["Recipient"][299] != "0299@example.org" {
		t.Errorf("%s recipients, %d of them", got.Get("Recipients"), len(got["Recipient"]))
	}
	if sender, subject := got.Get("Sender"), got.Get("Subject"); !strings.HasPrefix(long, sender) || len(sender) < 300 ||
		!strings.HasPrefix(long, subject) || len(subject) < 1200 {
		t.Errorf("%d octets of the sender, %d of the subject", len(sender), len(subject))
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a b,c%d+e", 100)
	f.Add("\r\n\x00\x7f\xff", 7)
	f.Add("Привет", 10)
	f.Fuzz(func(t *testing.T, text string, most int) {
		got := escape(text, most)
		back, err := url.PathUnescape(got)
		if err != nil || !strings.HasPrefix(text, back) || len(got) > max(most, 0) {
			t.Errorf("%q to %d is %q, %v", text, most, got, err)
		}
		if most > 3*len(text) && back != text {
			t.Errorf("%q to %d is %q", text, most, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ',' }); i >= 0 {
			t.Errorf("%q", got)
		}
	})
}

func TestPing(t *testing.T) {
	t.Parallel()
	for status, alive := range map[int]bool{200: true, 204: true, 302: true, 401: true, 404: true, 405: true, 501: true, 500: false, 502: false, 503: false} {
		i := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if r.Method != http.MethodOptions || len(body) > 0 || err != nil || r.Header.Get(prefix+"Sender") != "" {
				t.Errorf("%s %v %q, %v", r.Method, r.Header, body, err)
			}
			w.WriteHeader(status)
		})
		if err := i.Ping(limit(t)); (err == nil) != alive {
			t.Errorf("status %d: %v", status, err)
		}
	}
	if err := inspector(t, Settings{URL: "http://" + freePort(t)}).Ping(limit(t)); err == nil {
		t.Error("nobody is there, and it is alive")
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, r *http.Request) { http.Error(w, `{"score": 0}`, http.StatusForbidden) },
		"empty":  func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
		"cut": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, `{"score": 0`)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/inspect", http.StatusTemporaryRedirect)
		},
		"panic": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	} {
		if f, err := serve(t, answer).inspect(limit(t), &module.Envelope{}, message("x")); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	early := serve(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := control.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		io.WriteString(w, `{"score": 0}`)
	})
	if f, err := early.inspect(limit(t), &module.Envelope{}, stalled); !errors.Is(err, webclient.ErrEarly) {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := New(Settings{URL: "127.0.0.1:80"}); err == nil {
		t.Error("an address is taken for a URL")
	}
}
