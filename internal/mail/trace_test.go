package mail

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTraceIPs(t *testing.T) {
	h := Header{
		{"Subject", " 192.0.2.99"},
		{"Received", " from a (b.example [192.0.2.1])\n\tby c (8.17.1)"},
		{"received", " from [IPv6:2001:db8::1] (unknown [2001:db8:0:0:0:0:0:2])"},
		{"Received", " from x (192.0.2.1) by y; Mon, 23 Nov 2026 10:00:00 +0000"},
		{"X-Originating-IP", " [198.51.100.9]"},
		{"Received", " from y (IPv6:2001:db8::3) (IPv6:2001:db8::3)"},
		{"Received", " from z ([::ffff:192.0.2.7]) by xIPv6:2001:db8::4"},
		{"Received", " from d (HELO 192.0.2.8.dsl.example) (192.0.2.8:2531) by e (5.65v3.0/1.1.8.2/02Aug95) id 15.20.218.12; Mon"},
		{"Received", " from 192.0.2.9: (Kid 192.0.2.10) by e with SMTP id\n\t15.20.218.13"},
		{"Received", " from 203.0.113.5. by v1.2.3.4 with id 10.0.0.1x"},
	}
	want := "[192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3 ::ffff:192.0.2.7 192.0.2.8 192.0.2.9 192.0.2.10 203.0.113.5 198.51.100.9]"
	if got := fmt.Sprint(h.TraceIPs(nil)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestTraceCases reads the fields of shared/cases.
func TestTraceCases(t *testing.T) {
	for _, row := range rows(t, "r20-received.tsv") {
		name := "Received"
		if len(row) > 2 {
			name = row[2]
		}
		value := strings.ReplaceAll(row[1], `\n`, "\n")
		if got := fmt.Sprint((Header{{name, " " + value}}).TraceIPs(nil)); got != "["+row[0]+"]" {
			t.Errorf("%q: %s, want %s", value, got, row[0])
		}
	}
}

// Whatever program receives, its release is no address, and the client is.
func TestTraceForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := func(label string, all ...string) string { return rapid.SampledFrom(all).Draw(t, label) }
		quad := fmt.Sprintf("%d.%d.%d.%d", rapid.IntRange(4, 16).Draw(t, "a"), rapid.IntRange(0, 99).Draw(t, "b"), rapid.IntRange(0, 99).Draw(t, "c"), rapid.IntRange(0, 99).Draw(t, "d"))
		client := from("client", "(x.example [%s])", "([%s])", "(%s)", "(HELO y) (%s)", "(unknown [%s]) (using TLSv1.3)", "(ip:%s)", "(HELO y) (envelope-from a@b) ([IPv4:%s])", "(%s:4711)", "(EHLO y; %s)", "([%s] helo=y)", "(may be forged [%s])", "([%s]:25)", "(client:%s)", "(ip=%s)")
		address := from("address", "203.0.113.7", "203.0.113.007", "198.51.100.200", "2001:db8::7")
		product := from("product", "(%s/%[1]s)", "(%s/8.14.4)", "(IceWarp %s)", "(IceWarp %s x64)", "(Exim %s)", "(Exim %s (FreeBSD))", "(CommuniGate Pro SMTP %s)", "(Kerio Connect %s patch 1)", "(Haraka/%s)", "(Product version %s)", "(MDaemon PRO v%s)", "(Merak %s)", "(ver=%s)", "(Product version:%s)", "(build=%s)", "(v:%s)")
		with := from("with", "with ESMTP", "with Microsoft SMTPSVC("+quad+");", "with Microsoft SMTP Server id "+quad+";", "with ESMTPS id x1")
		if strings.Contains(address, "::") && (strings.Contains(client, ":25") || strings.Contains(client, "4711") || strings.Contains(client, "IPv4")) {
			client = "([IPv6:%s])"
		}
		value := "from y.example " + fmt.Sprintf(client, address) + "\n\tby z.example " + fmt.Sprintf(product, quad) + " " + with + " Mon, 23 Nov 2026 10:00:00 +0000"
		want := "[" + strings.Replace(address, "007", "7", 1) + "]"
		if got := fmt.Sprint((Header{{"Received", value}}).TraceIPs(nil)); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	})
}

func FuzzTraceIPs(f *testing.F) {
	f.Add(" from a (192.0.2.1:25) id 1.2.3.4 1.2/1.2.3.4:")
	f.Add(" from a ([IPv6:::1]) 1.2.3.4")
	f.Fuzz(func(t *testing.T, value string) {
		seen := map[string]bool{}
		for _, a := range (Header{{"Received", value}}).TraceIPs(nil) {
			if !a.IsValid() || seen[a.String()] {
				t.Errorf("%v twice or not valid", a)
			}
			seen[a.String()] = true
		}
	})
}

func BenchmarkTraceIPs(b *testing.B) {
	h := Header{
		{"Received", " from a.example (a.example [192.0.2.1])\n\tby b.example (8.17.1) with ESMTPS id 1a2b3c\n\tfor <u@example.org>; Mon, 23 Nov 2026 10:00:00 +0000"},
		{"Received", " from c.example (unknown [IPv6:2001:db8::1])\n\tby a.example with ESMTP id 4d5e6f; Mon, 23 Nov 2026 09:59:58 +0000"},
		{"Subject", " an ordinary Subject"},
	}
	b.ReportAllocs()
	for b.Loop() {
		h.TraceIPs(nil)
	}
}
