package policytest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/policytest"
)

const inspected = `[gateway]
name = "mx1.example.org"
[[client]]
id = "ivan"
addresses = ["ivan@example.org"]
[antivirus]
clamd = "tcp:127.0.0.1:3310"
action = "reject"
reply = "550 5.7.1 Infected: {virus}"
on_error = "tempfail"
[[module]]
name = "rspamd"
type = "rspamd"
url = "http://127.0.0.1:11333"
[[module]]
name = "files"
type = "attachment"
[[rule]]
name = "bayes"
stage = "complete"
match.module.rspamd.symbol = '^BAYES_SPAM$'
weight = 1
[[threshold]]
above = 8
action = "reject"
`

// What inspectors say in a case is what rules see, and nobody is asked.
func TestInspectors(t *testing.T) {
	for says, want := range map[string]string{
		`{ antivirus = { virus = "Eicar-Test-Signature" } }`: "reject 550 5.7.1 Infected: Eicar-Test-Signature",
		`{ antivirus = {} }`:      "accept ",
		`{ antivirus = "error" }`: "tempfail 451",
		`{ rspamd = { score = 7.5, symbols = ["BAYES_SPAM"] } }`:          "reject 550",
		`{ rspamd = { score = 7.0, symbols = ["BAYES_SPAM"] } }`:          "accept ",
		`{ rspamd = "error", antivirus = {} }`:                            "accept ",
		`{ files = { symbols = ["ARCHIVE_EXECUTABLE"] }, antivirus = {}}`: "accept ",
	} {
		verdict, reply, _ := strings.Cut(want, " ")
		cfg, cases, err := load(t, inspected, `[[case]]
name = "one"
client = { ip = "192.0.2.7" }
recipients = ["ivan@example.org"]
subject = "x"
inspectors = `+says+`
expect.verdict = "`+verdict+`"
expect.reply = "`+reply+`"
`)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range policytest.Run(t.Context(), cfg, cases) {
			if !r.Passed {
				t.Errorf("%s: %s %v", says, r.Error, r.Differences)
			}
		}
	}
}

// An inspector that the policy does not have is told, and so is one that no case
// says anything of.
func TestUnasked(t *testing.T) {
	cfg, cases, err := load(t, inspected, `[[case]]
name = "one"
client = { ip = "192.0.2.7" }
recipients = ["ivan@example.org"]
inspectors.rspam = {}
[[case]]
name = "two"
client = { ip = "192.0.2.7" }
recipients = ["ivan@example.org"]
inspectors.rspamd = {}
`)
	if err != nil {
		t.Fatal(err)
	}
	if r := policytest.Run(t.Context(), cfg, cases)[0]; r.Error != "inspectors.rspam: the policy has no such inspector" {
		t.Errorf("%+v", r)
	}
	if got := policytest.Unasked(cfg, cases); !slices.Equal(got, []string{"antivirus"}) {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{`rspamd = "away"`, `rspamd = 7`, `rspamd = { scor = 1 }`, `antivirus = { score = 1 }`, `rspamd = ["x"]`} {
		if _, _, err := load(t, inspected, "[[case]]\nname = \"a\"\nrecipients = [\"x\"]\ninspectors = { "+bad+" }\n"); err == nil || !strings.Contains(err.Error(), "cases.toml:4: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
