package policytest_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/policytest"
)

// policy is what most tests run by.
const policy = `[gateway]
name = "mx1.example.org"
[outbound]
networks = ["10.0.0.0/8"]
[[client]]
id = "ivan"
addresses = ["ivan@example.org"]
[[client]]
id = "off"
addresses = ["off@example.org"]
disabled = true
[[rule]]
name = "no-mx"
stage = "mailfrom"
match = { sender_mx = ["missing", "null"] }
weight = 4
[[rule]]
name = "listed"
stage = "connect"
match = { dnsbl = "dnsbl.example.net" }
weight = 6
[[rule]]
name = "grey"
stage = "rcptto"
match = { recipient_client = "ivan" }
unless = { correspondent = true, spf = "pass" }
action = "greylist"
[[rule]]
name = "lottery"
stage = "headers"
match.subject = 'лотере'
weight = 2.5
tag_header = "X-Note: lottery"
[[rule]]
name = "only-tried"
stage = "headers"
match.subject = 'лотере'
weight = 100
shadow = true
[[threshold]]
above = 5
tag_subject = "[SPAM?]"
[[threshold]]
above = 50
action = "reject"
`

func load(t *testing.T, text, cases string) (*config.Config, []*policytest.Case, error) {
	t.Helper()
	dir := configtest.Folder(t, map[string]string{"policy.toml": text, "cases.toml": cases, "a.eml": "Subject: from a file\n\nbody\n"})
	cfg := configtest.Load(t, filepath.Join(dir, "policy.toml"))
	all, err := policytest.Load(filepath.Join(dir, "cases.toml"))
	return cfg, all, err
}

// good is a case of which every expectation holds.
const good = `[[case]]
name = "everything"
client = { ip = "192.0.2.7", helo = "mail.example.com", tls = true }
sender = "a@example.com"
recipients = ["ivan@example.org", "ghost@example.org", "off@example.org", "a@example.net"]
subject = "Лотерея"
body = "x\r\n"
greylist_passed = true
time = 2026-11-23T10:00:00Z
dns = { "7.2.0.192.dnsbl.example.net A" = "127.0.0.2", "example.com MX" = ["0 ."] }
expect.verdict = "accept"
expect.weight = 12.5
expect.rules = ["lottery", "listed", "no-mx", "grey"]
expect.subject = "[SPAM?] Лотерея"
expect.header = { X-Note = "lottery", X-Spam-Flag = false }
expect.refused = { "ghost@example.org" = "550 5.1.1", "off@example.org" = "550", "a@example.net" = "550 5.7.1" }
expect.charged = { "ivan@example.org" = 92 }
expect.payers = { "ivan@example.org" = "ivan" }
[[case]]
name = "comes for the first time"
client = { ip = "192.0.2.7" }
sender = "a@example.com"
recipients = ["ivan@example.org"]
expect.verdict = "tempfail"
expect.refused = { "ivan@example.org" = "451 4.7.1" }
[[case]]
name = "wrote before"
client = { ip = "192.0.2.7" }
sender = "a@example.com"
recipients = ["ivan@example.org"]
wrote = { "ivan@example.org" = "A@example.com" }
message = "a.eml"
expect.verdict = "accept"
expect.subject = "from a file"
[[case]]
name = "a DNS server that is silent is no listing"
client = { ip = "192.0.2.7" }
recipients = ["ivan@example.org"]
greylist_passed = true
dns = { "7.2.0.192.dnsbl.example.net A" = "timeout" }
expect.weight = 0
`

func TestRun(t *testing.T) {
	cfg, cases, err := load(t, policy, good)
	if err != nil {
		t.Fatal(err)
	}
	results := policytest.Run(t.Context(), cfg, cases)
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s: %s %v", r.Name, r.Error, r.Differences)
		}
	}
	c := policytest.Covered(cfg, results)
	if got := fmt.Sprint(c.NoRules, c.NoThresholds, c.NoStates); got != "[] [50] []" {
		t.Errorf("%s: %+v", got, c)
	}
}

// Each expectation can fail, and says what there was instead.
func TestDifferences(t *testing.T) {
	for change, want := range map[string]string{
		`verdict = "accept"`:        `verdict = "reject"|verdict: want reject, got accept`,
		`weight = 12.5`:             `weight = 12|weight: want 12, got 12.5 of listed 6, no-mx 4, lottery 2.5`,
		`["lottery", "listed", "n`:  `["x", "n|rules: want x, no-mx, grey, got listed, no-mx, grey, lottery (without x, with listed, with lottery)`,
		`"[SPAM?] Лотерея"`:         `"Лотерея"|subject: want Лотерея, got [SPAM?] Лотерея`,
		`X-Note = "lottery"`:        `X-Note = false|header X-Note: want none, got lottery`,
		`X-Spam-Flag = false`:       `X-Spam-Flag = "YES"|header X-Spam-Flag: want YES, got none`,
		`"ghost@example.org" = "5`:  `"ivan@example.org" = "5|refused ghost@example.org: want accepted, got 550 5.1.1`,
		`"550 5.1.1"`:               `"550 5.1"|refused ghost@example.org: want 550 5.1, got 550 5.1.1`,
		`"a@example.net" = "550 5`:  `"b@example.net" = "550 5|refused b@example.net: want 550 5.7.1, got is no recipient`,
		`"ivan@example.org" = 92`:   `"ivan@example.org" = 93|charged ivan@example.org: want 93, got 92`,
		`{ "ivan@example.org" = 92`: `{ "x@example.org" = 1|charged ivan@example.org: want nothing, got 92`,
		`"ivan@example.org" = "iv`:  `"ivan@example.org" = "x|payer of ivan@example.org: want x`,
		`{ "ivan@example.org" = "i`: `{ "x@example.org" = "i|payer of ivan@example.org: want nobody`,
	} {
		to, says, _ := strings.Cut(want, "|")
		cfg, cases, err := load(t, policy, strings.Replace(good, change, to, 1))
		if err != nil {
			t.Fatal(err)
		}
		r := policytest.Run(t.Context(), cfg, cases[:1])[0]
		if r.Passed || !slices.ContainsFunc(r.Differences, func(d policytest.Difference) bool { return strings.HasPrefix(d.String(), says) }) {
			t.Errorf("%s: %v, want %s", to, r.Differences, says)
		}
	}
}

// A file of cases that is wrong is told with its place.
func TestLoadErrors(t *testing.T) {
	for text, says := range map[string]string{
		"":                              "cases.toml:1: there is no [[case]]",
		"[[case]]\nname = 1\n":          "cases.toml:2: name must be a string, not a number",
		"[[case]]\nnme = \"x\"\n":       "cases.toml:2: unknown key nme in [[case]]; did you mean name?",
		"[[case\n":                      "cases.toml:1: not TOML",
		"[case]\nname = \"x\"\n":        "write [[case]]",
		"\n[[case]]\nrecipients = []\n": "cases.toml:2: [[case]] needs name",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\n[[case]]\nname = \"a\"\nrecipients = [\"x\"]\n": "cases.toml:4: there is another case \"a\"",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\nmessage = \"m\"\nbody = \"b\"\n":                "either or",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\nexpect.verdict = \"pass\"\n":                    "cases.toml:4: verdict cannot be \"pass\"",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\nexpect.weight = \"1\"\n":                        "cases.toml:4: expect.weight must be a number",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\ndns = { \"a A\" = 1 }\n":                        "\"a A\" must be a string or an array",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\ndns = { \"example.com\" = \"x\" }\n":            "cases.toml:4: dns: \"example.com\": a type is missing, such as in \"example.com MX\"",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\ndns = { \"example.com SRV\" = \"x\" }\n":        "type \"SRV\" is none of",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\nclient = { ip = \"x\" }\n":                      "cases.toml:4: client.ip",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\nclient = \"x\"\n":                               "cases.toml:4: client must be a table, not a string",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\ntime = \"2026-11-28 10:00\"\n":                  "time must be a date with a time such as 2026-11-23T10:00:00Z, without quotes",
		"[[case]]\nname = \"a\"\nrecipients = [\"x\"]\nexpect.refused = [\"x\"]\n":                     "cases.toml:4: refused must be a table such as",
	} {
		if _, _, err := load(t, policy, text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %s", text, err, says)
		}
	}
}

// A value of a type that a key does not take is told with its line: none is dropped.
func TestWrongTypes(t *testing.T) {
	kinds := map[string]string{
		"text": `"x"`, "number": "7", "fraction": "1.5", "truth": "true", "date": "2026-11-23", "time": "2026-11-23T10:00:00Z", "clock": "10:00:00",
		"array": `["x"]`, "numbers": "[1]", "table": `{ "a@example.org" = "x" }`, "inner": `{ "a@example.org" = { x = 1 } }`,
	}
	takes := map[string]string{
		"name": "text", "client": "", "client.ip": "", "client.host": "text", "client.resolve": "", "client.helo": "text", "client.tls": "text truth", "client.auth_user": "text",
		"sender": "text", "recipients": "array", "size": "text number", "message": "text", "subject": "text", "header": "table", "body": "text", "dns": "", "time": "time",
		"greylist_passed": "truth", "wrote": "table", "expect": "", "expect.verdict": "", "expect.weight": "number fraction", "expect.rules": "array", "expect.rule": "text",
		"expect.subject": "text", "expect.reply": "text", "expect.header": "table", "expect.refused": "table", "expect.charged": "", "expect.payers": "table",
	}
	path := filepath.Join(t.TempDir(), "cases.toml")
	for key, fit := range takes {
		for kind, value := range kinds {
			text := "[[case]]\n"
			for required, v := range map[string]string{"name": `"n"`, "recipients": `["ivan@example.org"]`} {
				if required != key {
					text += required + " = " + v + "\n"
				}
			}
			line := strings.Count(text, "\n") + 1
			if err := os.WriteFile(path, []byte(text+key+" = "+value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := policytest.Load(path)
			switch {
			case slices.Contains(strings.Fields(fit), kind):
				// A size in words may be wrong for what it says.
				if err != nil && key != "size" {
					t.Errorf("%s = %s: %v", key, value, err)
				}
			case err == nil:
				t.Errorf("%s = %s is taken", key, value)
			case !strings.Contains(err.Error(), fmt.Sprintf("cases.toml:%d: ", line)):
				t.Errorf("%s = %s: %v, want line %d", key, value, err, line)
			}
		}
	}
}

// A reply begins by whole words and codes.
func TestBegins(t *testing.T) {
	for _, c := range []struct {
		reply, want string
		begins      bool
	}{
		{"451 4.7.1 Greylisted, come again", "451 4.7.1 Greylisted", true}, {"550 5.1.1 x", "550 5.1", false}, {"550 5.1.1 x", "550", true}, {"550 5.1.1 x", "55", false},
		{"550 5.7.1 No. Go", "550 5.7.1 No", true}, {"550 5.7.1 Nobody", "550 5.7.1 No", false}, {"", "", true}, {"550 5.1.1 x", "", true}, {"550 5.7.1 (ref x)", "550 5.7.1 ", true},
	} {
		if got := policytest.Begins(c.reply, c.want); got != c.begins {
			t.Errorf("%q begins with %q: %v", c.reply, c.want, got)
		}
	}
}

// What cannot be tried has failed.
func TestCannotBeTried(t *testing.T) {
	cfg, cases, err := load(t, policy, `[[case]]
name = "no file"
recipients = ["ivan@example.org"]
message = "none.eml"
`)
	if err != nil {
		t.Fatal(err)
	}
	results := policytest.Run(t.Context(), cfg, cases)
	for _, r := range results {
		if r.Passed || r.Error == "" {
			t.Errorf("%+v", r)
		}
	}
	var b bytes.Buffer
	if err := policytest.WriteJUnit(&b, results); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Suites []struct {
			Tests  int `xml:"tests,attr"`
			Errors int `xml:"errors,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &report); err != nil || len(report.Suites) != 1 || report.Suites[0].Tests != 1 || report.Suites[0].Errors != 1 {
		t.Errorf("%+v, %v\n%s", report, err, b.String())
	}
}

// The example policies go as their cases say, and every rule of them is in one.
func TestExamples(t *testing.T) {
	dir := filepath.Join("..", "..", "contrib")
	cfg := configtest.Load(t, filepath.Join(dir, "policy.toml"))
	cases, err := policytest.Load(filepath.Join(dir, "cases.toml"))
	if err != nil {
		t.Fatal(err)
	}
	results := policytest.Run(t.Context(), cfg, cases)
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s:%d: %s: %s %v", r.File, r.Line, r.Name, r.Error, r.Differences)
		}
	}
	if c := policytest.Covered(cfg, results); len(c.NoRules)+len(c.NoThresholds)+len(c.NoStates) > 0 {
		t.Errorf("no case reaches %+v", c)
	}
}

// A thousand cases: how long they take is the benchmark's to say.
func BenchmarkThousandCases(b *testing.B) {
	cfg := configtest.Load(b, filepath.Join("..", "..", "contrib", "policy.toml"))
	cases, err := policytest.Load(filepath.Join("..", "..", "contrib", "cases.toml"))
	if err != nil {
		b.Fatal(err)
	}
	var many []*policytest.Case
	for len(many) < 1000 {
		many = append(many, cases[len(many)%len(cases)])
	}
	for b.Loop() {
		policytest.Run(b.Context(), cfg, many)
	}
}
