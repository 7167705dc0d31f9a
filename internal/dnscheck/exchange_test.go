package dnscheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Servers that lie, break, or say less than was asked.
func TestExchange(t *testing.T) {
	good := func(m *dns.Msg, addr string) *dns.Msg {
		r := new(dns.Msg).SetReply(m)
		r.RecursionAvailable = true
		rr, _ := dns.NewRR(m.Question[0].Name + " 300 A " + addr)
		r.Answer = append(r.Answer, rr)
		return r
	}
	udp := func(w dns.ResponseWriter) bool { return w.LocalAddr().Network() == "udp" }
	tests := []struct {
		name   string
		handle func(w dns.ResponseWriter, m *dns.Msg)
		want   string // address, or part of the error
	}{
		{"plain", func(w dns.ResponseWriter, m *dns.Msg) { w.WriteMsg(good(m, "192.0.2.1")) }, "[192.0.2.1]"},
		{"SERVFAIL to EDNS", rcodeToEDNS(dns.RcodeServerFailure, good), "[192.0.2.1]"},
		{"NOTIMP to EDNS", rcodeToEDNS(dns.RcodeNotImplemented, good), "[192.0.2.1]"},
		{"case changed", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "192.0.2.1")
			r.Question[0].Name = "X.eXample."
			w.WriteMsg(r)
		}, "[192.0.2.1]"},
		{"wrong id first", func(w dns.ResponseWriter, m *dns.Msg) {
			bad := good(m, "203.0.113.1")
			bad.Id++
			w.WriteMsg(bad)
			if udp(w) {
				w.WriteMsg(good(m, "192.0.2.1"))
			}
		}, "[192.0.2.1]"},
		{"wrong id only", func(w dns.ResponseWriter, m *dns.Msg) {
			bad := good(m, "203.0.113.1")
			bad.Id++
			w.WriteMsg(bad)
		}, "no reply in time"},
		{"wrong name first", func(w dns.ResponseWriter, m *dns.Msg) {
			bad := good(m, "203.0.113.1")
			bad.Question[0].Name = "y.example."
			w.WriteMsg(bad)
			w.WriteMsg(good(m, "192.0.2.1"))
		}, "[192.0.2.1]"},
		{"wrong type", func(w dns.ResponseWriter, m *dns.Msg) {
			bad := good(m, "203.0.113.1")
			bad.Question[0].Qtype = dns.TypeAAAA
			w.WriteMsg(bad)
		}, "no reply in time"},
		{"wrong class", func(w dns.ResponseWriter, m *dns.Msg) {
			bad := good(m, "203.0.113.1")
			bad.Question[0].Qclass = dns.ClassCHAOS
			w.WriteMsg(bad)
		}, "no reply in time"},
		{"a query back", func(w dns.ResponseWriter, m *dns.Msg) {
			bad := good(m, "203.0.113.1")
			bad.Response = false
			w.WriteMsg(bad)
		}, "no reply in time"},
		{"many guesses, the truth over TCP", func(w dns.ResponseWriter, m *dns.Msg) {
			if !udp(w) {
				w.WriteMsg(good(m, "192.0.2.1"))
				return
			}
			for i := range 100 {
				bad := good(m, "203.0.113.1")
				bad.Id += uint16(i) + 1
				w.WriteMsg(bad)
			}
		}, "[192.0.2.1]"},
		{"answer to another name", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "203.0.113.1")
			r.Answer[0].Header().Name = "y.example."
			w.WriteMsg(r)
		}, "[]"},
		{"answer in another class", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "203.0.113.1")
			r.Answer[0].Header().Class = dns.ClassCHAOS
			w.WriteMsg(r)
		}, "[]"},
		{"answer among the additional", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "203.0.113.1")
			r.Answer, r.Extra = nil, r.Answer
			w.WriteMsg(r)
		}, "[]"},
		{"truncated, the rest over TCP", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "192.0.2.1")
			if udp(w) {
				r.Answer, r.Truncated = nil, true
			}
			w.WriteMsg(r)
		}, "[192.0.2.1]"},
		{"cut in a record, the rest over TCP", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "192.0.2.1")
			r.Truncated = udp(w)
			raw, _ := r.Pack()
			if udp(w) {
				raw = raw[:len(raw)-2]
			}
			w.Write(raw)
		}, "[192.0.2.1]"},
		{"truncated over TCP too", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "192.0.2.1")
			r.Truncated = true
			w.WriteMsg(r)
		}, "malformed"},
		{"no TCP behind a truncated reply", func(w dns.ResponseWriter, m *dns.Msg) {
			if !udp(w) {
				w.Close()
				return
			}
			r := good(m, "192.0.2.1")
			r.Truncated = true
			w.WriteMsg(r)
		}, "EOF"},
		{"huge over UDP, unasked", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "192.0.2.1")
			txt := &dns.TXT{Hdr: dns.RR_Header{Name: "y.", Rrtype: dns.TypeTXT, Class: dns.ClassINET}}
			for range 100 {
				txt.Txt = append(txt.Txt, strings.Repeat("x", 100))
			}
			r.Extra = append(r.Extra, txt)
			w.WriteMsg(r)
		}, "[192.0.2.1]"},
		{"garbage", func(w dns.ResponseWriter, m *dns.Msg) {
			raw := make([]byte, 100)
			w.Write(raw)
		}, "no reply in time"},
		{"garbage behind a good header", func(w dns.ResponseWriter, m *dns.Msg) {
			r, _ := good(m, "192.0.2.1").Pack()
			binary.BigEndian.PutUint16(r[6:], 60000)
			w.Write(append(r, 0xc0, 0xff))
		}, "malformed"},
		{"a header alone", func(w dns.ResponseWriter, m *dns.Msg) {
			r, _ := good(m, "192.0.2.1").Pack()
			w.Write(r[:12])
		}, "no reply in time"},
		{"three octets", func(w dns.ResponseWriter, m *dns.Msg) { w.Write([]byte{1, 2, 3}) }, "no reply in time"},
		{"silence", func(w dns.ResponseWriter, m *dns.Msg) {}, "no reply in time"},
		{"SERVFAIL", func(w dns.ResponseWriter, m *dns.Msg) {
			w.WriteMsg(new(dns.Msg).SetRcode(m, dns.RcodeServerFailure))
		}, "SERVFAIL"},
		{"REFUSED without question", func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetRcode(m, dns.RcodeRefused)
			r.Question = nil
			w.WriteMsg(r)
		}, "REFUSED"},
		{"success without question", func(w dns.ResponseWriter, m *dns.Msg) {
			r := good(m, "203.0.113.1")
			r.Question = nil
			w.WriteMsg(r)
		}, "no reply in time"},
		{"does not know EDNS", func(w dns.ResponseWriter, m *dns.Msg) {
			if m.IsEdns0() != nil {
				w.WriteMsg(new(dns.Msg).SetRcodeFormatError(m))
				return
			}
			w.WriteMsg(good(m, "192.0.2.1"))
		}, "[192.0.2.1]"},
		{"knows nothing", func(w dns.ResponseWriter, m *dns.Msg) {
			w.WriteMsg(new(dns.Msg).SetRcodeFormatError(m))
		}, "FORMERR"},
		{"an rcode nobody has heard of", func(w dns.ResponseWriter, m *dns.Msg) {
			w.WriteMsg(new(dns.Msg).SetRcode(m, 14))
		}, "rcode 14"},
		{"referral", func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetReply(m)
			ns, _ := dns.NewRR("example. 300 NS ns.example.")
			r.Ns = append(r.Ns, ns)
			w.WriteMsg(r)
		}, "referral"},
		{"alias to itself", func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetReply(m)
			c, _ := dns.NewRR("x.example. 300 CNAME x.example.")
			r.Answer = append(r.Answer, c)
			w.WriteMsg(r)
		}, "aliases"},
		{"aliases, one for each question", func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetReply(m)
			name := m.Question[0].Name
			if len(name) < 18 {
				c, _ := dns.NewRR(name + " 300 CNAME x" + name)
				r.Answer = append(r.Answer, c)
			} else {
				r = good(m, "192.0.2.1")
			}
			w.WriteMsg(r)
		}, "[192.0.2.1]"},
		{"aliases without end", func(w dns.ResponseWriter, m *dns.Msg) {
			r := new(dns.Msg).SetReply(m)
			c, _ := dns.NewRR(m.Question[0].Name + " 300 CNAME x" + m.Question[0].Name)
			r.Answer = append(r.Answer, c)
			w.WriteMsg(r)
		}, "aliases"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := resolver(t, Config{Try: 60 * time.Millisecond, Total: 2 * time.Second}, lie(t, tt.handle))
			a, err := r.lookup(t.Context(), question{"x.example.", dns.TypeA})
			if err != nil {
				if !errors.Is(err, ErrTemporary) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v; want %s", err, tt.want)
				}
				return
			}
			if got := fmt.Sprint(a.addrs); got != tt.want {
				t.Errorf("%s; want %s", got, tt.want)
			}
		})
	}
}

// What a reply may carry into an answer, whatever octets it has.
func FuzzReply(f *testing.F) {
	q := question{"x.example.", dns.TypeMX}
	seed := func(records ...string) {
		m := new(dns.Msg).SetQuestion(q.name, q.kind)
		m.Id, m.Response = 7, true
		for _, s := range records {
			rr, err := dns.NewRR(s)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		raw, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, q.kind)
	}
	seed("x.example. 300 MX 10 mx.example.", "y.example. 300 MX 10 mx.other.")
	seed("x.example. 300 CNAME y.example.", "y.example. 300 MX 0 .")
	seed("x.example. 300 CNAME x.example.")
	seed(`x.example. 300 TXT "v=spf1 \009\200\"" "-all"`, "x.example. 300 A 192.0.2.1", "x.example. 300 PTR a\\.b.example.")
	f.Fuzz(func(t *testing.T, packet []byte, kind uint16) {
		q := question{q.name, kind}
		m, err := read(packet, 7, q)
		if err != nil {
			return
		}
		trail := newTrail(q)
		if _, err := trail.follow(m); err != nil {
			return
		}
		a := trail.answer
		if n := len(a.addrs) + len(a.mxs) + len(a.texts) + len(a.names); n > len(m.Answer) {
			t.Errorf("%d of %d records", n, len(m.Answer))
		}
		if a.ttl < 0 || a.ttl > maxTTL {
			t.Error(a.ttl)
		}
		for _, mx := range a.mxs {
			if mx.host == "." && !hostless(mx.host) {
				t.Error("the root can be a host")
			}
		}
		// A name read can be asked for.
		if _, _, err := query(trail.q, true); err != nil {
			t.Error(err)
		}
	})
}

// Names come back as they were sent, octet by octet.
func FuzzAbsolute(f *testing.F) {
	for _, s := range []string{"example.org", "a b.example", `we"ird\.\065.example`, "пример.example", "A.B.", "x\x00y", "_dmarc.example", "..", "[1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, ok := absolute(s)
		if !ok {
			return
		}
		q := question{name, dns.TypeA}
		_, packet, err := query(q, true)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		var m dns.Msg
		if err := m.Unpack(packet); err != nil {
			t.Fatal(err)
		}
		if m.Question[0].Name != name {
			t.Errorf("%q came back as %q", name, m.Question[0].Name)
		}
		if strings.ToLower(name) != name || !strings.HasSuffix(name, ".") {
			t.Errorf("%q", name)
		}
	})
}

// rcodeToEDNS answers a question with EDNS by an rcode, and others.
func rcodeToEDNS(rcode int, good func(*dns.Msg, string) *dns.Msg) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, m *dns.Msg) {
		if m.IsEdns0() != nil {
			w.WriteMsg(new(dns.Msg).SetRcode(m, rcode))
			return
		}
		w.WriteMsg(good(m, "192.0.2.1"))
	}
}
