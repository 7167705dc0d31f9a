package mailauth_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/mailauth"
	"github.com/tollgate-mail/tollgate/internal/results"
)

// zone answers from memory: "" is SERVFAIL.
type zone map[string][]string

func (z zone) lookup(_ context.Context, name string) ([]string, error) {
	all, ok := z[strings.ToLower(name)]
	switch {
	case !ok:
		return nil, &net.DNSError{Err: "no such name", Name: name, IsNotFound: true}
	case len(all) == 1 && all[0] == "":
		return nil, &net.DNSError{Err: "server failure", Name: name, IsTemporary: true}
	}
	return all, nil
}

const message = "From: Anna <anna@mail.example.com>\r\nTo: ivan@example.org\r\nSubject: hello\r\n\r\ntext\r\n"

// signer signs as a domain and publishes its key in z.
func sign(t *testing.T, z zone, domain, text string) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	z["s._domainkey."+domain] = []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	var b bytes.Buffer
	err = dkim.Sign(&b, strings.NewReader(text), &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: private,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestVerifyDKIM(t *testing.T) {
	z := zone{}
	signed := sign(t, z, "example.com", message)
	twice := sign(t, z, "list.example.net", signed)
	away := zone{"s._domainkey.example.com": {""}}
	for name, tt := range map[string]struct {
		text string
		zone zone
		best string
		all  []string
	}{
		"unsigned":           {message, z, "none", nil},
		"good":               {signed, z, "pass", []string{"pass"}},
		"two good":           {twice, z, "pass", []string{"pass", "pass"}},
		"body changed":       {signed + "more\r\n", z, "fail", []string{"fail"}},
		"header changed":     {strings.Replace(signed, "hello", "buy", 1), z, "fail", []string{"fail"}},
		"no key":             {signed, zone{}, "permerror", []string{"permerror"}},
		"key server away":    {signed, away, "temperror", []string{"temperror"}},
		"one of two is good": {twice, zone{"s._domainkey.example.com": z["s._domainkey.example.com"]}, "pass", []string{"permerror", "pass"}},
		"no header":          {"no header at all\r\n", z, "permerror", []string{"permerror"}},
		"nonsense":           {"DKIM-Signature: nonsense\r\n" + message, z, "permerror", []string{"permerror"}},
		"too many":           {strings.Repeat("DKIM-Signature: v=1\r\n", 50) + message, z, "permerror", strings.Fields(strings.Repeat("permerror ", 10))},
	} {
		got, err := mailauth.VerifyDKIM(t.Context(), nil, strings.NewReader(tt.text), tt.zone.lookup)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var results []string
		for _, s := range got {
			results = append(results, string(s.Result))
			if (s.Reason == "") != (s.Result == "pass") {
				t.Errorf("%s: reason %q of %s", name, s.Reason, s.Result)
			}
		}
		if strings.Join(results, " ") != strings.Join(tt.all, " ") || string(mailauth.Best(got)) != tt.best {
			t.Errorf("%s: %v, best %s; want %v, %s", name, got, mailauth.Best(got), tt.all, tt.best)
		}
	}
}

var errDisk = errors.New("read error")

// A message that cannot be read to its end is no message without signatures,
// and leaves nothing running behind.
func TestVerifyDKIMReadError(t *testing.T) {
	z := zone{}
	twice := sign(t, z, "example.net", sign(t, z, "example.com", message))
	for _, n := range []int{0, 10, len(twice) - 3} {
		r := io.MultiReader(strings.NewReader(twice[:n]), failing{})
		if got, err := mailauth.VerifyDKIM(t.Context(), nil, r, z.lookup); !errors.Is(err, errDisk) {
			t.Errorf("after %d octets: %v %v", n, got, err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestDMARC(t *testing.T) {
	z := zone{
		"_dmarc.example.com":         {"v=DMARC1; p=reject; sp=quarantine"},
		"_dmarc.strict.example":      {"v=DMARC1; p=none; adkim=s; aspf=s"},
		"_dmarc.away.example":        {""},
		"_dmarc.broken.example":      {"v=DMARC1; p=perhaps"},
		"_dmarc.two.example":         {"v=DMARC1; p=none", "v=DMARC1; p=reject"},
		"_dmarc.other.example":       {"v=spf1 -all", "v=DMARC1; p=none"},
		"_dmarc.xn--e1aybc.xn--p1ai": {"v=DMARC1; p=reject"},
	}
	pass := func(domain string) []mailauth.Signature {
		return []mailauth.Signature{{Result: "fail", Domain: "x.example"}, {Result: "pass", Domain: domain}}
	}
	for name, tt := range map[string]struct {
		from            string
		spf, spfDomain  string
		signatures      []mailauth.Signature
		want, by, asked string
	}{
		"dkim aligned":           {"a@mail.example.com", "fail", "mail.example.com", pass("example.com"), "pass", "mail.example.com", "quarantine"},
		"spf aligned":            {"a@example.com", "pass", "bounce.example.com", nil, "pass", "example.com", "reject"},
		"nothing aligned":        {"a@example.com", "pass", "example.net", pass("example.net"), "fail", "example.com", "reject"},
		"nothing passed":         {"a@example.com", "fail", "example.com", nil, "fail", "example.com", "reject"},
		"spf may pass":           {"a@example.com", "temperror", "example.com", nil, "temperror", "example.com", "reject"},
		"dkim may pass":          {"a@example.com", "fail", "", []mailauth.Signature{{Result: "temperror", Domain: "example.com"}}, "temperror", "example.com", "reject"},
		"strict, aligned":        {"a@strict.example", "pass", "STRICT.example.", nil, "pass", "strict.example", "none"},
		"strict, a subdomain":    {"a@strict.example", "pass", "m.strict.example", pass("m.strict.example"), "fail", "strict.example", "none"},
		"a public suffix":        {"a@foo.co.uk", "pass", "bar.co.uk", pass("co.uk"), "none", "foo.co.uk", ""},
		"no record":              {"a@example.net", "pass", "example.net", nil, "none", "example.net", ""},
		"record away":            {"a@away.example", "pass", "away.example", nil, "temperror", "away.example", ""},
		"record broken":          {"a@broken.example", "pass", "broken.example", nil, "none", "broken.example", ""},
		"two records":            {"a@two.example", "fail", "", nil, "none", "two.example", ""},
		"among others":           {"a@other.example", "fail", "", nil, "fail", "other.example", "none"},
		"no author":              {"nobody", "pass", "example.com", nil, "permerror", "", ""},
		"authors of two domains": {"a@example.com, b@example.net", "pass", "example.com", nil, "permerror", "", ""},
		"authors of one":         {"a@example.com, b@EXAMPLE.com", "pass", "example.com", nil, "pass", "example.com", "reject"},
		"not as RFC 5322 has it": {`"Bank" of X <a@evil.example> b@example.com`, "pass", "evil.example", nil, "none", "evil.example", ""},
		"two in brackets":        {`"Bank" of X <a@evil.example> <b@example.com`, "pass", "evil.example", nil, "permerror", "", ""},
		"an address in the name": {`"a@example.com" <b@evil.example>`, "pass", "evil.example", nil, "none", "evil.example", ""},
		"an address literal":     {"a@[192.0.2.1]", "pass", "example.com", nil, "permerror", "", ""},
		"IDN":                    {"a@тест.рф", "pass", "xn--e1aybc.xn--p1ai", nil, "pass", "xn--e1aybc.xn--p1ai", "reject"},
		"folded, with a comment": {"Anna (of\r\n Sales)\n\t<a@example.com>", "pass", "example.com", nil, "pass", "example.com", "reject"},
	} {
		got := mailauth.DMARC(t.Context(), mailauth.Evidence{From: []string{" " + tt.from}, SPF: results.Auth(tt.spf), SPFDomain: tt.spfDomain, Signatures: tt.signatures}, z.lookup)
		if string(got.Result) != tt.want || got.From != tt.by || string(got.Policy) != tt.asked {
			t.Errorf("%s: %+v, want %s %s %s", name, got, tt.want, tt.by, tt.asked)
		}
	}
	for _, from := range [][]string{nil, {" a@example.com", " a@example.com"}} {
		if got := mailauth.DMARC(t.Context(), mailauth.Evidence{From: from}, z.lookup); got.Result != "permerror" {
			t.Errorf("%q: %+v", from, got)
		}
	}
}

func TestValue(t *testing.T) {
	for want, r := range map[string]mailauth.Results{
		"": {},
		" mx.test; spf=pass smtp.mailfrom=a@example.com":         {SPF: "pass", SPFSender: "a@example.com"},
		" mx.test; spf=none smtp.helo=mail.example.com":          {SPF: "none", SPFHelo: "mail.example.com"},
		" mx.test; dkim=none":                                    {DKIM: "none"},
		" mx.test; spf=pass smtp.mailfrom=a@xn--e1aybc.xn--p1ai": {SPF: "pass", SPFSender: "a@тест.рф"},
		" mx.test; spf=pass smtp.mailfrom=@xn--e1aybc.xn--p1ai":  {SPF: "pass", SPFSender: "иван@тест.рф"},
		" mx.test; spf=pass smtp.helo=xn--e1aybc.xn--p1ai":       {SPF: "pass", SPFHelo: "тест.рф"},
		" mx.test; dkim=pass header.d=example.com; dkim=fail reason=\"body hash did\n not verify\" header.d=example.net; dmarc=pass header.from=example.com": {
			DKIM:       "pass",
			Signatures: []mailauth.Signature{{Result: "pass", Domain: "example.com"}, {Result: "fail", Domain: "example.net", Reason: "body hash did not verify"}},
			DMARC:      &mailauth.Evaluation{Result: "pass", From: "example.com"},
		},
		" mx.test; spf=fail smtp.mailfrom=\"a_; dkim=pass_@x\"": {SPF: "fail", SPFSender: "a\r; dkim=pass\"@x"},
	} {
		if got := r.Value("mx.test"); strings.ReplaceAll(got, "\n", "") != strings.ReplaceAll(want, "\n", "") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestIsOf(t *testing.T) {
	for value, want := range map[string]bool{
		" mx.test; spf=pass":                                       true,
		" MX.Test; spf=pass":                                       true,
		"\n mx.test 1; spf=pass":                                   true,
		" (a (nested) \\) comment) mx.test;":                       true,
		` "mx.test"; spf=pass`:                                     true,
		" mx.test.; none":                                          true,
		" mx.test":                                                 true,
		" other.test; spf=pass (mx.test)":                          false,
		" mx.test.example; spf=pass":                               false,
		" (never closed mx.test; spf=pass":                         false,
		" (mx.test; spf=pass":                                      true,
		" mx . test; spf=pass":                                     true,
		" mx.(c)test; spf=pass":                                    true,
		" mx.\r\n\ttest; spf=pass":                                 true,
		` "mx".test; spf=pass`:                                     true,
		` mx."test"; spf=pass`:                                     true,
		` 'mx.test'; spf=pass`:                                     true,
		"\u00a0mx.test; spf=pass":                                  true,
		"\ufeffmx.test; spf=pass":                                  true,
		" mx\u200b.test; spf=pass":                                 true,
		" mx\u00ad.test; spf=pass":                                 true,
		" mx.test\x00; spf=pass":                                   true,
		" m" + strings.Repeat("\u034f", 60) + "x .test; spf=pass":  true,
		" m" + strings.Repeat("\u034f", 600) + "x .test; spf=pass": false, // no reader takes it for a name
		" mx。test; spf=pass":                                       true,
		" =?utf-8?Q?mx?=.test; spf=pass":                           true,
		" mx=?utf-8?B?LnRlc3Q=?=; spf=pass":                        true,
		" =?utf-8?Q?mx?= =?utf-8?Q?.test?=;":                       true,
		" mx.test=1; spf=pass":                                     true,
		" mx.test, spf=pass":                                       true,
		" mx.test spf=pass":                                        true,
		` "mx.test\\"; spf=pass`:                                   true,
		" other.test mx.test; spf=pass":                            false,
		" other.test; mx.test; spf=pass":                           false,
		" other.test (":                                            false,
		" ; mx.test":                                               false,
		" amx.test; spf=pass":                                      false,
		" mx.tests; spf=pass":                                      false,
		"":                                                         false,
		` mx.test(c); spf=pass`:                                    true,
		` "mx.test"(c); spf=pass`:                                  true,
		` "mx\.test"; spf=pass`:                                    true,
		` mx.test(c)1; spf=pass`:                                   true,
		` mx.test/1; spf=pass`:                                     true,
		" =?utf-8?Q?mx.test?=; spf=pass":                           true,
		" ｍｘ.test; spf=pass":                                       true,
		"\r\n\t(a)\r\n\t(b) mx.test":                               true,
		` "mx.test`:                                                true,
		` "mx.test; spf=pass`:                                      true,
		` "mx.test 1; spf=pass reason="x"`:                         true,
		` "mx.test.example; spf=pass`:                              false,
		` "mx.test.example"; spf=pass`:                             false,
		` other(mx.test); spf=pass`:                                false,
	} {
		if got := mailauth.IsOf(value, "mx.test"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// However an id is written that RFC 8601 allows, it is known; another one is not.
func TestIsOfSpellings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := rapid.SampledFrom([]string{"", "", " ", "\t", "\r\n ", "(c)", " (mx.test) ", "(a(b)c\\))", "\n\t(x)"})
		id := rapid.SampledFrom([]string{"mx.test", "MX.test", "mx.test.", `"mx.test"`, `"m\x.test"`, "xmx.test", "mx.test.example", "test", "mx-test"}).Draw(t, "id")
		version := rapid.SampledFrom([]string{"", "", " 1", "(v) 1", " 1 "}).Draw(t, "version")
		value := space.Draw(t, "before") + id + version + space.Draw(t, "after") + rapid.SampledFrom([]string{"; none", ";spf=pass", "; dkim=pass header.d=mx.test", ""}).Draw(t, "rest")
		want := strings.ToLower(strings.Trim(strings.NewReplacer(`"`, "", `\`, "").Replace(id), ".")) == "mx.test"
		if got := mailauth.IsOf(value, "mx.test"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	})
}

// What signatures take is charged before it is done: the body once for each of
// them, the fields for each name in h=. What the budget does not cover is a
// permerror, and no key is asked for.
func TestVerifyDKIMCost(t *testing.T) {
	z := zone{}
	many := message
	for range 10 {
		many = sign(t, z, "example.com", many)
	}
	body := strings.Repeat("a line of text\r\n", 10_000)
	long := many + body
	b := budget.Proportional(t.Context(), int64(len(long)))
	got, err := mailauth.VerifyDKIM(t.Context(), b, strings.NewReader(long), z.lookup)
	steps, octets := b.Spent()
	if err != nil || len(got) != 10 || got[0].Result != "fail" || steps < int64(10*len(body)) || octets != int64(len(long)) {
		t.Errorf("%v, %v: %d steps, %d octets of %d", got, err, steps, octets, len(long))
	}
	names := strings.Repeat(":x", 10_000)
	dear := strings.Repeat("DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s; bh=YQ==; b=YQ==; h=from"+names+"\r\n", 2) +
		strings.Repeat("A: b\r\n", 10_000) + message
	asked := 0
	lookup := func(ctx context.Context, name string) ([]string, error) { asked++; return z.lookup(ctx, name) }
	for name, b := range map[string]*budget.Budget{
		"by its length": budget.Proportional(t.Context(), math.MaxInt64), "few steps": budget.New(t.Context(), 1000, math.MaxInt64),
	} {
		got, err = mailauth.VerifyDKIM(t.Context(), b, strings.NewReader(dear), lookup)
		if err != nil || mailauth.Best(got) != "permerror" || asked > 0 {
			t.Errorf("%s: %v, %v, %d keys asked for", name, got, err, asked)
		}
	}
	for n := range []int{0, 100, 1000, 10_000} {
		b := budget.New(t.Context(), int64(len(many)*20), int64(n))
		if got, err := mailauth.VerifyDKIM(t.Context(), b, strings.NewReader(long), lookup); err != nil || mailauth.Best(got) != "permerror" {
			t.Errorf("a budget of %d octets: %v, %v", n, got, err)
		}
	}
}

func FuzzVerifyDKIM(f *testing.F) {
	f.Add(message)
	f.Add("DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=; b=\r\n" + message)
	f.Add("DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s; h=from:from; bh=YQ==; b=YQ==; l=3; x=9\r\nDKIM-Signature: \r\n" + message)
	z := zone{"s._domainkey.example.com": {"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}}
	f.Fuzz(func(t *testing.T, text string) {
		b := budget.New(t.Context(), budget.Allowance(int64(len(text))), int64(len(text)))
		all, err := mailauth.VerifyDKIM(t.Context(), b, strings.NewReader(text), z.lookup)
		if err != nil {
			t.Fatal(err)
		}
		if b.Err() != nil && len(text) < 4<<10 {
			t.Errorf("%d octets are not read: %v", len(text), b.Err())
		}
		if mailauth.Best(all) == "pass" {
			t.Fatal("a signature without its key passed")
		}
		mailauth.Results{DKIM: "x", Signatures: all}.Value("mx.test")
	})
}

func FuzzDMARC(f *testing.F) {
	f.Add("a@example.com", "v=DMARC1; p=reject")
	f.Add(`"x" <a@b`, "v=DMARC1;p=none;pct=;rua=")
	f.Fuzz(func(t *testing.T, from, record string) {
		z := zone{"_dmarc.example.com": {record}}
		mailauth.DMARC(t.Context(), mailauth.Evidence{From: []string{from}, SPF: "pass", SPFDomain: "example.com"}, z.lookup)
	})
}

// What a sender writes where our id might be costs no more names to fold than ours has
// labels: words that each end in a dot were all tried, joined to those before.
func TestIsOfCost(t *testing.T) {
	const ordinary = "mx.other.example; dkim=pass header.d=example.com"
	plain := testing.AllocsPerRun(20, func() { mailauth.IsOf(ordinary, "mx1.example.org") })
	for _, word := range []string{"é. ", "a. ", ".b ", "é.\t", "é./", "=?utf-8?q?=C3=A9=2E?= "} {
		value := strings.Repeat(word, 4000)
		if n := testing.AllocsPerRun(5, func() { mailauth.IsOf(value, "mx1.example.org") }); n > plain+600 { // decoding takes two for each encoded word
			t.Errorf("%q again and again: %v allocations, an ordinary value %v", word, n, plain)
		}
	}
}
