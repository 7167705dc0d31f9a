package test

import (
	"bufio"
	"bytes"
	wire "encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// recorded are the answers of everybody who is asked about the corpus: of DNS by
// name and type, as a file of --answers has them; of the services by what a message
// contains.
type recorded struct {
	dns        map[string][]string
	nameserver string // an address that answers with them
	clamd      string // a scanner that finds what is in base64
	service    string // a URL that finds messages of several parts
}

// record makes up the answers for a corpus, and has servers that give them.
func record(t *testing.T, corpus []*specimen) *recorded {
	t.Helper()
	r := &recorded{dns: map[string][]string{
		"7.2.0.192.bl.test A": {"127.0.0.4"}, "d3.same.test.dbl.test A": {"127.0.0.2"},
		"d0.same.test MX": {"10 mail.d0.same.test"}, "mail.d0.same.test A": {"192.0.2.7"}, "d0.same.test TXT": {"v=spf1 ip4:192.0.2.7 -all"},
		"d1.same.test TXT": {"v=spf1 -all"}, "d2.same.test MX": {"0 ."}, "d3.same.test A": {"192.0.2.8"},
	}}
	for n, m := range corpus {
		h, _ := mail.SplitMessage(m.wire)
		from, _ := h.Get("From")
		if a, err := netmail.ParseAddress(strings.TrimSpace(from)); err == nil && n%2 == 0 {
			_, domain, _ := strings.Cut(a.Address, "@")
			if domain, err = idna.Lookup.ToASCII(domain); err == nil && domain != "" {
				r.dns["_dmarc."+domain+" TXT"] = []string{"v=DMARC1; p=reject"}
			}
		}
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.nameserver = packets.LocalAddr().String()
	server := &dns.Server{PacketConn: packets, Handler: r}
	done := make(chan error, 1)
	go func() { done <- server.ActivateAndServe() }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(), <-done); err != nil {
			t.Error(err)
		}
	})
	scanner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { scanner.Close() })
	r.clamd = scanner.Addr().String()
	go func() {
		for {
			conn, err := scanner.Accept()
			if err != nil {
				return // it was closed
			}
			go scan(conn)
		}
	}()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		text, err := io.ReadAll(q.Body)
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case bytes.Contains(text, []byte("multipart/")):
			fmt.Fprint(w, `{"score": 0.5, "symbols": ["MULTI"], "action": "look"}`)
		default:
			fmt.Fprint(w, `{"score": 0}`)
		}
	}))
	t.Cleanup(service.Close)
	r.service = service.URL
	return r
}

// ServeDNS answers from what is recorded: a name that is not there does not exist.
func (r *recorded) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	name := strings.ToLower(strings.TrimSuffix(q.Question[0].Name, "."))
	kind := dns.TypeToString[q.Question[0].Qtype]
	exists := false
	for key, values := range r.dns {
		known, of, _ := strings.Cut(key, " ")
		exists = exists || dns.IsSubDomain(name+".", strings.ToLower(known)+".")
		if strings.ToLower(known) != name || of != kind {
			continue
		}
		for _, v := range values {
			if kind == "TXT" {
				v = fmt.Sprintf("%q", v)
			} else if v != "0 ." && kind != "A" {
				v += "."
			}
			rr, err := dns.NewRR(q.Question[0].Name + " 300 IN " + kind + " " + v)
			if err != nil {
				panic(err)
			}
			m.Answer = append(m.Answer, rr)
		}
	}
	if !exists {
		m.Rcode = dns.RcodeNameError
	}
	_ = w.WriteMsg(m) // who does not hear it asks again
}

// scan answers one connection as clamd does.
func scan(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	switch line, _ := r.ReadString('\n'); line {
	case "nPING\n":
		fmt.Fprint(conn, "PONG\n")
	case "nINSTREAM\n":
		var text []byte
		for {
			var length uint32
			if wire.Read(r, wire.BigEndian, &length) != nil {
				return
			}
			if length == 0 {
				break
			}
			chunk := make([]byte, length)
			if _, err := io.ReadFull(r, chunk); err != nil {
				return
			}
			text = append(text, chunk...)
		}
		if bytes.Contains(text, []byte("base64")) {
			fmt.Fprint(conn, "stream: Base64.Test FOUND\n")
			return
		}
		fmt.Fprint(conn, "stream: OK\n")
	}
}
