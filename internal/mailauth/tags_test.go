package mailauth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/mailauth"
)

const letter = "From: a@" + signedBy + "\r\nTo: b@example.org\r\nSubject: hello\r\n\r\ntext\r\n"

// craft signs a message with the tags given: of a field of which nothing is
// normalised, "simple", so that every tag can be what it likes to be.
func craft(t *testing.T, message, tags string, names ...string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(ours.rsa.private))
	private, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	hash, sum := crypto.SHA256, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
	if strings.HasPrefix(tags, "a=rsa-sha1") {
		hash, sum = crypto.SHA1, func(b []byte) []byte { s := sha1.Sum(b); return s[:] }
	}
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	var signed strings.Builder
	fields := make(map[string]string)
	for line := range strings.Lines(header + "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		fields[name] = line
	}
	for _, name := range names {
		signed.WriteString(fields[name])
	}
	field := "DKIM-Signature: v=1; " + tags + "; h=" + strings.Join(names, ":") + "; bh=" + base64.StdEncoding.EncodeToString(sum([]byte(body))) + "; b="
	signed.WriteString(field)
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, hash, sum([]byte(signed.String())))
	if err != nil {
		t.Fatal(err)
	}
	return field + base64.StdEncoding.EncodeToString(signature) + "\r\n" + message
}

// Signatures and keys of all kinds: good ones but for what their name says.
func TestTags(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	key := func(selector string) string { return "a=rsa-sha256; d=" + signedBy + "; s=" + selector }
	with := func(tag string) string { return craft(t, letter, key("rsa")+"; "+tag, "From", "Subject") }
	by := func(selector string) string { return craft(t, letter, key(selector), "From") }
	good, bad := by("rsa"), by("revoked")
	field := func(signed string) string { return strings.TrimSuffix(signed, letter) }
	cases := map[string]struct {
		text         string
		ours, dkimpy string // dkimpy "": the same
		why          string
	}{
		"good":            {text: good, ours: "pass"},
		"key of 1024 bit": {text: dkimpySigned(t, "short", ours.short), ours: "pass"},
		"key of 768 bit":  {text: dkimpySigned(t, "weak", ours.weak), ours: "permerror"},

		"key revoked":                         {text: bad, ours: "permerror"},
		"no such key":                         {text: by("none"), ours: "permerror"},
		"key without tags":                    {text: by("bare"), ours: "pass"},
		"k= is not the key's":                 {text: by("crossed"), ours: "permerror"},
		"k= unknown":                          {text: by("other"), ours: "permerror"},
		"key without p=":                      {text: by("nokey"), ours: "permerror"},
		"p= is no key":                        {text: by("nonsense"), ours: "permerror"},
		"p= twice":                            {text: by("tags"), ours: "permerror"},
		"blanks in the key":                   {text: by("blanks"), ours: "pass"},
		"a tab in the key":                    {text: by("tabs"), ours: "pass"},
		"key record of another version":       {text: by("version"), ours: "permerror"},
		"another record instead of a key":     {text: by("spf"), ours: "permerror"},
		"t=y":                                 {text: by("testing"), ours: "pass"},
		"h= with the hash":                    {text: by("sha256"), ours: "pass"},
		"h= without the hash":                 {text: by("sha1"), ours: "permerror", dkimpy: "pass", why: "dkimpy does not look at h= of a key (RFC 6376 §3.6.1)"},
		"s= of another service":               {text: by("telephone"), ours: "permerror"},
		"s= of several services":              {text: by("services"), ours: "pass", dkimpy: "permerror", why: "dkimpy takes the list for one service"},
		"two key records":                     {text: by("two"), ours: "permerror", dkimpy: "pass", why: "what then happens is undefined (RFC 6376 §3.6.2.2); dkimpy takes the first"},
		"t=s":                                 {text: by("strict"), ours: "pass"},
		"t=s, i= is the domain":               {text: craft(t, letter, key("strict")+"; i=a@"+signedBy, "From"), ours: "pass"},
		"t=s, i= is below the domain":         {text: craft(t, letter, key("strict")+"; i=a@sub."+signedBy, "From"), ours: "pass"},
		"i= is the domain":                    {text: with("i=@" + signedBy), ours: "pass"},
		"i= is below the domain":              {text: with("i=a@sub." + signedBy), ours: "pass"},
		"i= in capitals":                      {text: with("i=a@" + strings.ToUpper(signedBy)), ours: "permerror", dkimpy: "pass", why: "the library compares i= and d= octet by octet"},
		"i= is elsewhere":                     {text: with("i=a@example.org"), ours: "permerror"},
		"i= only ends like the domain":        {text: with("i=a@x" + signedBy), ours: "permerror"},
		"x= to come":                          {text: with(fmt.Sprint("x=", at(time.Hour))), ours: "pass"},
		"x= past":                             {text: with(fmt.Sprint("x=", at(-24*time.Hour))), ours: "permerror"},
		"x= past for an hour":                 {text: with(fmt.Sprint("x=", at(-time.Hour))), ours: "permerror", dkimpy: "pass", why: "dkimpy gives it ten hours"},
		"x= is no number":                     {text: with("x=soon"), ours: "permerror"},
		"t= past":                             {text: with(fmt.Sprint("t=", at(-time.Hour))), ours: "pass"},
		"t= to come":                          {text: with(fmt.Sprint("t=", at(24*time.Hour))), ours: "pass", dkimpy: "permerror", why: "a verifier MAY ignore such signatures (RFC 6376 §3.5); we do not"},
		"l= of the whole body":                {text: with("l=6"), ours: "policy", dkimpy: "pass", why: "what is appended is unsigned"},
		"l= and more":                         {text: with("l=6") + "more\r\n", ours: "policy", dkimpy: "pass", why: "what is appended is unsigned"},
		"l= and another body":                 {text: strings.Replace(with("l=6"), "text", "TEXT", 1), ours: "policy", dkimpy: "fail", why: "we look no further than l="},
		"q= another way":                      {text: with("q=https"), ours: "permerror"},
		"q= one of two ways":                  {text: with("q=https:dns/txt"), ours: "pass", dkimpy: "permerror", why: "dkimpy knows no lists in q= (RFC 6376 §3.5)"},
		"c= unknown":                          {text: with("c=lax/simple"), ours: "permerror"},
		"unknown tags":                        {text: with("x-y=z; zz="), ours: "pass"},
		"a tag twice":                         {text: with("i=@" + signedBy + "; i=@" + signedBy), ours: "permerror"},
		"z= with an encoded b=":               {text: with("z=Subject:b=3Da"), ours: "fail", dkimpy: "pass", why: "the library takes b= within another tag for the signature"},
		"a long from with blanks":             {text: "fRoM" + strings.Repeat(" \t", 40) + ": c@example.org\r\n" + good, ours: "fail", dkimpy: "permerror", why: "for dkimpy that is no field"},
		"rsa-sha1":                            {text: craft(t, letter, "a=rsa-sha1; d="+signedBy+"; s=rsa", "From"), ours: "permerror", dkimpy: "pass", why: "RFC 8301 §3.1"},
		"a= unknown":                          {text: craft(t, letter, "a=rsa-sha3; d="+signedBy+"; s=rsa", "From"), ours: "permerror"},
		"v= another":                          {text: strings.Replace(good, "v=1", "v=2", 1), ours: "permerror"},
		"no d=":                               {text: craft(t, letter, "a=rsa-sha256; s=rsa", "From"), ours: "permerror"},
		"From not in h=":                      {text: craft(t, letter, key("rsa"), "Subject"), ours: "permerror", dkimpy: "pass", why: "h= MUST have From (RFC 6376 §5.4); dkimpy does not look"},
		"a From before that signed":           {text: "From: c@example.org\r\n" + good, ours: "fail"},
		"a From behind that signed":           {text: strings.Replace(good, "\r\nTo:", "\r\nFrom: c@example.org\r\nTo:", 1), ours: "fail"},
		"a from with a blank":                 {text: "from : c@example.org\r\n" + good, ours: "fail", dkimpy: "permerror", why: "for dkimpy that is no field; Postfix hands it on without the blank"},
		"a folded From before":                {text: "FROM:\r\n c@example.org\r\n" + good, ours: "fail"},
		"h= with one From more":               {text: craft(t, letter, key("rsa"), "From", "from"), ours: "pass"},
		"h= with one From more, and there":    {text: "From: c@example.org\r\n" + craft(t, letter, key("rsa"), "From", "from"), ours: "fail"},
		"two From, both signed":               {text: twoFrom(t), ours: "pass"},
		"a From in the body":                  {text: craft(t, letter+"\r\nFrom: c@example.org\r\n", key("rsa"), "From"), ours: "pass"},
		"fields like From":                    {text: "X-From: c\r\nFrom-A: c\r\nFromm: c\r\nFro: c\r\nX: a\r\n From: c\r\n" + good, ours: "pass"},
		"another Subject, which is not in h=": {text: "Subject: x\r\n" + good, ours: "pass"},
		"two, one good":                       {text: field(bad) + good, ours: "permerror pass"},
		"two, the other good":                 {text: field(good) + bad, ours: "pass permerror"},
		"the tenth is good":                   {text: strings.Repeat(field(bad), 9) + good, ours: strings.Repeat("permerror ", 9) + "pass"},
		"the eleventh is good":                {text: strings.Repeat(field(bad), 10) + good, ours: strings.Repeat("permerror ", 9) + "permerror", dkimpy: strings.Repeat("permerror ", 10) + "pass", why: "no more than ten are looked at"},
	}
	names := slices.Sorted(maps.Keys(cases))
	var texts [][]byte
	for _, name := range names {
		texts = append(texts, []byte(cases[name].text))
	}
	said := judged(t, asking(t, keyed.Addr, 2*time.Second), texts)
	opinions := dkimpy.judge(t, keyed.Addr, 2*time.Second, texts)
	for i, name := range names {
		tt := cases[name]
		got, theirs := strings.Join(said[i], " "), strings.Join(opinions[i].results(), " ")
		if tt.dkimpy == tt.ours || (tt.dkimpy == "") != (tt.why == "") {
			t.Errorf("%s: named as a difference, and is none", name)
		}
		want := tt.dkimpy
		if want == "" {
			want = tt.ours
		}
		if got != tt.ours || theirs != want {
			t.Errorf("%s: we say %s, want %s; dkimpy says %s, want %s %+v", name, got, tt.ours, theirs, want, opinions[i].Signatures)
		}
	}
	if best := mailauth.Best([]mailauth.Signature{{Result: "permerror"}, {Result: "pass"}}); best != "pass" {
		t.Error(best)
	}
}

// dkimpySigned is the letter, signed by dkimpy.
func dkimpySigned(t *testing.T, selector string, key signing) string {
	t.Helper()
	all, err := dkimpy.ask([]request{{Message: []byte(letter), Key: key.private, Algorithm: key.algorithm, Selector: selector, Domain: signedBy, Canonical: "relaxed/relaxed"}})
	if err != nil || all[0].Error != "" {
		t.Fatal(all, err)
	}
	return string(all[0].Field) + letter
}

// twoFrom is a letter with two From fields, of which h= has both.
func twoFrom(t *testing.T) string {
	t.Helper()
	text := "From: a@" + signedBy + "\r\nFrom: b@" + signedBy + "\r\n\r\ntext\r\n"
	all, err := dkimpy.ask([]request{{Message: []byte(text), Key: ours.rsa.private, Algorithm: ours.rsa.algorithm, Selector: "rsa", Domain: signedBy, Canonical: "relaxed/relaxed"}})
	if err != nil || all[0].Error != "" {
		t.Fatal(all, err)
	}
	return string(all[0].Field) + text
}

// A signature must not make us compute for long, even one with a good key.
func TestCostly(t *testing.T) {
	tags := "a=rsa-sha256; d=" + signedBy + "; s=rsa"
	from := "From: a@" + signedBy + "\r\n"
	names := append([]string{"From"}, slices.Repeat([]string{"x"}, 20_000)...)
	lines := func(n int) string { return from + "\r\na\r\n" + strings.Repeat("\r\n", n) + "b\r\n" }
	for name, tt := range map[string]struct{ text, want string }{
		"some names and fields":   {craft(t, from+strings.Repeat("y: some text of a common length\r\n", 200)+"\r\na\r\n", tags, names[:200]...), "pass"},
		"many names, few fields":  {craft(t, from+strings.Repeat("y:\r\n", 200)+"\r\na\r\n", tags, names...), "permerror"},
		"many names, many fields": {craft(t, from+strings.Repeat("y:\r\n", 30_000)+"\r\na\r\n", tags, names...), "permerror"},
		"few names, many fields":  {craft(t, from+strings.Repeat("y:\r\n", 30_000)+"\r\na\r\n", tags, "From"), "pass"},
		"one field of many folds": {craft(t, from+"y:"+strings.Repeat("\r\n y", 1000)+"\r\n\r\na\r\n", tags, "From"), "pass"},
		"some empty lines":        {craft(t, lines(50_000), tags, "From"), "pass"},
		"too many empty lines":    {craft(t, lines(200_000), tags, "From"), "permerror"},
	} {
		if got := judged(t, asking(t, keyed.Addr, 2*time.Second), [][]byte{[]byte(tt.text)})[0]; len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s: %q, want %s", name, got, tt.want)
		}
	}
}
