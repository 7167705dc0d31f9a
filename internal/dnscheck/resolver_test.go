package dnscheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// clock is set by hand.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(1e9, c.ns.Load()) }
func (c *clock) pass(d time.Duration) { c.ns.Add(int64(d)) }

func TestTTL(t *testing.T) {
	reply := func(rcode int, answer, authority string) func(w dns.ResponseWriter, m *dns.Msg) {
		return func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetRcode(m, rcode)
			r.RecursionAvailable = true
			for line := range strings.Lines(answer) {
				rr, _ := dns.NewRR(line)
				r.Answer = append(r.Answer, rr)
			}
			if authority != "" {
				rr, _ := dns.NewRR(authority)
				r.Ns = append(r.Ns, rr)
			}
			w.WriteMsg(r)
		}
	}
	soa := func(ttl, minimum int) string { return fmt.Sprintf("example. %d SOA a. b. 1 2 3 4 %d", ttl, minimum) }
	tests := []struct {
		name   string
		handle func(w dns.ResponseWriter, m *dns.Msg)
		want   time.Duration
	}{
		{"as it says", reply(0, "x.example. 120 A 192.0.2.1", ""), 2 * time.Minute},
		{"the least of several", reply(0, "x.example. 120 A 192.0.2.1\nx.example. 60 A 192.0.2.2", ""), time.Minute},
		{"the alias's", reply(0, "x.example. 30 CNAME y.example.\ny.example. 60 A 192.0.2.2", ""), 30 * time.Second},
		{"zero", reply(0, "x.example. 0 A 192.0.2.1", ""), minTTL},
		{"negative in two's complement", reply(0, "x.example. 4000000000 A 192.0.2.1", ""), minTTL},
		{"a month", reply(0, "x.example. 2592000 A 192.0.2.1", ""), maxTTL},
		{"no data, SOA minimum", reply(0, "", soa(3600, 60)), time.Minute},
		{"no data, SOA TTL", reply(0, "", soa(30, 60)), 30 * time.Second},
		{"no data, no SOA", reply(0, "", ""), minTTL},
		{"no data, SOA of another zone", reply(0, "", "other. 60 SOA a. b. 1 2 3 4 60"), minTTL},
		{"no name, SOA minimum", reply(3, "", soa(3600, 60)), time.Minute},
		{"no name, a day", reply(3, "", soa(86400, 86400)), maxNegativeTTL},
		{"no name, no SOA", reply(3, "", ""), minTTL},
		{"failure", reply(2, "", ""), failureTTL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var c clock
			l := lie(t, tt.handle)
			r := resolver(t, Config{Now: c.now, Try: time.Second}, l)
			ask := func() int {
				r.lookup(t.Context(), question{"x.example.", dns.TypeA})
				return l.total()
			}
			once := ask()
			if c.pass(tt.want - 1); ask() != once {
				t.Error("asked again before its time")
			}
			if c.pass(1); ask() != 2*once {
				t.Error("kept beyond its time")
			}
		})
	}
}

// A caller that gives up does not take the answer away from others, nor from
// itself when it comes again.
func TestCallerGivesUp(t *testing.T) {
	release := make(chan struct{})
	handle := zone(t, "x.example. 300 A 192.0.2.1")
	l := lie(t, func(w dns.ResponseWriter, m *dns.Msg) {
		<-release
		handle(w, m)
	})
	r := resolver(t, Config{Try: 10 * time.Second}, l)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q := question{"x.example.", dns.TypeA}
	if _, err := r.lookup(ctx, q); !errors.Is(err, ErrTemporary) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	if a, err := r.lookup(t.Context(), q); err != nil || len(a.addrs) != 1 {
		t.Error(a, err)
	}
	if n := l.total(); n != 1 {
		t.Errorf("%d questions", n)
	}
}

// A server that is silent or away costs the first question, not each.
func TestRotation(t *testing.T) {
	good := lie(t, zone(t, "x.example. 300 A 192.0.2.1\ny.example. 300 A 192.0.2.1\nz.example. 300 A 192.0.2.1"))
	silent := lie(t, func(dns.ResponseWriter, *dns.Msg) {})
	refusing := lie(t, func(w dns.ResponseWriter, m *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(m, dns.RcodeRefused)) })
	var c clock
	r := resolver(t, Config{Now: c.now, Try: 300 * time.Millisecond}, silent, refusing, good)
	ask := func(name string) {
		t.Helper()
		if a, err := r.lookup(t.Context(), question{name, dns.TypeA}); err != nil || len(a.addrs) != 1 {
			t.Fatal(a, err)
		}
	}
	for _, s := range r.Stats().Servers {
		if s.State != "not asked yet" {
			t.Errorf("before the first question: %+v", s)
		}
	}
	ask("x.example.")
	if silent.total() != 1 || refusing.total() != 1 || good.total() != 1 {
		t.Error("not in order")
	}
	ask("y.example.")
	if silent.total() != 1 || refusing.total() != 2 {
		t.Error("the silent one was not passed over")
	}
	if s := r.Stats().Servers; s[0].State != "down" || s[0].Timeouts != 1 || s[0].LastErrorAt == nil ||
		s[1].State != "up" || s[1].LastError != "REFUSED" || s[1].Failures != 2 || s[2].Queries != 2 {
		t.Errorf("%+v", s)
	}
	c.pass(benched)
	ask("z.example.")
	if silent.total() != 2 {
		t.Error("the silent one got no second chance")
	}
}

// Nobody listens: that is known at once.
func TestNobodyThere(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.LocalAddr().String()
	l.Close()
	r := resolver(t, Config{Servers: []string{addr}, Try: time.Hour, Total: time.Hour})
	_, err = r.SenderMX(t.Context(), "u@x.example")
	if !errors.Is(err, ErrTemporary) || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

// No check takes longer than its Total.
func TestStage(t *testing.T) {
	r := resolver(t, Config{Try: time.Hour, Total: 50 * time.Millisecond}, lie(t, zone(t, "")))
	for range 2 { // the second from the memory of failures
		_, err := r.Listed(t.Context(), "x.silent", netip.MustParseAddr("192.0.2.1"))
		if !errors.Is(err, ErrTemporary) || !errors.Is(err, errTimeout) && !strings.Contains(err.Error(), "in time") {
			t.Error(err)
		}
	}
}

// What may stand in resolv.conf: servers are found behind whatever else there is,
// and what cannot be read is no file without servers.
func TestResolvConf(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "resolv.conf")
	const here = "[127.0.0.1:53 [::1]:53] []"
	for text, want := range map[string]string{
		"":                                    here,
		"# nameserver 192.0.2.1\n;nameserver": here,
		"nameserver":                          here,
		"\ufeffnameserver 192.0.2.1\r\n":      "[192.0.2.1:53] []",
		"  nameserver\t192.0.2.1 # ours":      "[192.0.2.1:53] []",
		"nameserver fe80::1%lo\n":             "[[fe80::1%lo]:53] []",
		"options ndots:x attempts:99999999999\noptions\nsearch\nsortlist x/y\nnameserver 192.0.2.1\n": "[192.0.2.1:53] []",
		"search " + strings.Repeat("a.example ", 10_000) + "\nnameserver 192.0.2.1\n":                 "[192.0.2.1:53] []",
		strings.Repeat("nameserver 192.0.2.1\n", 10):                                                  "[192.0.2.1:53] []",
		"nameserver 10.1\nnameserver 192.0.2.1#x\nnameserver ::1\n":                                   "[[::1]:53] [10.1 192.0.2.1#x]",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		addrs, names, err := readResolvConf(file)
		if got := fmt.Sprint(addrs, " ", names); got != want || err != nil {
			t.Errorf("%.60q: %s, %v; want %s", text, got, err, want)
		}
	}
	if err := os.WriteFile(file, make([]byte, mostResolvConf+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, file} {
		if addrs, _, err := readResolvConf(path); err == nil {
			t.Errorf("%s: %v", path, addrs)
		}
	}
}

func TestServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("search example.org\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n")
	tests := []struct {
		given []string
		want  string
	}{
		{[]string{"192.0.2.1"}, "[192.0.2.1:53]"},
		{[]string{"192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"}, "[192.0.2.1:5353 [2001:db8::1]:53 [2001:db8::1]:5353]"},
		{nil, "[192.0.2.53:53 [2001:db8::53]:53]"},
		{[]string{"ns.example.org"}, "error"},
		{[]string{"192.0.2.1:dns"}, "error"},
		{[]string{"192.0.2.1:0"}, "error"},
		{[]string{""}, "error"},
	}
	for _, tt := range tests {
		got, err := Config{Servers: tt.given, ResolvConf: file}.servers()
		if tt.want == "error" {
			if _, fine := ServerAddr(tt.given[0]); err == nil || fine == nil {
				t.Errorf("%q: no error", tt.given)
			}
		} else if fmt.Sprint(got) != tt.want || err != nil {
			t.Errorf("%q: %v, %v", tt.given, got, err)
		}
	}
	write("options edns0\n")
	if got, err := (Config{ResolvConf: file}).servers(); fmt.Sprint(got) != "[127.0.0.1:53 [::1]:53]" || err != nil {
		t.Error(got, err)
	}
	// resolv.conf(5): without the file the server is this host.
	if got, err := (Config{ResolvConf: file + ".absent"}).Addresses(); fmt.Sprint(got) != "[127.0.0.1:53 [::1]:53]" || err != nil {
		t.Error(got, err)
	}
	write("nameserver ns.example.org\nnameserver 192.0.2.53\n")
	if got, err := (Config{ResolvConf: file}).Addresses(); fmt.Sprint(got) != "[192.0.2.53:53]" || err != nil {
		t.Error(got, err)
	}
	if names, err := CheckResolvConf(file); fmt.Sprint(names) != "[ns.example.org]" || err != nil {
		t.Error(names, err)
	}
}
