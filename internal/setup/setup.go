// Package setup writes a policy to begin with from a few answers. It asks nobody
// and opens no file.
package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/address"
)

// Answers are what has to be known of a gateway.
type Answers struct {
	Name      string         // of the gateway
	Domains   []string       // whose mail comes here: "example.org", ".example.org"
	NextHop   string         // host or host:port that gets it; "" for this machine's mailboxes
	Outbound  []netip.Prefix // who may send anywhere
	LoggedIn  bool           // and whoever has logged in at Postfix
	Antivirus string         // address of clamd; "" for none
	Redis     string         // host:port; "" for the embedded store
	Password  string         // file with Redis's password, or ""
	Confine   bool           // the kernel can keep the daemon to its files
}

// ParseDomains reads domains between commas or blanks.
func ParseDomains(s string) ([]string, error) {
	var all []string
	for _, word := range words(s) {
		bare, below := strings.CutPrefix(word, ".")
		domain, err := address.ToASCII(strings.TrimSuffix(bare, ".")) // a zone file's way of writing
		if err == nil {
			err = address.CheckDomain(domain)
		}
		if err != nil || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "@/:\"'\\ []") {
			return nil, fmt.Errorf("%q is no mail domain", word)
		}
		if below {
			domain = "." + domain
		}
		if !slices.Contains(all, domain) {
			all = append(all, domain)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("at least one domain is needed")
	}
	return all, nil
}

// ParseName reads a host name.
func ParseName(s string) (string, error) {
	all, err := ParseDomains(s)
	if err != nil || len(all) != 1 || strings.HasPrefix(all[0], ".") {
		return "", fmt.Errorf("%q is no host name such as mx1.example.org", s)
	}
	return all[0], nil
}

// ParseNextHop reads a host, with a port or without; "local" and nothing are this
// machine.
func ParseNextHop(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "local" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), "25"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q: %q is no port", s, port)
	}
	if host == "local" || strings.HasPrefix(host, "-") {
		return "", fmt.Errorf("%q is no host", s)
	}
	if _, err := netip.ParseAddr(host); err != nil {
		if address.CheckDomain(host) != nil || strings.ContainsAny(host, " /@:\"'$,[]") {
			return "", fmt.Errorf("%q is no host", s)
		}
	}
	return net.JoinHostPort(host, port), nil
}

// ParseSenders reads who may send anywhere: networks and addresses, and with them who
// has logged in; "users", who has logged in alone; "none" or nothing, nobody.
func ParseSenders(s string) (all []netip.Prefix, loggedIn bool, err error) {
	for _, word := range words(s) {
		switch word {
		case "none":
			continue
		case "users":
			loggedIn = true
			continue
		}
		p, err := netip.ParsePrefix(word)
		if a, wrong := netip.ParseAddr(word); wrong == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil:
			return nil, false, fmt.Errorf("%q is no network such as 10.0.0.0/8", word)
		case p.Bits() == 0:
			return nil, false, fmt.Errorf("%q would let everybody send anywhere", word)
		}
		all = append(all, p.Masked())
	}
	return all, loggedIn || len(all) > 0, nil
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\t' })
}

// Policy is the policy that the answers make.
func (a Answers) Policy() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	say(`# The policy of this gateway. After a change:
#
#     tollgate check     says everything that is wrong with it, with file and line
#     tollgate reload    puts it in force; a bad one is refused, the old one stays
#
# Every key: man policy.toml. More rules: policy.toml in the folder of tollgate's documents.

[gateway]
name = %s                # in journals and in the account; each gateway has its own
%s
[recipients]                     # nothing else comes in
mode    = "domains"              # any address of these; "known" takes those of [[client]] alone
domains = %s

`, quote(a.Name), a.confine(), list(a.Domains))
	say("[outbound]                       # who may send anywhere; nobody else ever does\n")
	networks := make([]string, len(a.Outbound))
	for n, p := range a.Outbound {
		networks[n] = p.String()
	}
	who := "false            # true: whoever logged in, too"
	if a.LoggedIn {
		who = "true             # and whoever logged in"
	}
	say("networks      = %s\nauthenticated = %s\n\n", list(networks), who)
	if a.Antivirus != "" {
		say(`[antivirus]                      # every message is scanned
clamd    = %s
action   = "reject"
on_error = "tempfail"            # clamd away or unsure: the sender tries again; "accept" lets mail pass unscanned
max_size = "25 MiB"              # clamd's StreamMaxLength must be a little larger

`, quote(a.Antivirus))
	} else {
		say("# No antivirus was found. With clamd:\n#\n# [antivirus]\n# clamd = \"unix:/run/clamav/clamd.ctl\"\n\n")
	}
	if a.Redis != "" {
		say("[redis]                          # the account; several gateways share it\naddrs = %s\n", list([]string{a.Redis}))
		if a.Password != "" {
			say("password_file = %s\n", quote(a.Password))
		}
		say("\n")
	} else {
		say("# The account is in a file of this machine. Several gateways share one in Redis:\n#\n# [redis]\n# addrs = [\"127.0.0.1:6379\"]\n\n")
	}
	b.WriteString(rules)
	return b.String() + seal(b.String())
}

// confine is the line that has the daemon give up what it does not need, where it can.
func (a Answers) confine() string {
	if !a.Confine {
		return ""
	}
	return "confine = \"on\"                   # it opens no files but those named here; one elsewhere needs a restart, or read_paths\n"
}

// sealed is how the last line of a policy begins that is as setup wrote it.
const sealed = "\n# As tollgate setup wrote it: "

func seal(text string) string {
	sum := sha256.Sum256([]byte(text))
	return sealed + hex.EncodeToString(sum[:8]) + "\n"
}

// Untouched tells whether a policy is as setup wrote it, whatever it was told then:
// nobody's own work is in it.
func Untouched(policy string) bool {
	i := strings.LastIndex(policy, sealed)
	return i >= 0 && policy[i:] == seal(policy[:i])
}

// rules are the defaults: weights that alone mark nothing, and what nobody can
// want.
const rules = `# Who is billed for mail. Until there is a client nobody is.
#
# [[client]]
# id        = "sales"
# addresses = ["ivan@example.org", "@sales.example.org"]

# Weights add up; the thresholds below judge the sum.

[[rule]]
name   = "client-without-name"   # its address has no name, or one that does not lead back
stage  = "mailfrom"
match  = { direction = "inbound", client_resolve = ["fail", "forged"] }
weight = 1.5

[[rule]]
name   = "helo-without-dot"      # no name of the Internet
stage  = "mailfrom"
match  = { direction = "inbound", helo = '^[^.]+$' }
weight = 1

[[rule]]
name   = "forged-sender"         # the sender's domain does not send from there
stage  = "mailfrom"
match  = { direction = "inbound", spf = "fail" }
weight = 3

[[rule]]
name   = "forged-author"         # and asks to have such mail refused
stage  = "complete"
match  = { direction = "inbound", dmarc = "fail", dmarc_policy = "reject" }
action = "reject"
reply  = "550 5.7.26 The domain of the author refuses mail that it did not send"

[[threshold]]
above       = 4
tag_subject = "[SPAM?]"
tag_header  = "X-Spam-Flag: YES"
`

// quote writes a TOML string. What comes here has no control characters.
func quote(s string) string { return strconv.Quote(s) }

func list(all []string) string {
	quoted := make([]string, len(all))
	for n, s := range all {
		quoted[n] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
