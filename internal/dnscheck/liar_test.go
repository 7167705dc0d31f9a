package dnscheck

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// liar is a DNS server in this process that answers as a test wants it to.
type liar struct {
	addr string
	mu   sync.Mutex
	seen map[string]int // questions, by "name TYPE net"
}

// lie starts one. The handler may answer nothing.
func lie(t testing.TB, handler func(w dns.ResponseWriter, m *dns.Msg)) *liar {
	t.Helper()
	l := &liar{seen: make(map[string]int)}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.addr = tcp.Addr().String()
	udp, err := net.ListenPacket("udp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	counting := dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
		network := w.LocalAddr().Network()
		q := question{strings.ToLower(m.Question[0].Name), m.Question[0].Qtype}
		l.mu.Lock()
		l.seen[q.String()+" "+network]++
		l.mu.Unlock()
		handler(w, m)
	})
	for _, s := range []*dns.Server{{Listener: tcp, Handler: counting}, {PacketConn: udp, Handler: counting}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go s.ActivateAndServe()
		<-started
		t.Cleanup(func() { s.Shutdown() })
	}
	return l
}

// asked is how often a question came, given as "name. TYPE udp".
func (l *liar) asked(q string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[q]
}

func (l *liar) total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.seen {
		n += c
	}
	return n
}

// zone answers like a recursive server that knows these records, and nothing
// else; SERVFAIL for names below "servfail.", silence for those below
// "silent.".
func zone(t testing.TB, text string) func(w dns.ResponseWriter, m *dns.Msg) {
	t.Helper()
	var records []dns.RR
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		rr, err := dns.NewRR("$ORIGIN .\n" + line)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rr)
	}
	return func(w dns.ResponseWriter, m *dns.Msg) {
		q := m.Question[0]
		r := new(dns.Msg).SetReply(m)
		r.RecursionAvailable = true
		name := strings.ToLower(q.Name)
		switch {
		case strings.HasSuffix(name, "silent."):
			return
		case strings.HasSuffix(name, "servfail."):
			r.Rcode = dns.RcodeServerFailure
			w.WriteMsg(r)
			return
		}
		known := false
		for range maxChain + 5 {
			next := ""
			for _, rr := range records {
				if !strings.EqualFold(rr.Header().Name, name) {
					continue
				}
				known = true
				if rr.Header().Rrtype == q.Qtype {
					r.Answer = append(r.Answer, rr)
				} else if c, ok := rr.(*dns.CNAME); ok {
					r.Answer = append(r.Answer, rr)
					next = strings.ToLower(c.Target)
				}
			}
			if next == "" {
				break
			}
			name, known = next, false
		}
		if !known {
			r.Rcode = dns.RcodeNameError
		}
		if len(r.Answer) == 0 || r.Answer[len(r.Answer)-1].Header().Rrtype != q.Qtype {
			soa, _ := dns.NewRR(". 60 SOA ns.invalid. hostmaster.invalid. 1 2 3 4 60")
			r.Ns = append(r.Ns, soa)
		}
		if w.LocalAddr().Network() == "udp" {
			r.Truncate(udpSize)
		}
		w.WriteMsg(r)
	}
}

// resolver asks these servers, with little patience.
func resolver(t testing.TB, c Config, servers ...*liar) *Resolver {
	t.Helper()
	for _, l := range servers {
		c.Servers = append(c.Servers, l.addr)
	}
	if c.Try == 0 {
		c.Try = 100 * time.Millisecond
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
