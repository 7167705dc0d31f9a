package state

import (
	"strings"
	"testing"
)

func TestStem(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		"Alice@Example.COM":         "alice@example.com",
		"alice.smith@example.com":   "alice.smith@example.com",
		"alice":                     "alice@",
		"alice7@example.com":        "alice#@example.com",
		"alice1984@bücher.example":  "alice#@xn--bcher-kva.example",
		"alice+lists@example.com":   "alice@example.com",
		"+lists@example.com":        "@example.com",
		"4711@example.com":          "#@example.com",
		"bounce-01f3a9-7@list.test": "bounce-#-#@list.test",
		"news_k3j4h2.a@list.test":   "news_#.a@list.test",
		"x1y2z3@example.com":        "#@example.com",
		// VERP, of lists and of services.
		"list-return-4711-bob=example.org@list.test":                            "@list.test",
		"bounces+1234567-ab12-bob=example.org@em77.list.test":                   "bounces@em77.list.test",
		"0100018f2a3b4c5d-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee-000000@ses.test": "@ses.test",
		"msprvs1=20781abcdefgh=bounces-1234@bounces.test":                       "@bounces.test",
		// SRS, from the first forwarder and from the next.
		"SRS0=tJ5a=Q4=example.com=alice@forward.test":             "@forward.test",
		"SRS1=IvTq=first.test==tJ5a=Q4=example.com=alice@f2.test": "@f2.test",
		"SRS0+tJ5a=Q4=example.com=alice@forward.test":             "srs#@forward.test",
		// BATV.
		"prvs=2346ab12cd=alice@example.com":   "alice@example.com",
		"PRVS=2346AB12CD=Alice7@example.com":  "alice#@example.com",
		"prvs=alice=2346ab12cd@example.com":   "alice@example.com",
		"btv1==456xyz==alice@example.com":     "@example.com",
		"prvs=tag=alice@example.com":          "@example.com",
		"prvs=2346ab12cd=@example.com":        "@example.com",
		"prvs=2346ab12cd=a=b@example.com":     "@example.com",
		"prvs=@example.com":                   "@example.com",
		`"quoted 7 string"@example.com`:       "#@example.com",
		"имя7@пример.рф":                      "имя#@xn--e1afmkfd.xn--p1ai",
		strings.Repeat("a", maxStem) + "@x":   strings.Repeat("a", maxStem) + "@x",
		strings.Repeat("a", maxStem+1) + "@x": "@x",
	} {
		if got := Stem(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzStem(f *testing.F) {
	for _, s := range []string{"", "a@b", "prvs=2346ab12cd=a1-b2+c@d", `"a@b"@c`, "a1\xff.2@\xff", "@", "a@@b", "x=y@z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Stem(s)
		if len(got) > maxStem+2+4*len(s)+64 {
			t.Fatalf("%q grows to %q", s, got)
		}
		// What stands in the place of digits may not depend on them.
		digits := []byte(s)
		for i, c := range digits {
			if c >= '1' && c <= '9' {
				digits[i] = '0'
			}
		}
		if strings.ContainsAny(s, "=@:\"") {
			return
		}
		if a, b := Stem(s+"@example.com"), Stem(string(digits)+"@example.com"); a != b {
			t.Fatalf("%q: %q, %q: %q", s, a, digits, b)
		}
	})
}
