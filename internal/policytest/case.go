// Package policytest runs policy unit tests: files of cases, each a message and
// what is expected to become of it.
package policytest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/rules"
)

// file is a file of cases.
type file struct {
	Case []*Case `toml:"case"`
}

// Case is a message and what is expected to become of it.
type Case struct {
	Name       string         `toml:"name"`
	Client     Client         `toml:"client"`
	Sender     string         `toml:"sender"` // "" is the null sender
	Recipients []string       `toml:"recipients"`
	Size       *int64         `toml:"size"`    // declared at MAIL
	Message    string         `toml:"message"` // a file, relative to that of the case; or:
	Subject    *string        `toml:"subject"`
	Header     map[string]any `toml:"header"` // a text, or an array of them
	Body       string         `toml:"body"`
	DNS        map[string]any `toml:"dns"` // nothing else exists
	Time       time.Time      `toml:"time"`
	Passed     bool           `toml:"greylist_passed"` // the client has waited; else it comes for the first time
	Wrote      map[string]any `toml:"wrote"`           // who of ours has written before, and to whom
	Expect     Expect         `toml:"expect"`

	File string `toml:"-"`
	Line int    `toml:"-"`
}

// Client is the SMTP client.
type Client struct {
	IP      string `toml:"ip"`
	Host    string `toml:"host"`    // "" is "unknown"
	Resolve string `toml:"resolve"` // "" is ok with a host, fail without
	Helo    string `toml:"helo"`
	TLS     any    `toml:"tls"`       // true, or the version
	User    string `toml:"auth_user"` // authenticated as
}

// Expect is what is expected. What is left out may be anything.
type Expect struct {
	Verdict string            `toml:"verdict"`
	Weight  any               `toml:"weight"`
	Rules   *[]string         `toml:"rules"` // all that count, in any order
	Rule    *string           `toml:"rule"`  // that decided
	Subject *string           `toml:"subject"`
	Reply   *string           `toml:"reply"`   // how it begins
	Header  map[string]any    `toml:"header"`  // as it leaves: a text, an array, or false for none
	Refused map[string]string `toml:"refused"` // every recipient that is refused, and how its reply begins
	Charged map[string]int64  `toml:"charged"` // every recipient that is charged, and octets
	Payers  map[string]string `toml:"payers"`  // every recipient that somebody pays for, and the id of that client
}

// maxFile bounds a file of cases, in octets.
const maxFile = 32 << 20

// Load reads a file of cases. Its error names every place where something is
// wrong, one a line.
func Load(path string) ([]*Case, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, maxFile>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f file
	md, err := toml.Decode(string(text), &f)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("%s:%d: %s", path, syntax.Position.Line, syntax.Message)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lines := caseLines(string(text))
	var errs []error
	for _, key := range md.Undecoded() {
		// Of keys below header and dns the names are free.
		errs = append(errs, fmt.Errorf("%s: unknown key %s%s", path, key, meant(key)))
	}
	names := map[string]bool{}
	for i, c := range f.Case {
		c.File = path
		if i < len(lines) {
			c.Line = lines[i]
		}
		if err := c.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c, err))
		}
		if names[c.Name] {
			errs = append(errs, fmt.Errorf("%s: there is another case of this name", c))
		}
		names[c.Name] = true
	}
	if len(f.Case) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: there is no [[case]] in it", path))
	}
	return f.Case, errors.Join(errs...)
}

func (c *Case) String() string { return fmt.Sprintf("%s:%d: case %q", c.File, c.Line, c.Name) }

// caseLines are the lines at which the cases of a file begin.
func caseLines(text string) (lines []int) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if s := strings.TrimSpace(line); strings.HasPrefix(strings.ReplaceAll(s, " ", ""), "[[case]]") {
			lines = append(lines, n)
		}
	}
	return lines
}

// keys are those of a case.
var keys = []string{
	"name", "client", "sender", "recipients", "size", "message", "subject", "header", "body", "dns", "time",
	"greylist_passed", "wrote", "expect", "ip", "host", "resolve", "helo", "tls", "auth_user", "verdict", "weight",
	"rules", "rule", "reply", "refused", "charged", "payers",
}

func meant(key toml.Key) string {
	if near := diag.Nearest(key[len(key)-1], keys); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

var verdicts = []string{"accept", "reject", "tempfail", "discard", "hold"}

// check tells what of a case cannot be.
func (c *Case) check() error {
	var errs []error
	note := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Name == "" {
		note("it has no name")
	}
	if len(c.Recipients) == 0 {
		note("it has no recipients")
	}
	if c.Message != "" && (c.Subject != nil || len(c.Header) > 0 || c.Body != "") {
		note("it has a message, and a subject, header or body besides: they are either or")
	}
	if v := c.Expect.Verdict; v != "" && !slices.Contains(verdicts, v) {
		note("expect.verdict cannot be %q; it is one of %s", v, strings.Join(verdicts, ", "))
	}
	if _, err := weight(c.Expect.Weight); err != nil {
		note("expect.weight: %w", err)
	}
	if _, err := texts(c.DNS); err != nil {
		note("dns: %w", err)
	}
	if _, err := texts(c.Header); err != nil {
		note("header: %w", err)
	}
	if _, err := texts(c.Wrote); err != nil {
		note("wrote: %w", err)
	}
	for name, v := range c.Expect.Header {
		if v == false {
			continue
		}
		if _, err := texts(map[string]any{name: v}); err != nil {
			note("expect.header: %w", err)
		}
	}
	switch c.Client.TLS.(type) {
	case nil, bool, string:
	default:
		note("client.tls is true, false or a version")
	}
	return errors.Join(errs...)
}

// texts are values that are a text or an array of texts each.
func texts(of map[string]any) (map[string][]string, error) {
	all := make(map[string][]string, len(of))
	for _, key := range slices.Sorted(maps.Keys(of)) {
		switch v := of[key].(type) {
		case string:
			all[key] = []string{v}
		case []any:
			all[key] = []string{}
			for _, one := range v {
				s, ok := one.(string)
				if !ok {
					return nil, fmt.Errorf("%q has something besides texts in its array", key)
				}
				all[key] = append(all[key], s)
			}
		default:
			return nil, fmt.Errorf("%q must be a text or an array of texts", key)
		}
	}
	return all, nil
}

// weight reads an expected weight; nil is none.
func weight(v any) (*rules.Weight, error) {
	var w rules.Weight
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		w = rules.Weight(v * 1000)
	case float64:
		f := v * 1000
		if f < 0 {
			f -= 0.5
		} else {
			f += 0.5
		}
		w = rules.Weight(f)
	default:
		return nil, errors.New("must be a number")
	}
	return &w, nil
}

// Text is the message of a case.
func (c *Case) Text() ([]byte, error) {
	if c.Message != "" {
		path := c.Message
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(c.File), path)
		}
		return os.ReadFile(path)
	}
	header, err := texts(c.Header)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(header)) {
		has[strings.ToLower(name)] = true
		for _, v := range header[name] {
			fmt.Fprintf(&b, "%s: %s\r\n", name, strings.ReplaceAll(v, "\n", "\r\n"))
		}
	}
	add := func(name, value string) {
		if !has[strings.ToLower(name)] {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	if c.Subject != nil {
		add("Subject", *c.Subject)
	}
	// What every message has (RFC 5322 §3.6).
	add("From", "<"+c.Sender+">")
	add("Date", c.now().Format(time.RFC1123Z))
	return []byte(b.String() + "\r\n" + c.Body), nil
}

// now is when a case plays.
func (c *Case) now() time.Time {
	if c.Time.IsZero() {
		return time.Now()
	}
	return c.Time
}
