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

	"github.com/tollgate-mail/tollgate/rules"
)

// Case is a message and what is expected to become of it.
type Case struct {
	Name       string
	Client     Client
	Sender     string // "" is the null sender
	Recipients []string
	Size       *int64 // declared at MAIL
	Message    string // a file, relative to that of the case; or:
	Subject    *string
	Header     map[string]any // a text, or an array of them
	Body       string
	DNS        map[string]any // nothing else exists
	Time       time.Time
	Passed     bool           // the client has waited; else it comes for the first time
	Wrote      map[string]any // who of ours has written before, and to whom
	Inspectors Said           // what services would say of the message; nil: none is asked
	Expect     Expect

	File string
	Line int

	clients *clients // of its file; nil: none
}

// Client is the SMTP client.
type Client struct {
	IP      string
	Host    string // "" is "unknown"
	Resolve string // "" is ok with a host, fail without
	Helo    string
	TLS     any    // true, or the version
	User    string // authenticated as
}

// Expect is what is expected. What is left out may be anything.
type Expect struct {
	Verdict string
	Weight  any
	Rules   *[]string // all that count, in any order
	Rule    *string   // that decided
	Subject *string
	Reply   *string           // how it begins
	Header  map[string]any    // as it leaves: a text, an array, or false for none
	Refused map[string]string // every recipient that is refused, and how its reply begins
	Charged map[string]int64  // every recipient that is charged, and octets
	Payers  map[string]string // every recipient that somebody pays for, and the id of that client
}

func (c *Case) String() string { return fmt.Sprintf("%s:%d: case %q", c.File, c.Line, c.Name) }

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
