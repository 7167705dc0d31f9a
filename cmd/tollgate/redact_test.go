package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/rules"
)

var testKey = redactKey("0123456789abcdef0123456789abcdef")

// What is passed on names nobody: neither local parts nor subjects are in it, and the
// same person has the same hash.
func TestRedact(t *testing.T) {
	h := newHouse(t)
	h.journals()
	for _, args := range []string{
		"journal --redact", "journal --redact --json", "journal show r1 --redact", "journal show r2 --redact", "journal show r2 --redact --json",
		"explain --ref r1 --redact", "explain --ref r2 --redact --json", "journal --count-by recipient --redact",
		"explain --offline --redact --sender anna@example.com --recipient ivan@example.org --recipient ghost@example.org",
	} {
		o := h.run(strings.Fields(args)...)
		if o.code != 0 {
			t.Errorf("%s: %+v", args, o)
		}
		for _, name := range []string{"ivan", "anna", "ghost", "Отчёт", "kcab"} {
			if strings.Contains(o.out+o.err, name) {
				t.Errorf("%s: %q is in\n%s", args, name, o.out)
			}
		}
		if !strings.Contains(o.out, "~") {
			t.Errorf("%s: no hash in\n%s", args, o.out)
		}
	}
	if a, b := testKey.address("<Ivan@Example.ORG>"), testKey.address("ivan@example.org"); a != b || !strings.HasSuffix(a, "@example.org") {
		t.Error(a, b)
	}
	for text, want := range map[string]string{
		"550 5.1.1 <ivan@example.org>: no such user": "550 5.1.1 <" + testKey.address("ivan@example.org") + ">: no such user",
		"from=ivan@example.org.":                     "",
	} {
		got := testKey.text(text)
		if strings.Contains(got, "ivan") || want != "" && got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	rule := journal.Entry{Event: journal.EventRules, Detail: "match: match subject = Отчёт for ivan"}
	if got := testKey.detail(&rule); strings.Contains(got, "Отчёт") || strings.Contains(got, "ivan") {
		t.Error(got)
	}
}

// A sender's words are in no field of what is passed on, wherever they were kept.
func TestRedactWords(t *testing.T) {
	const words = "geheime Worte"
	e := journal.Entry{
		Subject: words, Reply: "550 5.7.1 Refused: " + words + " (ref x)", Reason: "said: " + words, BesideReply: words, BesideReason: words,
		Tags:    []string{"Subject: [" + words + "]", "X-Note: " + words},
		Modules: []journal.ModuleHit{{Name: "files", About: map[string][]string{"ARCHIVE_EXECUTABLE": {words + ".zip/" + words + ".exe", words}}}},
	}
	for _, attribute := range []string{
		"subject", "header.Thread-Topic", "header.*", "raw_header.Comments", "author", "author_name", "attachment_name", "auth_user", "sender", "recipient",
		"module.body.text", "module.body.hidden_text", "module.body.url",
	} {
		value := words
		if attribute == "sender" || attribute == "recipient" {
			value = "geheim@example.org"
		}
		e.Rules = append(e.Rules, journal.RuleHit{Name: "r", Attribute: attribute, Text: value})
	}
	got := testKey.entry(e)
	if text := got.Line; strings.Contains(text, "geheim") || !strings.Contains(text, ".exe") {
		t.Error(text)
	}
	x := trial.Explanation{Subject: words, Reply: "550 5.7.1 " + words, Reason: words, Stages: []trial.Stage{{Reply: words, Reason: words}}, Recipients: []trial.RecipientRow{{Reply: words}}}
	for _, name := range []string{"Subject", "Thread-Topic", "From", "X-Note", "Content-Disposition", "Comments"} {
		x.Header = append(x.Header, trial.Change{Op: "+", Name: name, Value: " " + words})
	}
	testKey.explanation(&x)
	if text := fmt.Sprintf("%+v", x); strings.Contains(text, "geheim") {
		t.Error(text)
	}
	for path, want := range map[string]string{"a.zip/b.exe": testKey.hashed("a") + ".zip/" + testKey.hashed("b") + ".exe", "": "", "noending": testKey.hashed("noending"), ".htaccess": testKey.hashed(".htaccess")} {
		if got := testKey.file(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

// A short Subject is not taken out of tollgate's own words, where the gap would tell
// what it was; of a policy's words nothing is left that it may stand in.
func TestRedactShortSubject(t *testing.T) {
	const own = "451 4.7.1 Deferred by local policy, please try again later (ref 0ab1)"
	e := journal.Entry{Subject: "later", Rule: "later", Reply: own, Reason: "rule later", BesideReason: "weight 7 above 6", BesideReply: "452 4.2.2 This mailbox cannot receive mail for now (ref 0ab1)"}
	got := testKey.entry(e)
	if got.Reply != e.Reply || got.Reason != e.Reason || got.BesideReason != e.BesideReason || got.BesideReply != e.BesideReply {
		t.Errorf("%+v", got)
	}
	long := strings.Repeat("Geheim ", 60)
	for _, tt := range []struct{ subject, text, want string }{
		{"card", "rule cards", "rule cards"},
		{"card", "rule other-cards", ""}, // no rule of that name matched
		{"card", "550 5.7.1 Cards are not taken (ref 0ab1)", "550 5.7.1 " + testKey.hashed("Cards are not taken") + " (ref 0ab1)"},
		{"card", "550 5.7.1 Documents are not taken (ref 0ab1)", "550 5.7.1 Documents are not taken (ref 0ab1)"},
		{"Отчёт Geheim", "550 5.7.1 Not ????? Geheim (ref 0ab1)", ""},
		{long, "550 5.7.1 Not " + long[:256] + " (ref 0ab1)", ""},
		{"two lines geheim", "550 5.7.1 Not two\nlines geheim", ""},
		{"", "550 5.7.1 Not ", "550 5.7.1 Not "},
	} {
		got := testKey.said(tt.text, tt.subject, "cards")
		if tt.want != "" && got != tt.want || tt.want == "" && (strings.Contains(strings.ToLower(got), "geheim") || strings.Contains(got, "card")) {
			t.Errorf("%q of %q: %q", tt.text, tt.subject, got)
		}
	}
}

// Each attribute is shown or hidden because somebody has thought of it.
func TestRedactAttributes(t *testing.T) {
	hidden := []string{
		"auth_user", "sender", "recipient", "subject", "header", "raw_header", "author", "author_name", "attachment_name", "module.text", "module.hidden_text", "module.url",
	}
	for _, row := range rules.Catalogue() {
		name := row.Name
		shown := slices.Contains(shownAttributes, name)
		if row.Member != "" {
			name += "." + row.Member
			shown = slices.Contains(shownOfModules, row.Member)
		}
		if shown == slices.Contains(hidden, name) {
			t.Errorf("%s: shown by --redact is %v: put it into shownAttributes, or into hidden here", name, shown)
		}
		if got := testKey.value(row.Attr.String(), "geheim"); (got == "geheim") != (shown || name == "sender" || name == "recipient") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Who looks is written: by the daemon, or by the command while none runs.
func TestLooks(t *testing.T) {
	h := newHouse(t)
	h.journals()
	h.mustRun("journal", "show", "r1")
	h.serve()
	h.mustRun("explain", "--ref", "r1")
	h.mustRun("replay", "--journal", "--since", "30d")
	h.mustRun("trace", "on", "--rules", "--sender", "@example.com")
	out := h.mustRun("journal", "looks", "--json")
	for _, want := range []string{
		`"event":"journal show","detail":"r1"`, `"event":"explain","detail":"r1"`, `"event":"replay","detail":"--journal 30d"`,
		`"event":"trace","detail":"traced: rules from @example.com, in `, `"by":"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, `"by":""`) || strings.Contains(h.mustRun("journal"), "explain") {
		t.Error(out)
	}
}
