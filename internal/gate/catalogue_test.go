package gate_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// TestCatalogue sends a message of which every attribute has a value: a rule
// on each, that any value satisfies, must match at the attribute's first
// stage and at every later one.
func TestCatalogue(t *testing.T) {
	anything := map[rules.Kind][]any{
		rules.KindText:   {"."},
		rules.KindIP:     {"0.0.0.0/0", "::/0"},
		rules.KindNumber: {">= 0"},
		rules.KindBool:   {true, false},
		rules.KindDNSBL:  {"list.example"},
	}
	src := rules.Source{Antivirus: true, Modules: []string{"from"}}
	for _, a := range rules.Catalogue() {
		values := anything[a.Kind]
		if a.Kind == rules.KindEnum {
			for _, name := range a.Names {
				values = append(values, name)
			}
		}
		if a.Attr == rules.DKIMDomain {
			values = append(values, false) // nobody signs here
		}
		attr := strings.ReplaceAll(a.Attr.String(), "NAME", "from")
		c := rules.Condition{Attr: attr}
		for _, v := range values {
			c.Values = append(c.Values, rules.Operand{V: v})
		}
		for stage := a.Stage; stage <= rules.Complete; stage++ {
			src.Rules = append(src.Rules, rules.SourceRule{
				Name: strings.ToLower(a.Attr.String()) + "-at-" + stage.String(), Stage: stage.String(),
				Match: []rules.Condition{c}, Weight: 1,
			})
		}
	}
	listed := []string{"127.0.0.2"}
	dns, err := dnscheck.NewStatic(map[string][]string{
		"7.2.0.192.list.example A": listed, "example.com.list.example A": listed, "example.com MX": {"10 mail.example.com"},
		"mail.example.com A": {"192.0.2.7"}, "example.com TXT": {"v=spf1 -all"}, "_dmarc.example.com TXT": {"v=DMARC1; p=reject"},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := module.Finding{Virus: "Eicar", Score: 1000, Symbols: []string{"SYMBOL"}, Action: "reject", Names: []string{"a.zip/b.exe"},
		Text: []string{"t"}, HiddenText: []string{"h"}, URLs: []string{"http://a.example/"}, URLDomains: []string{"a.example"}}
	w := newWorld(t, src, func(p *gate.Policy) { p.DNS, p.Memory = dns, &memory{} },
		withAntivirus(&engine{finding: found}), withModule("from", &engine{finding: found}))
	w.send(sending{
		env:    gate.Envelope{Sender: "a@example.com", Size: 100, TLSVersion: "TLSv1.3", AuthType: "PLAIN", AuthUser: "ivan"},
		to:     []string{"ivan@example.org"},
		header: [][2]string{{"Received", " from x (x [198.51.100.7])\n\tby y; Mon, 23 Nov 2026 10:00:00 +0000"}, {"From", " A <a@example.com>"}, {"Reply-To", " b@example.net"}, {"Subject", " hello"}, {"Subject", " twice"}, {"Date", " Fri, 01 Jan 2100 00:00:00 +0000"}},
		body:   "x\r\n",
	})
	matched := map[string]bool{}
	for _, h := range w.last().Rules {
		matched[h.Name] = true
	}
	for _, r := range src.Rules {
		if !matched[r.Name] {
			t.Errorf("%s: the gate has no value", r.Name)
		}
	}
}

// TestUnknownValues sends a message of which little is known: no rule on what
// is not there may match.
func TestUnknownValues(t *testing.T) {
	var src rules.Source
	for attr, v := range map[string]any{
		"client_ip": "0.0.0.0/0", "client_resolve": "ok", "tls": true, "tls_version": "", "authenticated": true, "auth_user": "",
		"sender_domain": "", "declared_size": ">= 0", "recipient_client": "", "subject": "", "header.X": "", "raw_header.X": "", "header_ip": "0.0.0.0/0",
	} {
		r := rule("on-"+strings.ToLower(attr), "complete", "")
		r.Weight = 1
		r.Match = []rules.Condition{{Attr: attr, Values: []rules.Operand{{V: v}}}}
		src.Rules = append(src.Rules, r)
	}
	w := newWorld(t, src)
	w.send(sending{
		peer: gate.Peer{Local: true}, env: gate.Envelope{Size: -1, AuthUser: "certificate"},
		to: []string{"postmaster"}, header: [][2]string{{"From", " a"}},
	})
	for _, h := range w.last().Rules {
		t.Errorf("%s matched", h.Name)
	}
}
