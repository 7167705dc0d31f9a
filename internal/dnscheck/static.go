package dnscheck

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// What a name of NewStatic can have instead of records.
const (
	StaticTimeout  = "timeout"  // no server answers
	StaticServfail = "servfail" // the servers cannot tell
)

// NewStatic makes a resolver that asks nobody: it knows the records given, and
// that there are no others. A key is a name and a type, "example.com MX"; its
// values are records without the name, as in a zone file with all names
// absolute: "10 mx.example.com". A TXT record is its text, without quotes. The
// one value StaticTimeout or StaticServfail is a passing fault; no values are
// a name that has nothing of this type.
//
// Everything else is as with servers, so that what is tried with made-up
// records comes out as it would with these in the DNS.
func NewStatic(records map[string][]string) (*Resolver, error) {
	s := newStaticServer()
	for key, values := range records {
		if err := s.add(key, values); err != nil {
			return nil, fmt.Errorf("dnscheck: %q: %w", key, err)
		}
	}
	r, err := New(Config{Servers: []string{"192.0.2.53"}}) // RFC 5737: nobody has it
	if err != nil {
		return nil, err
	}
	r.servers.ask = s.reply
	return r, nil
}

// CheckStatic tells why NewStatic would not take an entry.
func CheckStatic(key string, values []string) error {
	if err := newStaticServer().add(key, values); err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	return nil
}

func newStaticServer() *static {
	return &static{
		records: make(map[question][]dns.RR),
		faults:  make(map[question]error),
		names:   make(map[string]bool),
	}
}

// static is a server without a network.
type static struct {
	records map[question][]dns.RR
	faults  map[question]error
	names   map[string]bool // that exist
}

func (s *static) add(key string, values []string) error {
	domain, kind, _ := strings.Cut(key, " ")
	name, ok := absolute(domain)
	if !ok {
		return fmt.Errorf("%q is no domain name", domain)
	}
	q := question{name, dns.StringToType[strings.ToUpper(strings.TrimSpace(kind))]}
	switch q.kind {
	case dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypePTR, dns.TypeCNAME:
	default:
		if strings.TrimSpace(kind) == "" {
			return fmt.Errorf("a type is missing, such as in %q; there are A, AAAA, CNAME, MX, PTR, TXT", domain+" MX")
		}
		return fmt.Errorf("type %q is none of A, AAAA, CNAME, MX, PTR, TXT", kind)
	}
	if len(values) == 1 {
		switch values[0] {
		case StaticTimeout:
			s.faults[q] = errTimeout
			return nil
		case StaticServfail:
			s.faults[q] = rcodeError(dns.RcodeServerFailure)
			return nil
		}
	}
	s.names[name] = true
	for _, v := range values {
		rr, err := staticRecord(q, v)
		if err != nil {
			return err
		}
		s.records[q] = append(s.records[q], rr)
	}
	return nil
}

func staticRecord(q question, value string) (dns.RR, error) {
	if q.kind == dns.TypeTXT {
		return &dns.TXT{
			Hdr: dns.RR_Header{Name: q.name, Rrtype: q.kind, Class: dns.ClassINET, Ttl: 300},
			Txt: []string{strings.ReplaceAll(value, `\`, `\\`)},
		}, nil
	}
	if strings.ContainsAny(value, "\n;()\"") {
		return nil, fmt.Errorf("%q is no record", value)
	}
	rr, err := dns.NewRR("$ORIGIN .\n" + q.name + " 300 IN " + dns.TypeToString[q.kind] + " " + value)
	if err != nil {
		return nil, fmt.Errorf("%q is no record of type %s: %w", value, dns.TypeToString[q.kind], err)
	}
	return rr, nil
}

func (s *static) reply(_ context.Context, _ string, q question, _ time.Duration) (*dns.Msg, error) {
	if err := s.faults[q]; err != nil {
		return nil, err
	}
	m := new(dns.Msg).SetQuestion(q.name, q.kind)
	m.Response, m.RecursionAvailable = true, true
	m.Answer = s.records[q]
	if len(m.Answer) == 0 {
		m.Answer = s.records[question{q.name, dns.TypeCNAME}]
	}
	if len(m.Answer) == 0 && !s.exists(q.name) {
		m.Rcode = dns.RcodeNameError
	}
	return m, nil
}

// exists tells whether a name has records, or one below it has (RFC 8020 §2).
func (s *static) exists(name string) bool {
	if s.names[name] {
		return true
	}
	for other := range s.names {
		if dns.IsSubDomain(name, other) {
			return true
		}
	}
	return false
}
