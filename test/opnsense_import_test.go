package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A policy that is brought onto the pages renders to one that means the same, with
// what is left in conf.d: the examples, what the pages themselves rendered, and
// policies at random.
func TestOPNsenseImport(t *testing.T) {
	t.Parallel()
	root, dir := moduleRoot(t), t.TempDir()
	policies, err := filepath.Glob(filepath.Join(root, "contrib/examples/*/policy.toml"))
	if err != nil || len(policies) < 10 {
		t.Fatal(policies, err)
	}
	policies = append(policies, filepath.Join(root, "contrib/policy.toml"))
	samples, err := filepath.Glob(filepath.Join(root, "contrib/opnsense/test/samples/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples {
		out := filepath.Join(dir, "rendered", filepath.Base(sample))
		run(t, root, "/usr/bin/python3", "contrib/opnsense/test/render.py", "--config", sample, "--out", out, "--templates", templates, "OPNsense/Tollgate")
		policies = append(policies, filepath.Join(out, "usr/local/etc/tollgate/policy.toml"))
	}
	for n := range 40 {
		policies = append(policies, filepath.Join(dir, fmt.Sprintf("random-%d.toml", n)))
		text := randomPolicy(rand.New(rand.NewPCG(15, uint64(n))))
		if err := os.WriteFile(policies[len(policies)-1], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args, on := []string{"contrib/opnsense/test/imported.py"}, 0
	for n, policy := range policies {
		args = append(args, policy, filepath.Join(dir, strconv.Itoa(n)))
	}
	c := exec.Command("/usr/bin/python3", args...)
	c.Dir, c.Env = root, append(os.Environ(), "TOLLGATE="+binary)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for n, policy := range policies {
		out := filepath.Join(dir, strconv.Itoa(n))
		rendered := filepath.Join(out, "usr/local/etc/tollgate/policy.toml")
		run(t, root, binary, "check", "--policy", rendered)
		for _, difference := range differences(t, policy, rendered) {
			text, _ := os.ReadFile(policy)
			t.Errorf("%s: %s\n%s", policy, difference, text)
		}
		var plan struct {
			Rows map[string][]map[string]string
		}
		b, err := os.ReadFile(filepath.Join(out, "plan.json"))
		if err := errors.Join(err, json.Unmarshal(b, &plan)); err != nil {
			t.Fatal(err)
		}
		on += len(plan.Rows["rule"])
	}
	if on < 60 {
		t.Errorf("only %d rules came onto the pages", on)
	}
}

// What a restored config.xml has in any field comes out as a value, never as a key, a
// section, or an expression of the template.
func TestOPNsenseHostile(t *testing.T) {
	t.Parallel()
	run(t, moduleRoot(t), "/usr/bin/python3", "contrib/opnsense/test/hostile.py")
}

// differences are what the second policy says otherwise than the first, but for the
// places of the plugin, what goes without saying, and paths that are absolute now.
func differences(t *testing.T, before, after string) []string {
	t.Helper()
	out, err := exec.Command(binary, "policy", "diff", before, after, "--json").Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1 || len(exit.Stderr) > 0) {
		return []string{err.Error()}
	}
	var changes []struct {
		Where, What, Key, Before, After string
		Added, Removed                  []string
	}
	if err := json.Unmarshal(out, &changes); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var found []string
	for _, c := range changes {
		kind, _, _ := strings.Cut(strings.Trim(c.Where, "[]"), " ")
		key := kind + "." + c.Key
		was, is := c.Before, c.After
		values := func(s string) string { return strings.Trim(s, `"`) }
		switch {
		case c.What != "changed":
		case slices.Contains([]string{"gateway.listen", "gateway.state_dir", "gateway.postfix_config", "gateway.confine", "gateway.read_paths", "journal.dir", "clients.file"}, key):
			continue
		case key == "gateway.name" && was == "":
			continue
		case is == "" && (was == withoutSaying[key] || was == "[]"):
			continue
		case strings.HasSuffix(c.Key, "file") && filepath.Join(filepath.Dir(before), values(was)) == values(is):
			continue
		case (c.Key == "max_size" || c.Key == "included") && mebibytes(was) == mebibytes(is):
			continue
		}
		found = append(found, fmt.Sprintf("%+v", c))
	}
	return found
}

// withoutSaying is what policy.toml(5) says of keys that are not there.
var withoutSaying = map[string]string{
	"gateway.on_error": `"tempfail"`, "gateway.report_header": `"X-Tollgate"`, "recipients.mode": `"known"`, "recipients.delimiter": `"+"`,
	"outbound.authenticated": "false", "journal.syslog": `""`, "journal.trace.protocol": "false", "journal.trace.rules": "false",
	"accounting.share": `"full"`, "accounting.outbound": "false", "antivirus.action": `"reject"`, "antivirus.on_error": `"tempfail"`,
	"antivirus.max_size": `"25 MiB"`, "antivirus.oversize": `"accept"`, "module.factor": "1", "rule.enabled": "true", "rule.shadow": "false",
	"rule.action": `"continue"`, "client.disabled": "false", "client.filter": "true", "tariff.period": `"month"`,
}

func mebibytes(size string) string {
	n, unit, _ := strings.Cut(strings.Trim(size, `"`), " ")
	if count, err := strconv.Atoi(n); err == nil && unit == "GiB" {
		return fmt.Sprintf("%d MiB", count*1024)
	}
	return n + " " + unit
}

// strangeTexts are texts that a policy may have in its patterns, tags and notes.
var strangeTexts = []string{
	"lottery", "лотере", `say "hello"`, `it's`, `back\\slash`, "100%", "{% raw %}", "{{ 7*7 }}", "<b>&amp;</b>", "]]>", "a\tb", "a\nb", "list:partners", "#not a comment", "' = \"x", "", " blank ",
	"\u202eevil", strings.Repeat("long ", 60),
}

// randomPolicy is a policy of what the pages know and what they do not.
func randomPolicy(r *rand.Rand) string {
	var b strings.Builder
	some := func(all ...string) string { return all[r.IntN(len(all))] }
	maybe := func(format string, args ...any) {
		if r.IntN(2) == 0 {
			fmt.Fprintf(&b, format+"\n", args...)
		}
	}
	text := func() string {
		s, _ := json.Marshal(some(strangeTexts...))
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(s))
	}
	pattern := func() string { // an expression that says that text
		s := strings.NewReplacer("{", `\{`, "(", `\(`, "*", `\*`).Replace(some(strangeTexts[:13]...))
		quoted, _ := json.Marshal(s)
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoted))
	}
	plain := func(s string) string {
		return strings.NewReplacer(`\n`, "", `\t`, "", `{`, "", `}`, "", "\u202e", "", "  ", " ").Replace(s)
	}

	b.WriteString("[gateway]\n")
	maybe(`name = %q`, some("mx1.example.org", "mx_2", "MX3"))
	maybe(`on_error = %q`, some("accept", "tempfail"))
	maybe(`report_header = %q`, some("X-Tollgate", "", "X-Report", "X-What_Else"))
	maybe(`skip_clients = [%s]`, some(``, `"127.0.0.2"`, `"10.1.0.0/16", "2001:DB8::/32"`))
	maybe(`refuse_at = "at_once"`)
	maybe(`state_dir = "/var/lib/tollgate"`)
	maybe(`confine = %q`, some("on", "off", "require"))
	maybe(`read_paths = ["/srv/lists"]`)
	b.WriteString("[recipients]\n")
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "mode = \"domains\"\ndomains = [%s]\n", some(`"example.org"`, `"example.org", ".example.net", "пример.рф"`))
	}
	maybe(`delimiter = %q`, some("+", "-", "", "+-", "%"))
	maybe(`refuse = ["disabled", "quota"]`)
	b.WriteString("[outbound]\n")
	maybe(`networks = [%s]`, some(`"10.0.0.0/8"`, `"10.0.0.0/8", "fd00::/8"`, ``))
	maybe(`authenticated = %s`, some("true", "false"))
	b.WriteString("[journal]\n")
	maybe(`syslog = %q`, some("mail", "", "local3"))
	maybe(`trace = { protocol = %s, rules = %s }`, some("true", "false"), some("true", "false"))
	maybe(`index = false`)
	b.WriteString("[accounting]\n")
	maybe(`share = %q`, some("full", "split"))
	maybe(`timezone = %q`, some("Europe/Moscow", "UTC"))
	maybe(`split_over = "all"`)
	if r.IntN(2) == 0 {
		b.WriteString("[antivirus]\n")
		fmt.Fprintf(&b, "clamd = %q\n", some("unix:/var/run/clamav/clamd.sock", "tcp:127.0.0.1:3310"))
		switch r.IntN(3) {
		case 0:
			fmt.Fprintf(&b, "action = \"tag\"\ntag_subject = %q\n", some("[VIRUS]", "[INFECTED]"))
		case 1:
			fmt.Fprintf(&b, "action = %q\n", some("hold", "discard", "reject"))
		}
		maybe(`max_size = %q`, some("25 MiB", "10 MiB", "1 GiB", "100 KiB"))
		maybe(`oversize = %q`, some("accept", "tempfail", "reject"))
		maybe(`timeout = "90s"`)
		maybe(`on_error = %q`, some("accept", "tempfail"))
	}
	if r.IntN(2) == 0 {
		b.WriteString("[[module]]\nname = \"rspamd\"\ntype = \"rspamd\"\nurl = \"http://127.0.0.1:11333\"\n")
		maybe(`factor = %s`, some("1", "0.5", "1.0", "-2", "0"))
		maybe(`timeout = "5s"`)
	}
	maybe("[greylist]\ndelay = \"3m\"")
	maybe("[replies]\nunknown = \"550 5.1.1 Nobody of that name (%%)\"")
	b.WriteString("[lists]\n")
	b.WriteString("partners = [\"192.0.2.0/24\", \"@partner.example\"]\n")
	maybe(`"UPPER" = ["a@example.com"]`)
	maybe(`empty = []`)
	maybe(`words = { entries = ["казино", "casino"], type = "word" }`)

	stages := map[string][]string{
		"connect":  {`match = { client_ip = "list:partners" }`, `match = { client_ip = ["192.0.2.0/24", "198.51.100.7"] }`, `match = { client_resolve = ["fail", "forged"] }`, `match = { dnsbl = "bl.example=127.0.0.[2..11]" }`, `match = { client_ip = "192.0.2.1", client_host = "x" }`},
		"helo":     {`match = { helo = '^[^.]+$' }`, `match = { helo = 'x' }` + "\n" + `unless = { client_ip = "list:partners" }`},
		"mailfrom": {`match = { sender_mx = ["missing", "null"] }`, `match = { tls = false }`, `match = { declared_size = "> 50 MiB" }`, `any = { sender = "a", sender_domain = "b" }`, `match = { authenticated = true }`, `match = { spf = "fail" }`},
		"rcptto":   {`match = { recipient_count = "> 100" }`, `match = { recipient_count = 7 }`, `match = { recipient = "list:partners" }`, `match = { correspondent = true }`},
		"headers":  {"match = { subject = PATTERN }", "match = { subject = [PATTERN, \"x\"] }", "match = { subject = [PATTERN] }", "match.header.X-Mailer = PATTERN", "match.header.Message-ID = false", "match.header.\"*\" = PATTERN", `match = { header_ip = "198.51.100.0/24" }`},
		"complete": {`match = { size = "< 1 KiB" }`, `match = { attachment_name = '\.exe$' }`, `match = { dmarc = "fail" }`, `match = { mime_defects = "x" }`, `any = { size = "> 1 MiB", attachment_count = "> 20" }`},
	}
	for n := range r.IntN(12) {
		stage := some(slices.Sorted(maps.Keys(stages))...)
		fmt.Fprintf(&b, "[[rule]]\nname = %q\nstage = %q\n", some("rule-", "form.x", "_r")+strconv.Itoa(n), stage)
		fmt.Fprintln(&b, strings.ReplaceAll(some(stages[stage]...), "PATTERN", pattern()))
		switch r.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "action = \"reject\"\n")
			maybe(`reply = "550 5.7.1 Not here: %s"`, some("{client_ip}", "100%", "it's"))
		case 1:
			fmt.Fprintf(&b, "weight = %s\n", some("1", "-2.5", "0.001", "3.0"))
		case 2:
			fmt.Fprintf(&b, "tag_header = %s\n", some(`"X-A: b"`, `["X-A: b", "X-C: %"]`, `["X-A: b"]`))
			maybe(`tag_subject = %s`, some(`"[A]"`, `"[\"quoted\" 100%]"`, `"[СПАМ?]"`))
		case 3:
			fmt.Fprintf(&b, "weight = 2\nlast = true\n")
		}
		maybe(`comment = %s`, plain(text()))
		maybe(`shadow = %s`, some("true", "false"))
		maybe(`enabled = %s`, some("true", "false"))
	}
	for n := range r.IntN(3) {
		fmt.Fprintf(&b, "[[threshold]]\nabove = %d\n%s\n", 5+n, some(
			"tag_subject = \"[SPAM?]\"\ntag_header = \"X-Spam-Flag: YES\"", "tag_header = \"X-Spam-Flag: YES\"", "tag_header = [\"X-Level: {weight}\"]",
			"action = \"reject\"\nreply = \"550 5.7.1 Refused as unsolicited mail (weight {weight})\"", "action = \"hold\""))
	}
	for n := range r.IntN(3) {
		fmt.Fprintf(&b, "[[tariff]]\nname = \"t%d\"\ncurrency = \"EUR\"\nper_mib = %q\n", n, some("0.05", "1"))
		maybe(`included = %q`, some("100 MiB", "1 GiB", "500 KiB"))
		maybe(`increment = "1 KiB"`)
		maybe(`period = %q`, some("day", "month"))
	}
	tariffs := strings.Count(b.String(), "[[tariff]]")
	for n := range r.IntN(6) {
		fmt.Fprintf(&b, "[[client]]\nid = %q\n", some("c", ".", "x_")+strconv.Itoa(n))
		fmt.Fprintf(&b, "addresses = [%s]\n", some(fmt.Sprintf(`"u%d@example.org"`, n), fmt.Sprintf(`"/^x%d-[0-9]+@example\\.org$/"`, n), fmt.Sprintf(`"иван%d@example.org", "v%d@example.org"`, n, n)))
		maybe(`name = %s`, text())
		maybe(`disabled = %s`, some("true", "false"))
		maybe(`filter = %s`, some("true", "false"))
		maybe(`expires = 2027-0%d-01`, 1+r.IntN(9))
		maybe(`valid_from = 2026-01-01`)
		maybe(`schedule = "Mo-Fr 08:00-20:00; Sa 10:00-14:00"`)
		if tariffs > 0 {
			maybe(`tariff = "t%d"`, r.IntN(tariffs))
		}
	}
	return b.String()
}
