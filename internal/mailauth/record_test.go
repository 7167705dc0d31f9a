package mailauth_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/mailauth"
	"github.com/tollgate-mail/tollgate/test/harness"
	"pgregory.net/rapid"
)

// cases reads a table of shared/cases/content.
func cases(t *testing.T, name string) [][]string {
	t.Helper()
	dir, err := harness.Shared("cases")
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "content", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]string
	for s := bufio.NewScanner(f); s.Scan(); {
		if !strings.HasPrefix(s.Text(), "#") {
			all = append(all, strings.Split(s.Text(), "\t"))
		}
	}
	return all
}

// evaluated is what DMARC says of a message of which nothing is aligned.
func evaluated(t interface{ Context() context.Context }, z zone, from string) (result, policy string) {
	e := mailauth.DMARC(t.Context(), mailauth.Evidence{From: []string{" " + from}, SPF: "fail", SPFDomain: "elsewhere.example"}, z.lookup)
	return string(e.Result), string(e.Policy)
}

func TestRecordCases(t *testing.T) {
	for _, row := range cases(t, "r18-dmarc-records.tsv") {
		result, policy := evaluated(t, zone{"_dmarc.bank.example": {row[2]}}, "a@bank.example")
		if result != row[0] || policy != row[1] {
			t.Errorf("%s: %s %s, want %s %s", row[2], result, policy, row[0], row[1])
		}
	}
	for _, row := range cases(t, "r18-dmarc-discovery.tsv") {
		z := zone{}
		for i, name := range []string{"_dmarc.news.bank.example", "_dmarc.bank.example"} {
			if row[3+i] != "-" {
				z[name] = strings.Split(row[3+i], "|")
			}
		}
		if result, policy := evaluated(t, z, row[2]); result != row[0] || policy != row[1] {
			t.Errorf("%q: %s %s", row, result, policy)
		}
	}
}

// One mistake in a record takes nothing from its policy, unless it is in the
// version or in a policy.
func TestRecordsWithMistakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := func(label string, all ...string) string { return rapid.SampledFrom(all).Draw(t, label) }
		wrong := from("mistake", "pct=", "pct=abc", "pct=-1", "pct=101", "pct=100%", "rf=iodef", "ri=x", "ri=-5", "fo=", "fo=9", "fo=0:1:d:s:x", "adkim=x", "aspf=relaxed", "rua=", "rua=a@b.example",
			"rua=mailto:", "ruf=mailto a@b", "unknown=1", "nonsense", "=", "==", "", " ", "x", "t=maybe", "psd=x", "p2=none", "RUA=MAILTO:a@b.example!10k", "ri=99999999999999999999", "p=none", "\x00=\xff")
		policy := from("policy", "p=reject", "p=Reject", "P=REJECT", "p = reject", "p= reject ", "p\t=\treject")
		tags := []string{policy, wrong}
		if !strings.HasPrefix(wrong, "p=") && rapid.Bool().Draw(t, "turned") {
			tags = []string{wrong, policy}
		}
		record := from("version", "v=DMARC1", "v = DMARC1", "V=DMARC1", "v=DMARC1 ", " v=DMARC1") + ";" + from("space", "", " ", "  ") + strings.Join(tags, from("separator", ";", "; ", " ; ", ";\t", ";;")) + from("end", "", ";", "; ", ";;")
		if result, policy := evaluated(t, zone{"_dmarc.bank.example": {record}}, "a@bank.example"); result != "fail" || policy != "reject" {
			t.Errorf("%q: %s %s", record, result, policy)
		}
	})
}

func TestRecordPolicies(t *testing.T) {
	const rua = "; rua=mailto:a@b.example"
	for _, tt := range []struct{ record, from, want string }{
		{"v=DMARC1; p=reject; t=y", "a@bank.example", "fail quarantine"},
		{"v=DMARC1; p=quarantine; t=y", "a@bank.example", "fail none"},
		{"v=DMARC1; p=none; sp=reject; t=y", "a@news.bank.example", "fail quarantine"},
		{"v=DMARC1; p=reject; np=bad", "a@bank.example", "none "},
		{"v=DMARC1; p=reject; np=bad" + rua, "a@bank.example", "fail none"},
		{"v=DMARC1; sp=reject", "a@bank.example", "none "},
		{"v=DMARC1; sp=reject" + rua, "a@news.bank.example", "fail none"},
		{"v=DMARC1 p=reject", "a@bank.example", "none "},
		{"p=reject; v=DMARC1", "a@bank.example", "none "},
		{"v=DMARC2; p=reject", "a@bank.example", "none "},
		{"v=DMARC1; p=reject rua=mailto:a@b.example", "a@bank.example", "none "},
	} {
		if result, policy := evaluated(t, zone{"_dmarc.bank.example": {tt.record}}, tt.from); result+" "+policy != tt.want {
			t.Errorf("%s: %s %s, want %s", tt.record, result, policy, tt.want)
		}
	}
	// The record of a public suffix is one only where it says so.
	for record, want := range map[string]string{"v=DMARC1; p=reject": "none ", "v=DMARC1; p=reject; psd=y": "fail reject", "v=DMARC1; p=none; sp=reject; psd=y": "fail reject"} {
		if result, policy := evaluated(t, zone{"_dmarc.co.uk": {record}}, "a@mail.bank.co.uk"); result+" "+policy != want {
			t.Errorf("%s at a public suffix: %s %s, want %s", record, result, policy, want)
		}
	}
}

// Mail that passes hangs on no further question: that nobody answers whether the
// author's name exists does not make its result uncertain.
func TestPassAsksNoMore(t *testing.T) {
	z := zone{"_dmarc.bank.example": {"v=DMARC1; p=none; np=reject"}, "lost.bank.example": {""}}
	e := mailauth.DMARC(t.Context(), mailauth.Evidence{From: []string{" a@lost.bank.example"}, SPF: "pass", SPFDomain: "bank.example"}, z.lookup)
	if e.Result != "pass" || e.Policy != "none" {
		t.Errorf("%+v", e)
	}
}

// np is for subdomains that do not exist, at all; one that is only above others,
// or has no texts, exists. Where it cannot be told nothing is certain, and it is
// not asked where np says what sp does.
func TestMissingSubdomains(t *testing.T) {
	z := zone{"news.bank.example": {}, "shop.bank.example": {"v=spf1 -all"}, "lost.bank.example": {""}}
	for _, tt := range []struct{ record, from, want string }{
		{"p=none; np=reject", "a@bank.example", "fail none"},
		{"p=none; np=reject", "a@news.bank.example", "fail none"},
		{"p=none; np=reject", "a@shop.bank.example", "fail none"},
		{"p=none; np=reject", "a@ghost.bank.example", "fail reject"},
		{"p=none; np=Reject ", "a@x.y.ghost.bank.example", "fail reject"},
		{"p=none; np=reject; t=y", "a@ghost.bank.example", "fail quarantine"},
		{"p=reject; np=none", "a@ghost.bank.example", "fail none"},
		{"p=reject; sp=none; np=quarantine", "a@ghost.bank.example", "fail quarantine"},
		{"p=reject; sp=none; np=quarantine", "a@news.bank.example", "fail none"},
		{"p=none; sp=reject", "a@ghost.bank.example", "fail reject"},
		{"p=none; np=reject; np=none", "a@ghost.bank.example", "fail reject"},
		{"np=reject; rua=mailto:a@bank.example", "a@ghost.bank.example", "fail none"},
		{"p=none; np=reject", "a@lost.bank.example", "temperror "},
		{"p=reject; np=reject", "a@lost.bank.example", "fail reject"},
		{"p=none; np=reject", "a@xn--e1afmkfd.bank.example", "fail reject"},
	} {
		z["_dmarc.bank.example"] = []string{"v=DMARC1; " + tt.record}
		if result, policy := evaluated(t, z, tt.from); result+" "+policy != tt.want {
			t.Errorf("%s of %s: %s %s, want %s", tt.record, tt.from, result, policy, tt.want)
		}
	}
	z["ghost.example"], z["_dmarc.example"] = nil, []string{"v=DMARC1; p=none; np=reject; psd=y"}
	delete(z, "_dmarc.bank.example")
	if result, policy := evaluated(t, z, "a@nobody.example"); result != "fail" || policy != "reject" {
		t.Errorf("below a public suffix: %s %s", result, policy)
	}
}
