package gate_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

func static(t *testing.T, records map[string][]string) func(*gate.Policy) {
	t.Helper()
	dns, err := dnscheck.NewStatic(records)
	if err != nil {
		t.Fatal(err)
	}
	return func(p *gate.Policy) { p.DNS = dns }
}

// signedMail is a message that example.com signed, as fields and body, and the
// key that it published.
func signedMail(t *testing.T) (header [][2]string, body, key string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	text := "From: Anna <a@example.com>\r\nSubject: hello\r\n\r\ntext\r\n"
	var b strings.Builder
	if err := dkim.Sign(&b, strings.NewReader(text), &dkim.SignOptions{Domain: "example.com", Selector: "s", Signer: private}); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	for _, line := range strings.Split(strings.ReplaceAll(head, "\r\n ", "\n "), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		header = append(header, [2]string{name, value})
	}
	return header, body, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
}

// enumRules has a rule of weight 0.001 for each value of some attributes.
func enumRules(attributes ...string) (src rules.Source) {
	for _, row := range rules.Catalogue() {
		if !slices.Contains(attributes, row.Name) {
			continue
		}
		for _, value := range row.Names {
			src.Rules = append(src.Rules, weighing(row.Name+"-"+value, "complete", 1, row.Name, value))
		}
	}
	return src
}

func TestAuthentication(t *testing.T) {
	header, body, key := signedMail(t)
	good := map[string][]string{
		"s._domainkey.example.com TXT": {key}, "_dmarc.example.com TXT": {"v=DMARC1; p=reject"},
		"example.com TXT": {"v=spf1 ip4:192.0.2.0/24 -all"}, "mail.example.com TXT": {"v=spf1 -all"},
	}
	away := map[string][]string{
		"s._domainkey.example.com TXT": {dnscheck.StaticServfail}, "_dmarc.example.com TXT": {"v=DMARC1; p=none"},
		"example.com TXT": {dnscheck.StaticTimeout},
	}
	unsigned := [][2]string{{"From", " a@example.com"}, {"Subject", " s"}}
	for name, tt := range map[string]struct {
		records map[string][]string
		sender  string
		header  [][2]string
		body    string
		want    []string
		field   string
	}{
		"signed": {
			good, "a@example.com", header, body, []string{"spf-pass", "dkim-pass", "dmarc-pass", "dmarc_policy-reject"},
			"spf=pass smtp.mailfrom=a@example.com; dkim=pass header.d=example.com; dmarc=pass header.from=example.com",
		},
		"changed under way": {
			good, "b@other.example", header, body + "more\r\n", []string{"spf-none", "dkim-fail", "dmarc-fail", "dmarc_policy-reject"},
			`spf=none smtp.mailfrom=b@other.example; dkim=fail reason="body hash did not verify" header.d=example.com; dmarc=fail header.from=example.com`,
		},
		"unsigned": {
			good, "", unsigned, body, []string{"spf-fail", "dkim-none", "dmarc-fail", "dmarc_policy-reject"},
			"spf=fail smtp.helo=mail.example.com; dkim=none; dmarc=fail header.from=example.com",
		},
		"no answers": {
			away, "a@example.com", header, body, []string{"spf-temperror", "dkim-temperror", "dmarc-temperror", "dmarc_policy-none"},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, enumRules("spf", "dkim", "dmarc", "dmarc_policy"), static(t, tt.records))
			o := w.send(sending{helo: "mail.example.com", env: gate.Envelope{Sender: tt.sender, Size: -1}, to: []string{"ivan@example.org"}, header: tt.header, body: tt.body})
			var got []string
			for _, h := range w.last().Rules {
				got = append(got, h.Name)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			var field string
			for _, e := range o.result.Edits {
				if e.Name == "Authentication-Results" {
					field = strings.ReplaceAll(e.Value, "\n", "")
					if e.Kind != gate.InsertField || e.Index != 0 {
						t.Errorf("%+v is not at the top", e)
					}
				}
			}
			if tt.field != "" && field != " mx.test; "+tt.field || !strings.HasPrefix(field, " mx.test; spf=") {
				t.Errorf("told %q, want %q", field, tt.field)
			}
		})
	}
}

// Only fields that say they are ours are removed, and where no rule asks for
// results none are told.
func TestForgedResults(t *testing.T) {
	w := newWorld(t, rules.Source{}, static(t, nil))
	o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{
		{"Authentication-Results", " mx.test; dkim=pass"}, {"Authentication-Results", " other.test; dkim=pass"},
		{"Subject", " s"}, {"AUTHENTICATION-RESULTS", "\n\t(x) MX.test (y) 1; spf=pass"},
	}})
	want := []gate.Edit{
		{Kind: gate.DeleteField, Name: "Authentication-Results", Index: 3}, {Kind: gate.DeleteField, Name: "Authentication-Results", Index: 1},
	}
	if got := o.result.Edits[:2]; len(o.result.Edits) != 3 || !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", o.result.Edits, want)
	}
}

// A tag that would break a signature goes into a field of its own, and who
// sends that field has it removed.
func TestUnlessSigned(t *testing.T) {
	tag := weighing("tag", "headers", 1, "subject", ".")
	tag.TagSubject, tag.UnlessSigned = "[SPAM?]", "header"
	w := newWorld(t, source(tag))
	subject := func(o outcome) (edits []gate.Edit) {
		for _, e := range o.result.Edits {
			if e.Name != "X-Tollgate" {
				edits = append(edits, e)
			}
		}
		return edits
	}
	o := w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"DKIM-Signature", " v=1"}, {"Subject", " s"}, {"x-tollgate-tag", " none"}}})
	want := []gate.Edit{{Kind: gate.DeleteField, Name: "X-Tollgate-Tag", Index: 1}, {Kind: gate.AppendField, Name: "X-Tollgate-Tag", Value: " [SPAM?]"}}
	if got := subject(o); !slices.Equal(got, want) {
		t.Errorf("signed: %+v", got)
	}
	o = w.send(sending{to: []string{"ivan@example.org"}, header: [][2]string{{"Subject", " s"}}})
	if got := subject(o); len(got) != 1 || got[0].Kind != gate.ChangeField || got[0].Value != " [SPAM?] s" {
		t.Errorf("unsigned: %+v", got)
	}
}

// What DNS lists say of client and sender, asked once a session and a message.
func TestDNSLists(t *testing.T) {
	records := map[string][]string{
		"7.2.0.192.bl.example A": {"127.0.0.2"}, "7.2.0.192.wl.example A": {"127.0.0.9"}, "example.com.dom.example A": {"127.0.0.2"},
		"7.2.0.192.away.example A": {dnscheck.StaticServfail},
	}
	src := source(
		weighing("listed", "connect", 1, "dnsbl", "bl.example=127.0.0.[2..4]"), weighing("not", "connect", 1, "dnsbl", "wl.example=127.0.0.2"),
		weighing("domain", "mailfrom", 1, "sender_dnsbl", "dom.example"), weighing("later", "complete", 1, "dnsbl", "wl.example"),
		weighing("away", "connect", 1, "dnsbl", "away.example"), weighing("mx", "mailfrom", 1, "sender_mx", "missing"),
	)
	w := newWorld(t, src, static(t, records))
	w.send(sending{to: []string{"ivan@example.org"}})
	var got []string
	for _, h := range w.last().Rules {
		got = append(got, h.Name)
	}
	if want := []string{"listed", "domain", "mx", "later"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
