package mutation_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/mutation"
	"github.com/tollgate-mail/tollgate/internal/policytest"
	"github.com/tollgate-mail/tollgate/internal/proof"
)

// options are a policy and its cases.
func options(t *testing.T, policy, cases string) mutation.Options {
	t.Helper()
	cfg, plain, problems := config.LoadPlain(policy)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	all, err := policytest.Load(cases)
	if err != nil {
		t.Fatal(err)
	}
	return mutation.Options{Config: cfg, Policy: proof.Policy{Source: plain.Source, Compiled: cfg.Gate.Rules}, Cases: all}
}

func run(t *testing.T, o mutation.Options) *mutation.Report {
	t.Helper()
	r, err := mutation.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func alive(r *mutation.Report) (all []string) {
	for _, m := range r.Alive {
		all = append(all, m.What)
	}
	return all
}

const contrib = "../../contrib/"

// The example leaves nothing alive.
func TestExample(t *testing.T) {
	r := run(t, options(t, contrib+"policy.toml", contrib+"cases.toml"))
	for _, m := range r.Alive {
		t.Errorf("%s\n%s", m.What, m.Case)
	}
	if r.Killed < 80 || len(r.Untried) > 0 || r.Killed+len(r.Alive)+len(r.Untried) > r.Mutants {
		t.Errorf("%+v", r)
	}
}

// holes are what is taken from the example's cases, and the change of the policy
// that nothing notices then.
var holes = []struct{ name, from, to, what string }{
	{"case", "so is one of IPv6", "", `rule "blocked-networks": match client_ip: '2001:db8:bad::/48' is left out`},
	{"case", "a partner with an address of its own, IPv6", "", `list partners is without its IP addresses`},
	{"case", "a name that only begins like ours is another's", "", `'(^|\.)example\.org$' is without its $`},
	{"case", "the other office may have our name, too", "", `unless client_ip: '192.168.0.0/16' is left out`},
	{"case", "what we send may be huge", "", `rule "huge": match direction: the condition is left out`},
	{"case", "exactly 50 MiB is not over 50 MiB", "", `'> 50 MiB' is >= 52428800`},
	{"case", "a domain that ends like ours is another's", "", `'^example\.org$' is without its ^`},
	{"case", "a domain that begins like ours is another's", "", `'^example\.org$' is without its $`},
	{"case", "freemail over TLS is as it should be", "", `rule "freemail-without-tls": match tls: the condition is left out`},
	{"case", "we may send to more than a hundred", "", `rule "too-many-recipients": match direction: the condition is left out`},
	{"case", "or below it", "", `list partners is without its subdomains`},
	{"case", "or at a partner's address as a literal, IPv6", "", `list partners is without its IP addresses`},
	{"case", "or at one of a partner's network", "", `list partners is without its networks`},
	{"case", "a Precedence that only ends in it is another one", "", `'^(bulk|junk)$' is without its ^`},
	{"case", "a Precedence that only begins with it is another one", "", `'^(bulk|junk)$' is without its $`},
	{"case", "a mailing list may be bulk", "", `unless header.List-Id: the condition is left out`},
	{"case", "a trap answers as a trap, after however many recipients", "", `rule "too-many-recipients" is tried before rule "trap"`},
	{"case", "5.5 is above 5", "", `the threshold above 5: it is above 5.5`},
	{"case", "5 is not above 5", "", `the threshold above 5: it is passed by 5, too`},
	{"case", "12.5 is above 12", "", `the threshold above 12: it is above 12.5`},
	{"case", "12 is not above 12", "", `the threshold above 12: it is passed by 12, too`},
	{"case", "nobody else has our name", "", `rule "helo-is-us": action "reject" is gone`},
	{"case", "a hundred recipients at once are enough", "", `rule "too-many-recipients": action "tempfail" is gone`},
	{"text", "expect.weight  = 2\n\n[[case]]\nname       = \"support", "\n[[case]]\nname       = \"support", `rule "freemail-without-tls": weight 2 is 3`},
}

// Each hole is named, and the case that is offered closes it.
func TestHoles(t *testing.T) {
	text, err := os.ReadFile(contrib + "cases.toml")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for i, h := range holes {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			less := strings.Replace(string(text), h.from, h.to, 1)
			if h.name == "case" {
				less = withoutCase(t, string(text), h.from)
			}
			if less == string(text) {
				t.Fatalf("nothing was taken: %s", h.from)
			}
			path := filepath.Join(t.TempDir(), "cases.toml")
			put(t, path, less)
			o := options(t, contrib+"policy.toml", path)
			r := run(t, o)
			at := slices.IndexFunc(r.Alive, func(m *mutation.Mutant) bool { return strings.HasSuffix(m.What, h.what) })
			if at < 0 {
				t.Fatalf("not named: %s, but %q", h.what, alive(r))
			}
			named++
			m := r.Alive[at]
			if m.Case == "" || m.Line == 0 {
				t.Fatalf("no case: %+v", m)
			}
			put(t, path, less+"\n"+m.Case)
			o = options(t, contrib+"policy.toml", path)
			if r := run(t, o); slices.Contains(alive(r), m.What) {
				t.Errorf("the case does not notice %s:\n%s", m.What, m.Case)
			}
		})
	}
	if named < 20 && !t.Failed() {
		t.Errorf("%d holes", named)
	}
}

// withoutCase is a file of cases without one.
func withoutCase(t *testing.T, text, name string) string {
	t.Helper()
	at := strings.Index(text, `"`+name+`"`)
	if at < 0 {
		t.Fatalf("no case %q", name)
	}
	from := strings.LastIndex(text[:at], "[[case]]")
	next := strings.Index(text[at:], "[[case]]")
	if next < 0 {
		return text[:from]
	}
	return text[:from] + text[at+next:]
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// many has something of everything that is changed.
const many = `[gateway]
name = "mx1.example.org"
[outbound]
networks = ["10.0.0.0/8"]
authenticated = true
[[client]]
id = "ivan"
addresses = ["ivan@example.org", "@all.example.org"]
[[client]]
id = "other"
addresses = ["other@example.org", "petrivan@example.org"]
[[client]]
id = "ivanov"
addresses = ["ivanov@example.org"]
[lists]
who = ["a@example.net", "news@", "example.edu", ".example.edu", '/^promo/']
words = { entries = ["lottery win", "casino"], type = "word" }
[[rule]]
name = "listed"
stage = "connect"
match = { dnsbl = ["dnsbl.example.net=127.0.0.[2..3]", "other.example"] }
weight = 3
[[rule]]
name = "old-tls"
stage = "mailfrom"
any = { tls = false, tls_version = '^TLSv1$' }
unless = { authenticated = true }
weight = 1
[[rule]]
name = "no-mx"
stage = "mailfrom"
match = { sender_mx = ["missing", "null"] }
weight = 2
[[rule]]
name = "spf-fails"
stage = "mailfrom"
match.spf = ["fail", "softfail"]
weight = 2
[[rule]]
name = "who"
stage = "mailfrom"
match.sender = "list:who"
action = "reject"
[[rule]]
name = "grey"
stage = "rcptto"
match = { recipient_client = "^ivan$", direction = "inbound" }
unless = { correspondent = true }
action = "greylist"
[[rule]]
name = "words"
stage = "headers"
match.subject = "list:words"
weight_each = 1
weight_max = 2
[[rule]]
name = "both"
stage = "headers"
match.rule = "words"
action = "hold"
[[rule.any]]
header.X-Mailer = 'cannon'
header_count.Received = "> 3"
[[rule.any]]
author_domain = '\.example\.com$'
[[rule]]
name = "other"
stage = "headers"
match.header.To = 'undisclosed'
action = "discard"
last = true
[[rule]]
name = "hop"
stage = "headers"
match = { header_ip = ["198.51.100.0/24", "2001:db8::/32"] }
weight = -1
[[rule]]
name = "never"
stage = "complete"
match = { size = "> 4 KiB", subject = '^x$' }
unless = { subject = 'x' }
weight = 4
[[rule]]
name = "tried"
stage = "complete"
match = { size = "< 8 KiB" }
weight = 4
shadow = true
[[rule]]
name = "small"
stage = "complete"
match = { size = ["< 200", "= 300"] }
weight = 0.5
[[threshold]]
above = 4
tag_subject = "[SPAM?]"
[[threshold]]
above = 9
action = "reject"
`

const few = `[[case]]
name = "one"
client = { ip = "192.0.2.7", host = "mail.example.com", helo = "mail.example.com", tls = true }
sender = "a@example.com"
recipients = ["ivan@example.org"]
subject = "Hello"
greylist_passed = true
expect.verdict = "accept"
`

// The recipes leave nothing alive: each condition, word and number of theirs is there
// for a message that a case has.
func TestRecipes(t *testing.T) {
	t.Parallel()
	all, err := filepath.Glob(contrib + "recipes/*/policy.toml")
	if err != nil || len(all) < 50 {
		t.Fatalf("%d recipes, %v", len(all), err)
	}
	for _, policy := range all {
		t.Run(filepath.Base(filepath.Dir(policy)), func(t *testing.T) {
			t.Parallel()
			r := run(t, options(t, policy, filepath.Join(filepath.Dir(policy), "cases.toml")))
			for _, m := range r.Alive {
				t.Errorf("%s\n%s", m.What, m.Case)
			}
			if r.Mutants > 0 && r.Killed == 0 || len(r.Untried) > 0 {
				t.Errorf("%d noticed, not tried: %v", r.Killed, r.Untried)
			}
		})
	}
}

// A case is offered for nearly everything that can be noticed, and each notices
// its change; what is left out changes no case that is offered.
func TestPasted(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "policy.toml"), many)
	put(t, filepath.Join(dir, "cases.toml"), few)
	o := options(t, filepath.Join(dir, "policy.toml"), filepath.Join(dir, "cases.toml"))
	r := run(t, o)
	text, none := few, []string{}
	for i, m := range r.Alive {
		if m.Case == "" {
			none = append(none, m.What)
			continue
		}
		text += "\n" + strings.Replace(m.Case, "name           = \"", fmt.Sprintf("name           = \"%d ", i), 1)
	}
	t.Logf("%d changes, %d alive, %d without a case, left out: %v", r.Mutants, len(r.Alive), len(none), r.Left)
	put(t, filepath.Join(dir, "cases.toml"), text)
	o = options(t, filepath.Join(dir, "policy.toml"), filepath.Join(dir, "cases.toml"))
	r = run(t, o)
	for _, what := range alive(r) {
		if !slices.Contains(none, what) {
			t.Errorf("the case does not notice: %s", what)
		}
	}
	for _, what := range none {
		t.Logf("no case: %s", what)
	}
	if len(none) > r.Mutants/10 {
		t.Errorf("for %d of %d there is no case", len(none), r.Mutants)
	}
}

// What there is no time for is told.
func TestBudget(t *testing.T) {
	o := options(t, contrib+"policy.toml", contrib+"cases.toml")
	o.Spent = func() bool { return true }
	r := run(t, o)
	if r.Killed != 0 || len(r.Alive) != 0 || len(r.Untried) == 0 || r.Runs != 0 {
		t.Errorf("%+v", r)
	}
}

// With cases that fail nothing is changed.
func TestFailing(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "cases.toml"), strings.Replace(few, "accept", "reject", 1))
	put(t, filepath.Join(dir, "policy.toml"), many)
	_, err := mutation.Run(t.Context(), options(t, filepath.Join(dir, "policy.toml"), filepath.Join(dir, "cases.toml")))
	if !errors.Is(err, mutation.ErrFailing) {
		t.Error(err)
	}
}
