package directory

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/address"
)

func TestClashes(t *testing.T) {
	_, clashes := New(Config{Domains: []string{"example.org", "exa mple.org", ".", ""}}, []*accounting.Client{
		{ID: "a", Addresses: []string{"one@example.org", "ONE@example.org", "@example.org", "/^x@/", `"one"@example.org`}},
		{ID: "b", Addresses: []string{"One@Example.Org", "@EXAMPLE.ORG", "/^x@/", "two@example.org", "two@example.org"}},
		{ID: "c", Addresses: []string{"bare", "@", "/(/", "a b@example.org", "a@b@c", "x@example..org", "\x00@example.org"}},
		{ID: "d", Addresses: []string{"a@пример.рф", "@bücher.example"}},
		{ID: "e", Addresses: []string{"A@xn--e1afmkfd.xn--p1ai", "@xn--bcher-kva.example"}},
		{ID: "a", Addresses: []string{"unseen@example.org"}},
		{ID: "No Name"},
		{ID: "_unbilled"},
		{ID: "f", Addresses: []string{"a@\u200d.example"}},
	})
	var got []string
	for _, c := range clashes {
		got = append(got, c.Error())
	}
	want := []string{
		`domain "exa mple.org": not a domain name`,
		`domain ".": not a domain name`,
		`domain "": not a domain name`,
		`address "ONE@example.org" stands twice in client "a"`,
		`address "\"one\"@example.org" stands twice in client "a"`,
		`address "One@Example.Org" of client "b" belongs to client "a" already`,
		`address "@EXAMPLE.ORG" of client "b" belongs to client "a" already`,
		`address "/^x@/" of client "b" belongs to client "a" already`,
		`address "two@example.org" stands twice in client "b"`,
		`address "bare" of client "c": no domain`,
		`address "@" of client "c": not a domain name`,
		"address \"/(/\" of client \"c\": error parsing regexp: missing closing ): `(?i)(`",
		`address "a b@example.org" of client "c": the part before the @ has a character that needs quotes, or cannot be there at all`,
		`address "a@b@c" of client "c": the part before the @ has a character that needs quotes, or cannot be there at all`,
		`address "x@example..org" of client "c": not a domain name`,
		`address "\x00@example.org" of client "c": a control character, or octets that are not UTF-8`,
		`address "A@xn--e1afmkfd.xn--p1ai" of client "e" belongs to client "d" already`,
		`address "@xn--bcher-kva.example" of client "e" belongs to client "d" already`,
		`client "a": two clients have this id`,
		`client "No Name": id "No Name": 'N' is not one of a-z 0-9 . _ -`,
		`client "_unbilled": id "_unbilled": it may not start with _`,
		"address \"a@\\u200d.example\" of client \"f\": not a domain name",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestClashSaysWhichEntry(t *testing.T) {
	_, clashes := New(Config{}, []*accounting.Client{
		{ID: "a", Addresses: []string{"one@example.org"}},
		{ID: "b", Addresses: []string{"One@example.org", "bare"}},
		{ID: "b"},
	})
	if len(clashes) != 3 {
		t.Fatal(clashes)
	}
	if c := clashes[0]; c.Text != "One@example.org" || c.Client != "b" || c.Other != "a" || c.Err != nil {
		t.Errorf("%+v", c)
	}
	if c := clashes[1]; c.Text != "bare" || c.Client != "b" || c.Other != "" || !errors.Is(c, address.ErrNoDomain) {
		t.Errorf("%+v", c)
	}
	if c := clashes[2]; c.Text != "" || c.Client != "b" || c.Other != "b" || !errors.Is(c, ErrSameID) {
		t.Errorf("%+v", c)
	}
}

// With clashes the rest of the snapshot serves.
func TestFirstClaimStands(t *testing.T) {
	d, clashes := New(Config{}, []*accounting.Client{
		{ID: "a", Addresses: []string{"one@example.org", "bare"}},
		{ID: "b", Addresses: []string{"one@example.org", "two@example.org"}},
	})
	if len(clashes) != 2 {
		t.Error(clashes)
	}
	check(t, d, map[string]string{"one@example.org": "ours a one@example.org", "two@example.org": "ours b two@example.org"})
}
