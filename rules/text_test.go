package rules

import (
	"slices"
	"strings"
	"testing"
)

func TestCatalogue(t *testing.T) {
	seen := make(map[string]bool)
	for i, row := range Catalogue() {
		if name := row.of("NAME"); row.Name == "" || seen[name] || row.Attr != Attr(i) || row.Attr.String() != name {
			t.Errorf("row %d: %+v", i, row)
		}
		seen[row.of("NAME")] = true
		if (row.Kind == KindEnum) != (len(row.Names) > 0) {
			t.Errorf("%s: kind %d with names %v", row.Name, row.Kind, row.Names)
		}
		if (row.Kind == KindDNSBL || slices.Contains(row.Names, temperror)) && row.Asks == Nobody {
			t.Errorf("%s is looked up, and guards rules", row.Name)
		}
		name := row.of("X-Test")
		if k, err := parseKey(name); err != nil || k.Attr != row.Attr || k.String() != name && row.Kind != KindDNSBL {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
}

func TestTemplate(t *testing.T) {
	const text = "от {sender}{recipient} 100% } {weight}"
	tmpl, err := ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := tmpl.Expand(func(name string) string { return "<" + name + ">" }); got != "от <sender><recipient> 100% } <weight>" {
		t.Error(got)
	}
	if tmpl.String() != text || !tmpl.Uses("weight") || tmpl.Uses("ref") || tmpl.Uses("") {
		t.Errorf("%+v", tmpl)
	}
	for bad, want := range map[string]string{
		"{wieght}": `unknown placeholder "{wieght}"; did you mean "{weight}"?`,
		"a {":      `"{" begins a placeholder, but no "}" ends it`,
		"{}":       `unknown placeholder "{}"; there are {client_ip} {client_host} `,
	} {
		if _, err := ParseTemplate(bad); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseReply(t *testing.T) {
	r, err := ParseReply("550  5.7.1 Mail from {client_ip} is 100% refused", Reject)
	if err != nil || r.Code != 550 || r.Enhanced != "5.7.1" || r.Text.String() != "Mail from {client_ip} is 100% refused" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := ParseReply("451 4.7.1 later", Tempfail); err != nil || r.Code != 451 {
		t.Errorf("%+v, %v", r, err)
	}
	for s, want := range map[string]string{
		"421 4.7.1 go":         "reply code 421 ends the session",
		"450 4.7.1 go":         "",
		"550 5.7.1 go":         `does not agree with action "tempfail", which needs 4yz`,
		"450 5.7.1 go":         "enhanced code 5.7.1 does not agree with reply code 450",
		"450 4.7.1":            "the reply has no text",
		"450 4.7.1  ":          "the reply has no text",
		"450 go away":          `"go" is not an enhanced status code`,
		"450 4.07.1 x":         "is not an enhanced status code",
		"450 4.7.1000 x":       "is not an enhanced status code",
		"450 4.7 x":            "is not an enhanced status code",
		"460 4.7.1 x":          `"460" is not a reply code`,
		"45 4.7.1 x":           `"45" is not a reply code`,
		"+45 4.7.1 x":          `"+45" is not a reply code`,
		"":                     `"" is not a reply code`,
		"450 4.7.1 é":          "character 'é' in the reply is not printable ASCII",
		"450 4.7.1 a\r\n250 b": `character '\r' in the reply is not printable ASCII`,
		"450 4.7.1 {x}":        "unknown placeholder",
	} {
		_, err := ParseReply(s, Tempfail)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
	if _, err := ParseReply("250 2.0.0 fine", Accept); err == nil {
		t.Error("accept has a reply")
	}
}

func TestHeaderTag(t *testing.T) {
	h, err := ParseHeaderTag("x-spam-flag:YES {weight}")
	if err != nil || h.Name != "x-spam-flag" || h.Value.String() != "YES {weight}" {
		t.Errorf("%+v, %v", h, err)
	}
	for s, want := range map[string]string{
		"X-Spam": `is not a header field; write "Name: value"`, "X Spam: 1": "is not the name of a header field", ": 1": "is not the name",
		"Ж: 1": "is not the name", "X-A:": "the tag is empty", "X-A: a\nb": "cannot stand in a header field", "X-A: {b}": "unknown placeholder",
	} {
		if _, err := ParseHeaderTag(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, name := range []string{
		"From", "TO", "date", "Subject", "Message-ID", "Received", "DKIM-Signature", "List-Id", "ARC-Seal", "Resent-From",
		"Content-Type", "MIME-Version", "Authentication-Results", "References", "In-Reply-To", "Sender", "Return-Path",
	} {
		if _, err := ParseHeaderTag(name + ": x"); err == nil {
			t.Errorf("%s may be a tag", name)
		}
	}
}

func FuzzParseTemplate(f *testing.F) {
	f.Add("a {sender} b")
	f.Add("{{}}{")
	f.Fuzz(func(t *testing.T, s string) {
		tmpl, err := ParseTemplate(s)
		if err == nil && tmpl.String() != s {
			t.Errorf("%q became %q", s, tmpl)
		}
	})
}

func FuzzParseReply(f *testing.F) {
	f.Add("550 5.7.1 no {ref}")
	f.Add("421 4.7.0 x")
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range []Action{Reject, Tempfail} {
			r, err := ParseReply(s, a)
			if err != nil {
				continue
			}
			class := map[Action]int{Reject: 5, Tempfail: 4}[a]
			text := r.Text.String()
			if r.Code/100 != class || r.Code == 421 || int(r.Enhanced[0]-'0') != class || text == "" || strings.ContainsAny(text, "\r\n") {
				t.Errorf("%q: %+v", s, r)
			}
		}
	})
}
