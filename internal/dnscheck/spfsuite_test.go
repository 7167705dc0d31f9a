package dnscheck

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"gopkg.in/yaml.v3"
)

// The published test suite of RFC 7208 comes with the source of the library we
// check SPF with, where the go command finds it; its licence stands beside it.

// deviations are the cases of the suite that have another result here, by
// design of the library.
var deviations = map[string]string{
	"a-colon-domain":            slash,
	"a-colon-domain-ip4mapped":  slash,
	"mx-colon-domain":           slash,
	"mx-colon-domain-ip4mapped": slash,
	"p-macro-multiple":          "%{p} is always \"unknown\": RFC 7208 §7.3 advises against its use",
}

const slash = "a domain with a slash in it is a permerror: every slash begins a prefix length"

type spfSuite struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, MailFrom string
		Result               oneOrMore
	}
	ZoneData map[string][]yaml.Node
}

// oneOrMore is a text or an array of texts.
type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(o))
	}
	*o = oneOrMore{n.Value}
	return nil
}

func TestPublishedSuite(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "blitiri.com.ar/go/spf").Output()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), "testdata", "rfc7208-tests.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := 0
	seen := make(map[string]bool)
	for d := yaml.NewDecoder(f); ; {
		var suite spfSuite
		if err := d.Decode(&suite); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		cases += len(suite.Tests)
		for name := range suite.Tests {
			seen[name] = true
		}
		t.Run(strings.ReplaceAll(suite.Description, " ", "-"), suite.run)
	}
	// Fewer would be another file, or one that was not understood.
	if cases < 200 {
		t.Errorf("%d cases", cases)
	}
	for name := range deviations {
		if !seen[name] {
			t.Errorf("%s is not in the suite", name)
		}
	}
}

func (s spfSuite) run(t *testing.T) {
	t.Parallel()
	// How long a busy machine takes is not the suite's business.
	r := resolver(t, Config{Try: 10 * time.Second, Total: time.Minute}, lie(t, s.handler(t)))
	for name, c := range s.Tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := r.SPF(t.Context(), netip.MustParseAddr(c.Host), c.Helo, c.MailFrom)
			if (err != nil) != (got.Result == "temperror") || err != nil && !errors.Is(err, ErrTemporary) {
				t.Errorf("%+v with error %v", got, err)
			}
			why, deviates := deviations[name]
			switch right := slices.Contains(c.Result, string(got.Result)); {
			case !right && !deviates:
				t.Errorf("%+v; want %v", got, c.Result)
			case right && deviates:
				t.Errorf("is as published: no deviation any more (%s)", why)
			}
		})
	}
}

// handler serves the suite's zone data. Records of type SPF, which nobody asks
// for any more, count as TXT where a name has no TXT, as the suite wants it;
// "TIMEOUT" is for all types that a name does not have: a server that fails is as good
// a passing fault (RFC 7208 §2.6.6), and nobody has to wait for it.
func (s spfSuite) handler(t *testing.T) func(w dns.ResponseWriter, m *dns.Msg) {
	t.Helper()
	records := make(map[string][]dns.RR)
	silent := make(map[string]bool)
	for name, nodes := range s.ZoneData {
		owner, ok := absolute(name)
		if !ok {
			owner = dns.Fqdn(name)
		}
		records[owner] = nil
		var fromSPF []dns.RR
		hasTXT := false
		for _, n := range nodes {
			if n.Kind == yaml.ScalarNode { // bare TIMEOUT
				silent[owner] = true
				continue
			}
			var values map[string]oneOrMore
			if err := n.Decode(&values); err != nil {
				t.Fatal(name, err)
			}
			for kind, v := range values {
				rr := suiteRecord(t, owner, kind, v)
				switch {
				case kind == "TIMEOUT":
					silent[owner] = true
				case kind == "SPF":
					fromSPF = append(fromSPF, rr)
				case kind == "TXT" && v[0] == "NONE":
					hasTXT = true
				default:
					hasTXT = hasTXT || kind == "TXT"
					records[owner] = append(records[owner], rr)
				}
			}
		}
		if !hasTXT {
			records[owner] = append(records[owner], fromSPF...)
		}
	}
	return func(w dns.ResponseWriter, m *dns.Msg) {
		r := new(dns.Msg).SetReply(m)
		r.RecursionAvailable = true
		name := strings.ToLower(m.Question[0].Name)
		found, known := records[name]
		for _, rr := range found {
			if k := rr.Header().Rrtype; k == m.Question[0].Qtype || k == dns.TypeCNAME {
				r.Answer = append(r.Answer, rr)
			}
		}
		switch {
		case len(r.Answer) == 0 && silent[name]:
			r.Rcode = dns.RcodeServerFailure
		case !known:
			r.Rcode = dns.RcodeNameError
		}
		w.WriteMsg(r)
	}
}

func suiteRecord(t *testing.T, owner, kind string, v oneOrMore) dns.RR {
	t.Helper()
	head := owner + " 300 IN " + kind + " "
	var text string
	switch kind {
	case "TIMEOUT":
		return nil
	case "CNAMELOOP":
		text = owner + " 300 IN CNAME " + owner
	case "SPF", "TXT":
		text = owner + " 300 IN TXT"
		for _, s := range v {
			text += " " + quoted(s)
		}
	case "MX":
		if v[1] == "" {
			v[1] = "."
		}
		text = head + v[0] + " " + dns.Fqdn(v[1])
	case "CNAME", "PTR":
		text = head + dns.Fqdn(v[0])
	default:
		text = head + v[0]
	}
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(text, err)
	}
	return rr
}

// quoted is a character-string of a zone file. The suite writes octets as
// the code points of the same number.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\%03d`, c)
		} else {
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
