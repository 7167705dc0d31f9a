package policytest

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// Load reads a file of cases. Its error names every place where something is
// wrong, one a line.
func Load(path string) ([]*Case, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > document.MaxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, document.MaxFile>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	root, problem := document.Parse(path, string(text), []string{"case", "client"})
	r := &reader{names: map[string]bool{}}
	if problem != nil {
		r.Problems = append(r.Problems, *problem)
	}
	if root != nil {
		r.Read(root, "a file of cases", []values.Field{{Key: "case", Read: r.cases}, {Key: "client", Read: r.clientele}})
	}
	if len(r.all) == 0 && len(r.Problems) == 0 {
		r.ErrorAt(diag.Pos{File: path, Line: 1}, "there is no [[case]] in it")
	}
	for _, c := range r.all {
		c.clients = r.clients
	}
	return r.all, r.Finish().Err()
}

// reader reads cases.
type reader struct {
	values.Reader
	all     []*Case
	names   map[string]bool
	clients *clients
}

// clientele reads the clients that the file has.
func (r *reader) clientele(n *document.Node) {
	if !n.Tables() {
		r.Errorf(n, "clients are tables of their own: write [[client]]")
		return
	}
	r.clients = &clients{}
	for _, one := range n.Children {
		if id := one.Child("id"); id == nil || id.Kind != document.Single {
			r.Errorf(one, "[[client]] needs id")
			continue
		}
		r.clients.list = append(r.clients.list, config.Definition{Text: one.Placed(), Pos: one.Pos()})
	}
}

func (r *reader) cases(n *document.Node) {
	if !n.Tables() {
		r.Errorf(n, "cases are tables of their own: write [[case]]")
		return
	}
	for _, one := range n.Children {
		r.one(one)
	}
}

func (r *reader) one(n *document.Node) {
	c := &Case{File: n.File, Line: n.Line}
	r.Read(n, "[[case]]", []values.Field{
		{Key: "name", Read: r.Text(&c.Name), Required: true},
		{Key: "client", Read: r.client(&c.Client)},
		{Key: "sender", Read: r.Text(&c.Sender)},
		{Key: "recipients", Read: r.list(&c.Recipients), Required: true},
		{Key: "size", Read: func(n *document.Node) {
			c.Size = new(int64)
			r.Size(c.Size, 0, 1<<50)(n)
		}},
		{Key: "message", Read: r.Text(&c.Message)},
		{Key: "subject", Read: r.optional(&c.Subject)},
		{Key: "header", Read: r.texts(&c.Header)},
		{Key: "body", Read: r.Text(&c.Body)},
		{Key: "dns", Read: r.dns(&c.DNS)},
		{Key: "time", Read: r.time(&c.Time)},
		{Key: "greylist_passed", Read: r.Boolean(&c.Passed)},
		{Key: "wrote", Read: r.texts(&c.Wrote)},
		{Key: "inspectors", Read: r.inspectors(&c.Inspectors)},
		{Key: "expect", Read: r.expect(&c.Expect)},
	})
	if c.Message != "" && (c.Subject != nil || len(c.Header) > 0 || c.Body != "") {
		r.Errorf(n, "case %q has a message, and a subject, header or body besides: they are either or", c.Name)
	}
	if n.Child("recipients") != nil && len(c.Recipients) == 0 {
		r.Errorf(n.Child("recipients"), "case %q has no recipients", c.Name)
	}
	if c.Name != "" && r.names[c.Name] {
		r.Errorf(n, "there is another case %q", c.Name)
	}
	r.names[c.Name] = true
	r.all = append(r.all, c)
}

func (r *reader) client(into *Client) func(*document.Node) {
	return func(n *document.Node) {
		r.Read(n, "client", []values.Field{
			{Key: "ip", Read: func(n *document.Node) {
				r.Text(&into.IP)(n)
				if _, err := trial.ParseClient(into.IP); err != nil {
					r.Errorf(n, "client.ip: %v", err)
				}
			}},
			{Key: "host", Read: r.Text(&into.Host)},
			{Key: "resolve", Read: r.OneOf(&into.Resolve, "ok", "fail", "forged", "temp")},
			{Key: "helo", Read: r.Text(&into.Helo)},
			{Key: "tls", Read: func(n *document.Node) {
				switch n.Value.(type) {
				case bool, string:
					into.TLS = n.Value
				default:
					r.Errorf(n, "client.tls is true, false or a version such as \"TLSv1.3\", not %s", n.What())
				}
			}},
			{Key: "auth_user", Read: r.Text(&into.User)},
		})
	}
}

func (r *reader) expect(into *Expect) func(*document.Node) {
	return func(n *document.Node) {
		r.Read(n, "expect", []values.Field{
			{Key: "verdict", Read: r.OneOf(&into.Verdict, verdicts...)},
			{Key: "weight", Read: func(n *document.Node) {
				if _, err := weight(n.Value); err != nil || n.Kind != document.Single {
					r.Errorf(n, "expect.weight must be a number, not %s", n.What())
				}
				into.Weight = n.Value
			}},
			{Key: "rules", Read: func(n *document.Node) {
				into.Rules = &[]string{}
				r.list(into.Rules)(n)
			}},
			{Key: "rule", Read: r.optional(&into.Rule)},
			{Key: "subject", Read: r.optional(&into.Subject)},
			{Key: "reply", Read: r.optional(&into.Reply)},
			{Key: "header", Read: r.left(&into.Header)},
			{Key: "refused", Read: r.replies(&into.Refused)},
			{Key: "charged", Read: r.charged(&into.Charged)},
			{Key: "payers", Read: r.replies(&into.Payers)},
		})
	}
}

var verdicts = []string{"accept", "reject", "tempfail", "discard", "hold"}

// list reads an array of texts.
func (r *reader) list(into *[]string) func(*document.Node) {
	return func(n *document.Node) {
		for _, c := range r.TextNodes(n) {
			*into = append(*into, c.Value.(string))
		}
	}
}

// optional reads a text that may be empty and be meant so.
func (r *reader) optional(into **string) func(*document.Node) {
	return func(n *document.Node) {
		if s, ok := r.ReadString(n); ok {
			*into = &s
		}
	}
}

// entries has each entry of a table read. What is no table is told, with an
// example of what is meant: an array is easily written by mistake.
func (r *reader) entries(example string, each func(*document.Node)) func(*document.Node) {
	return func(n *document.Node) {
		if n.Kind != document.Table {
			r.Errorf(n, "%s must be a table such as { %s }, not %s", n.Key, example, n.What())
			return
		}
		for _, c := range n.Children {
			each(c)
		}
	}
}

// texts reads a table of texts, or arrays of them.
func (r *reader) texts(into *map[string]any) func(*document.Node) {
	*into = map[string]any{}
	return r.entries(`"NAME" = "text", "OTHER" = ["one", "two"]`, func(n *document.Node) {
		if v, ok := r.OneOrMore(n); ok {
			(*into)[n.Key] = either(v)
		}
	})
}

// either is what a case has of texts: the one that stands there, or an array.
func either(texts []string) any {
	if len(texts) == 1 {
		return texts[0]
	}
	all := make([]any, len(texts))
	for i, s := range texts {
		all[i] = s
	}
	return all
}

// left reads fields as they leave: false is for none.
func (r *reader) left(into *map[string]any) func(*document.Node) {
	*into = map[string]any{}
	return r.entries(`X-Spam-Flag = "YES", X-Other = false`, func(n *document.Node) {
		if n.Value == false {
			(*into)[n.Key] = false
			return
		}
		if v, ok := r.OneOrMore(n); ok {
			(*into)[n.Key] = either(v)
		}
	})
}

// dns reads what DNS has.
func (r *reader) dns(into *map[string]any) func(*document.Node) {
	*into = map[string]any{}
	return r.entries(`"example.com MX" = ["10 mx.example.com"]`, func(n *document.Node) {
		if records, ok := trial.ReadRecords(&r.Reader, n); ok {
			(*into)[n.Key] = either(records)
		}
	})
}

func (r *reader) replies(into *map[string]string) func(*document.Node) {
	return func(n *document.Node) {
		*into = map[string]string{}
		r.entries(`"ivan@example.org" = "..."`, func(n *document.Node) {
			if s, ok := r.ReadString(n); ok {
				(*into)[n.Key] = s
			}
		})(n)
	}
}

func (r *reader) charged(into *map[string]int64) func(*document.Node) {
	return func(n *document.Node) {
		*into = map[string]int64{}
		r.entries(`"ivan@example.org" = 5120`, func(n *document.Node) {
			var octets int64
			r.Size(&octets, 0, 1<<50)(n)
			(*into)[n.Key] = octets
		})(n)
	}
}

func (r *reader) time(into *time.Time) func(*document.Node) {
	return func(n *document.Node) {
		t, ok := n.Value.(time.Time)
		if !ok || strings.HasPrefix(n.What(), "a time") || t.Location().String() == document.LocalDate {
			r.Errorf(n, "time must be a date with a time such as 2026-11-23T10:00:00Z, without quotes, not %s", n.What())
			return
		}
		*into = t
	}
}
