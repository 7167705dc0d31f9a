package dnscheck

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/results"
)

const senders = `
ok.example.        300 MX 10 mx.ok.example.
mx.ok.example.     300 A 192.0.2.1
six.example.       300 MX 10 mx.six.example.
mx.six.example.    300 AAAA 2001:db8::1
implicit.example.  300 A 192.0.2.2
implicit6.example. 300 AAAA 2001:db8::2
null.example.      300 MX 0 .
null2.example.     300 MX 0 .
null2.example.     300 MX 10 mx.ok.example.
text.example.      300 TXT "nothing to send to"
gone.example.      300 MX 10 mx.gone.example.
gone.example.      300 MX 20 mx2.gone.example.
literal.example.   300 MX 10 192.0.2.1.
literal2.example.  300 MX 10 192.0.2.1.
literal2.example.  300 MX 20 mx.ok.example.
alias.example.     300 CNAME alias2.example.
alias2.example.    300 CNAME ok.example.
loop.example.      300 CNAME loop2.example.
loop2.example.     300 CNAME loop.example.
mxalias.example.   300 MX 10 alias3.example.
alias3.example.    300 CNAME mx.ok.example.
backup.example.    300 MX 10 mx.gone.example.
backup.example.    300 MX 20 mx.ok.example.
half.example.      300 MX 10 mx.servfail.
half.example.      300 MX 20 mx.ok.example.
broken.example.    300 MX 10 mx.servfail.
broken.example.    300 MX 20 mx.gone.example.
slow.example.      300 MX 10 mx.silent.
slow.example.      300 MX 20 mx.ok.example.
xn--e1afmkfd.example. 300 MX 10 mx.ok.example.
deep.one.example.  300 A 192.0.2.3
_under.example.    300 A 192.0.2.4
`

func TestSenderMX(t *testing.T) {
	l := lie(t, zone(t, senders))
	r := resolver(t, Config{}, l)
	tests := []struct {
		sender string
		want   results.MX
	}{
		{"", results.MXNone},
		{"postmaster", results.MXNone},
		{"user@", results.MXNone},
		{"user@[192.0.2.1]", results.MXNone},
		{"user@[IPv6:2001:db8::1]", results.MXNone},
		{"user@ok.example", results.MXOK},
		{"user@OK.Example.", results.MXOK},
		{`"a@b"@ok.example`, results.MXOK},
		{"user@six.example", results.MXOK},
		{"user@implicit.example", results.MXImplicit},
		{"user@implicit6.example", results.MXImplicit},
		{"user@null.example", results.MXNull},
		{"user@null2.example", results.MXOK},
		{"user@text.example", results.MXMissing},
		{"user@nowhere.example", results.MXMissing},
		{"user@one.example", results.MXMissing},
		{"user@gone.example", results.MXMissing},
		{"user@literal.example", results.MXMissing},
		{"user@literal2.example", results.MXOK},
		{"user@alias.example", results.MXOK},
		{"user@mxalias.example", results.MXOK},
		{"user@backup.example", results.MXOK},
		{"user@half.example", results.MXOK},
		{"user@slow.example", results.MXOK},
		{"user@пример.example", results.MXOK},
		{"user@ПРИМЕР.example", results.MXOK},
		{"user@_under.example", results.MXImplicit},
		{"user@192.0.2.1", results.MXMissing},
		{"user@a..example", results.MXMissing},
		{"user@" + strings.Repeat("a", 64) + ".example", results.MXMissing},
		{"user@" + strings.Repeat("a.", 126) + "example", results.MXMissing},
		{"user@\xff.example", results.MXMissing},
		{"user@loop.example", "error"},
		{"user@broken.example", "error"},
		{"user@x.servfail", "error"},
		{"user@x.silent", "error"},
	}
	for _, tt := range tests {
		t.Run(tt.sender, func(t *testing.T) {
			got, err := r.SenderMX(t.Context(), tt.sender)
			if tt.want == "error" {
				if got != "" || !errors.Is(err, ErrTemporary) {
					t.Fatalf("%q, %v", got, err)
				}
				return
			}
			if got != tt.want || err != nil {
				t.Fatalf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// Names that cannot be in the DNS cost no question.
func TestSenderMXAsksNothing(t *testing.T) {
	l := lie(t, zone(t, ""))
	r := resolver(t, Config{}, l)
	for _, sender := range []string{"", "user@[192.0.2.1]", "user@192.0.2.1", "user@a..b", "user@" + strings.Repeat("a", 64)} {
		if _, err := r.SenderMX(t.Context(), sender); err != nil {
			t.Error(err)
		}
	}
	if n := l.total(); n != 0 {
		t.Errorf("%d questions", n)
	}
}

// Of very many targets only the most preferred are looked at: that none of them
// has an address is no certainty then.
func TestSenderMXManyTargets(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "many.example. 300 MX %d mx%d.gone.example.\n", 100-i, i)
	}
	l := lie(t, zone(t, text.String()))
	r := resolver(t, Config{}, l)
	if got, err := r.SenderMX(t.Context(), "user@many.example"); got != "" || !errors.Is(err, ErrTemporary) {
		t.Errorf("%q, %v", got, err)
	}
	if n := l.total(); n > 3+2*mostMX {
		t.Errorf("%d questions", n)
	}
	if l.asked("mx99.gone.example. A udp") != 1 || l.asked("mx0.gone.example. A udp") != 0 {
		t.Error("not the most preferred ones")
	}
}

// Addresses that nobody elsewhere reaches are no place to send to.
func TestSenderMXPrivate(t *testing.T) {
	r := resolver(t, Config{}, lie(t, zone(t, `
loop.example.     300 MX 10 mx.loop.example.
mx.loop.example.  300 A 127.0.0.1
zero.example.     300 MX 10 mx.zero.example.
mx.zero.example.  300 A 0.0.0.0
lan.example.      300 MX 10 mx.lan.example.
lan.example.      300 MX 20 mx2.lan.example.
mx.lan.example.   300 A 10.0.0.1
mx2.lan.example.  300 A 192.168.0.1
six.example.      300 MX 10 mx.six.example.
mx.six.example.   300 AAAA ::1
unique.example.   300 MX 10 mx.unique.example.
mx.unique.example. 300 AAAA fd00::1
self.example.     300 A 172.16.0.1
both.example.     300 MX 10 mx.loop.example.
both.example.     300 MX 20 mx.ok.example.
mx.ok.example.    300 A 192.0.2.1
mixed.example.    300 MX 10 mx.mixed.example.
mx.mixed.example. 300 A 10.0.0.1
mx.mixed.example. 300 AAAA 2001:db8::1
half.example.     300 MX 10 mx.loop.example.
half.example.     300 MX 20 mx.gone.example.
`)))
	for domain, want := range map[string]results.MX{
		"loop": results.MXPrivate, "zero": results.MXPrivate, "lan": results.MXPrivate, "six": results.MXPrivate, "unique": results.MXPrivate, "self": results.MXPrivate, "half": results.MXPrivate, "both": results.MXOK, "mixed": results.MXOK,
	} {
		for range 2 { // from the cache too
			if got, err := r.SenderMX(t.Context(), "u@"+domain+".example"); got != want || err != nil {
				t.Errorf("%s: %q, %v", domain, got, err)
			}
		}
	}
}

// Every way to write a place that nobody reaches.
func TestSenderMXUnreachable(t *testing.T) {
	addrs := strings.Fields(`0.1.2.3 10.255.0.1 100.64.0.1 100.127.255.255 127.255.255.254 169.254.1.1 172.31.255.255 192.0.0.8 192.168.1.1 198.19.0.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
		:: ::1 ::7f00:1 ::ffff:10.0.0.1 ::10.0.0.1 64:ff9b::10.0.0.1 64:ff9b::7f00:1 2002:a00:1::1 2002:7f00:1:: 100::1 fc00::1 fdff::1 fe80::1 fec0::1 ff02::1`)
	reached := strings.Fields(`1.0.0.1 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.0.0.1 128.0.0.1 172.15.0.1 172.32.0.1 192.0.2.1 192.167.0.1 198.17.0.1 198.20.0.1 198.51.100.1 203.0.113.1 223.255.255.1
		2001:db8::1 64:ff9b::192.0.2.1 2002:c000:201::1 2a00::1`)
	var text strings.Builder
	want := map[string]results.MX{"local.example": results.MXPrivate, "also.example": results.MXOK, "localhost.example": results.MXMissing}
	text.WriteString("local.example. 300 MX 1 localhost.\nalso.example. 300 MX 1 LocalHost.\nalso.example. 300 MX 2 mx.r0.example.\n")
	add := func(name, addr string, is results.MX) {
		kind := "A"
		if strings.Contains(addr, ":") {
			kind = "AAAA"
		}
		fmt.Fprintf(&text, "%[1]s.example. 300 MX 10 mx.%[1]s.example.\nmx.%[1]s.example. 300 %[2]s %[3]s\n", name, kind, addr)
		want[name+".example"] = is
	}
	for i, addr := range addrs {
		add(fmt.Sprint("u", i), addr, results.MXPrivate)
	}
	for i, addr := range reached {
		add(fmt.Sprint("r", i), addr, results.MXOK)
	}
	r := resolver(t, Config{}, lie(t, zone(t, text.String())))
	for domain, want := range want {
		if got, err := r.SenderMX(t.Context(), "u@"+domain); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", domain, got, err, want)
		}
	}
}

// The address of a late target is found: 14 targets, of which the last has one.
func TestSenderMXLateTarget(t *testing.T) {
	var text strings.Builder
	for i := range 14 {
		fmt.Fprintf(&text, "late.example. 300 MX 10 mx%d.late.example.\n", i)
	}
	r := resolver(t, Config{}, lie(t, zone(t, text.String()+"mx13.late.example. 300 A 192.0.2.1\n")))
	if got, err := r.SenderMX(t.Context(), "u@late.example"); got != results.MXOK || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
