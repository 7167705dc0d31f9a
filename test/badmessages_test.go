package test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// relay stands before a service, and does to single messages what a service may
// do: their header says what.
type relay struct {
	l       net.Listener
	network string
	to      string
	// noise is an answer that says nothing.
	noise string
}

// markers are what messages ask a relay for.
const (
	hangUp = "X-Hang-Up: yes"
	silent = "X-Silent: yes"
	noisy  = "X-Noise: yes"
)

func newRelay(t *testing.T, network, to, noise string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l, network, to, noise}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

func (r *relay) serve(c net.Conn) {
	defer c.Close()
	service, err := net.Dial(r.network, r.to)
	if err != nil {
		return
	}
	defer service.Close()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(c, service)
		_ = c.Close()
	}()
	var seen []byte // of one connection: no message that asks for something is followed by another
	b := make([]byte, 32<<10)
	for {
		n, err := c.Read(b)
		if seen = append(seen, b[:n]...); len(seen) > 2*len(b) {
			seen = seen[len(seen)-len(b):]
		}
		switch {
		case bytes.Contains(seen, []byte(hangUp)):
			return
		case bytes.Contains(seen, []byte(noisy)):
			_, _ = io.WriteString(c, r.noise)
			return
		case bytes.Contains(seen, []byte(silent)):
			_, _ = io.Copy(io.Discard, c) // until the other side gives up
			return
		}
		if n > 0 {
			if _, err := service.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if half, ok := service.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
			<-answered // which the service ends
			return
		}
	}
}

// bad are a hundred messages that no inspector can judge, or that it answers in
// no sensible way.
func bad() [][]byte {
	large := strings.Repeat("A line of text that is not long, and there are many of it.\r\n", 8000)
	garbage := make([]byte, 30_000)
	for i := range garbage {
		garbage[i] = byte(i * i >> 3)
	}
	kinds := []string{
		"Subject: too large\r\n\r\n" + large,
		"Subject: =?x?q?=\r\nContent-Type: multipart/mixed; boundary=\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(garbage[:700]) +
			"\r\n" + strings.ReplaceAll(strings.ToValidUTF8(string(garbage[:600]), "?"), "\x00", "") + "\r\n",
		hangUp + "\r\nSubject: hang up\r\n\r\ntext\r\n",
		noisy + "\r\nSubject: an answer that is none\r\n\r\ntext\r\n",
	}
	var all [][]byte
	for n := range 96 {
		all = append(all, []byte(fmt.Sprintf("From: b@example.com\r\nMessage-ID: <%d@example.com>\r\n", n)+kinds[n%len(kinds)]))
	}
	for range 4 {
		all = append(all, []byte("From: b@example.com\r\n"+silent+"\r\nSubject: silent\r\n\r\ntext\r\n"))
	}
	return all
}

// What an inspector says of a message, or does not say, is that message's fate
// alone: beside a hundred bad ones good ones keep their verdict, with each real
// service, and none is taken for away.
func TestBadMessages(t *testing.T) {
	t.Parallel()
	const common = "[[client]]\nid = \"a\"\naddresses = [\"a@example.org\"]\n\n"
	virus := "From: b@example.com\r\nSubject: virus\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=a.com\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(harness.EICAR())) + "\r\n"
	spam := "From: b@example.com\r\nSubject: spam\r\n\r\n" + harness.GTUBE() + "\r\n"
	module := func(kind, url, match string) string {
		return common + "[[module]]\nname = \"m\"\ntype = \"" + kind + "\"\nurl = \"" + url + "\"\non_error = \"tempfail\"\ntimeout = \"15s\"\n\n" +
			"[[rule]]\nname = \"sure\"\nstage = \"complete\"\nmatch = { " + match + " }\naction = \"reject\"\n"
	}
	for name, tt := range map[string]struct {
		policy func(*testing.T, *gateway) string
		caught string
	}{
		"clamd": {func(t *testing.T, g *gateway) string {
			d, err := g.box.Clamd(harness.ClamdConfig{StreamMaxLength: 100_000})
			if err != nil {
				t.Fatal(err)
			}
			r := newRelay(t, "unix", d.Socket, "INSTREAM: Can't allocate memory ERROR\n")
			return common + "[antivirus]\nclamd = \"tcp:" + r.l.Addr().String() + "\"\ntimeout = \"15s\"\n"
		}, virus},
		"rspamd": {func(t *testing.T, g *gateway) string {
			d, err := g.box.Rspamd(harness.RspamdConfig{More: []string{"options { max_message = 100k; }"}})
			if err != nil {
				t.Fatal(err)
			}
			r := newRelay(t, "tcp", strings.TrimPrefix(d.URL, "http://"), "HTTP/1.1 500 Internal error\r\nContent-Length: 0\r\n\r\n")
			return module("rspamd", "http://"+r.l.Addr().String(), "module.m.action = '^reject$'")
		}, spam},
		"spamd": {func(t *testing.T, g *gateway) string {
			d, err := g.box.Spamd(harness.SpamdConfig{})
			if err != nil {
				t.Fatal(err)
			}
			r := newRelay(t, "tcp", d.Addr, "SPAMD/1.1 76 Bad header line: ERROR\r\n")
			return module("spamassassin", "tcp:"+r.l.Addr().String(), "module.m.action = '^spam$'")
		}, spam},
		"http": {func(t *testing.T, g *gateway) string {
			d, err := g.box.Scanner()
			if err != nil {
				t.Fatal(err)
			}
			address := strings.TrimSuffix(strings.TrimPrefix(d.URL, "http://"), "/judge")
			r := newRelay(t, "tcp", address, "no HTTP\r\n\r\n")
			return module("http", "http://"+r.l.Addr().String()+"/judge", "module.m.symbol = '^SHOUTING$'")
		}, "From: b@example.com\r\nSubject: A SUBJECT OF CAPITAL LETTERS\r\n\r\ntext\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := prepare(t, false)
			g.write(t, "policy/policy.toml", tt.policy(t, g))
			g.start(t, "smtpd_client_connection_count_limit = 0", "smtpd_client_message_rate_limit = 0", "smtpd_hard_error_limit = 10000", "smtpd_junk_command_limit = 10000")
			clean := []byte("From: b@example.com\r\nSubject: clean\r\n\r\ntext\r\n")
			errs := make(chan error, 8)
			var senders, good sync.WaitGroup
			var over atomic.Bool
			all := bad()
			const connections = 4
			for n := range connections {
				senders.Go(func() {
					for i := n; i < len(all); i += connections {
						if err := g.sendAny("a@example.org", all[i]); err != nil {
							errs <- fmt.Errorf("bad message %d: %w", i, err)
							return
						}
					}
				})
			}
			judged := 0
			good.Go(func() {
				for last := false; !last; judged++ {
					last = over.Load()
					err := errors.Join(g.sendEach("a@example.org", 250, [][]byte{clean}), g.sendEach("a@example.org", 550, [][]byte{[]byte(tt.caught)}))
					if err != nil {
						errs <- fmt.Errorf("good message %d: %w", judged, err)
						return
					}
				}
			})
			senders.Wait()
			over.Store(true)
			good.Wait()
			close(errs)
			for err := range errs {
				t.Error(err)
			}
			o, err := g.gate.Command(t.Context(), "status", "--json")
			if err != nil {
				t.Fatal(err)
			}
			var status struct {
				Inspectors []struct {
					State, Breaker, LastError string
					Failed                    int64
				} `json:"inspectors"`
			}
			if err := json.Unmarshal([]byte(o.Stdout), &status); err != nil || len(status.Inspectors) != 1 {
				t.Fatalf("%v: %s", err, o.Stdout)
			}
			if s := status.Inspectors[0]; s.State == "away" || s.Breaker != "closed" || s.Failed < 48 {
				t.Errorf("%+v", s)
			}
			t.Logf("%d times a clean and a caught message beside %d bad ones: %+v", judged, len(all), status.Inspectors[0])
		})
	}
}

// sendAny sends a message that may be answered in any way, but answered it is.
func (g *gateway) sendAny(to string, message []byte) error {
	c, err := harness.Dial(g.postfix.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	err = errors.Join(expect(220)(c.Reply()), expect(250)(c.Cmd("EHLO b")), expect(250)(c.Cmd("MAIL FROM:<b@example.com>")), expect(250)(c.Cmd("RCPT TO:<"+to+">")))
	if err != nil {
		return err
	}
	_, err = c.Data(message)
	return err
}
