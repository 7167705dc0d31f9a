package mutation

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/policytest"
	"github.com/tollgate-mail/tollgate/internal/proof"
)

// disjointed has rules of which changes can be left out for each reason.
const disjointed = `[gateway]
name = "mx1.example.org"
[[client]]
id = "ivan"
addresses = ["ivan@example.org"]
[lists]
who = ["a@example.com", "example.com", ".example.net", "192.0.2.0/24", "192.0.2.9"]
[[rule]]
name = "net"
stage = "connect"
match.client_ip = ["198.51.100.0/24", "198.51.100.7", "list:who"]
action = "tempfail"
[[rule]]
name = "covered"
stage = "connect"
match = { client_ip = "198.51.100.7", client_resolve = "fail" }
action = "reject"
[[rule]]
name = "ok"
stage = "connect"
match = { client_resolve = ["ok", "ok"] }
weight = 1
[[rule]]
name = "dead"
stage = "headers"
match = { subject = '^hello$' }
unless = { subject = 'hell' }
weight = 1
[[rule]]
name = "one"
stage = "headers"
match = { subject = ['hell', 'hello', '^.*world'] }
action = "hold"
[[rule]]
name = "two"
stage = "headers"
match = { header.X-Mailer = false }
all = { header.X-Mailer = false }
weight = 2
[[rule]]
name = "every"
stage = "headers"
match.header.X-Other = '^x*'
tag_header = "X-Note: other"
[[rule]]
name = "shadow"
stage = "headers"
match = { subject = 'hello' }
action = "reject"
shadow = true
[[threshold]]
above = 2.5
tag_subject = "[SPAM?]"
[[threshold]]
above = 100
action = "reject"
`

// What is left out because it is no other policy is none for any message that
// cases are offered for, and there is something of each reason.
func TestLeftOut(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(path, []byte(disjointed), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, plain, problems := config.LoadPlain(path)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	o := Options{Config: cfg, Policy: proof.Policy{Source: plain.Source, Compiled: cfg.Gate.Rules}}
	one := &policytest.Case{Name: "one", Recipients: []string{"ivan@example.org"}, Sender: "a@example.com", Time: noon}
	o.Cases = []*policytest.Case{one}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	cases := []*policytest.Case{one}
	for _, m := range r.Alive {
		if m.Case == "" {
			t.Logf("no case: %s", m.What)
			continue
		}
		file := filepath.Join(dir, "case.toml")
		if err := os.WriteFile(file, []byte(m.Case), 0o600); err != nil {
			t.Fatal(err)
		}
		more, err := policytest.Load(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, m.Case)
		}
		cases = append(cases, more...)
	}
	why := map[string]bool{}
	for _, m := range newMaker(&o.Policy).all() {
		if m.Why == "" {
			continue
		}
		why[m.Why] = true
		changed := *cfg
		changed.Gate.Rules = m.made
		for _, c := range cases {
			before, err := policytest.Judge(t.Context(), cfg, c)
			if err != nil {
				t.Fatal(err)
			}
			after, err := policytest.Judge(t.Context(), &changed, c)
			if err != nil {
				t.Fatal(err)
			}
			want := expected(before, after, cfg.Gate.Rules.TagHeaders(), true)
			if d := policytest.Compare(&want, after); len(d) > 0 {
				t.Errorf("%s (%s): %s: %v", m.What, m.Why, c.Name, d)
			}
		}
	}
	t.Logf("%d cases, %v", len(cases), r.Left)
	for _, w := range []string{
		"an address is in no such entry", "another value of the condition covers it", "neither rule ends the stage: both are tried in any order",
		"shadow = true: the rule is without effect", "the rule never matches", "the rule never matches, changed or not", "no sum of weights is above it",
		"an earlier rule covers it", "other entries of the list cover them", "the other conditions of the rule imply it", "the expression is found in the same texts",
	} {
		if !why[w] {
			t.Errorf("nothing is left out because %s", w)
		}
	}
}
