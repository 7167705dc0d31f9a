package mutation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/policytest"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// expected is what became of a message, as a case expects it: what most cases
// say, and all of it with whole; of the tags those that other has otherwise.
func expected(o, other *trial.Outcome, tags []string, whole bool) policytest.Expect {
	e := trial.Explain(o)
	names := []string{}
	for _, h := range o.Result.Hits {
		if !h.Rule.Shadow && !h.Temperror {
			names = append(names, h.Rule.Name)
		}
	}
	weight := float64(o.Result.Weight) / 1000
	want := policytest.Expect{Verdict: e.Verdict, Weight: weight, Rules: &names}
	if !whole {
		return want
	}
	if e.Rule != "" {
		want.Rule = &e.Rule
	}
	if e.Verdict == string(gate.Rejected) || e.Verdict == string(gate.Deferred) {
		reply, _, _ := strings.Cut(e.Reply, " (ref ")
		want.Reply = &reply
	} else {
		want.Subject = &e.Subject
		want.Header = map[string]any{}
		for _, name := range tags {
			v, ok := o.Left.Get(name)
			if w, there := other.Left.Get(name); v == w && ok == there {
				continue
			}
			want.Header[name] = false
			if ok {
				want.Header[name] = strings.TrimSpace(v)
			}
		}
	}
	want.Refused = map[string]string{}
	for _, r := range o.Recipients {
		if r.Verdict != gate.Pass {
			said := strings.SplitN(r.Reply.String(), " ", 3)
			want.Refused[r.Address] = strings.Join(said[:min(len(said), 2)], " ")
		}
	}
	return want
}

// paste is a case as it stands in a file of cases.
func paste(c *policytest.Case) string {
	var b strings.Builder
	line := func(key, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s = %s\n", key, fmt.Sprintf(format, args...))
	}
	b.WriteString("[[case]]\n")
	line("name", "%s", quoted(c.Name))
	var client []string
	add := func(key, value string) {
		if value != "" {
			client = append(client, key+" = "+quoted(value))
		}
	}
	add("ip", c.Client.IP)
	add("host", c.Client.Host)
	add("resolve", c.Client.Resolve)
	add("helo", c.Client.Helo)
	switch tls := c.Client.TLS.(type) {
	case bool:
		client = append(client, fmt.Sprintf("tls = %t", tls))
	case string:
		add("tls", tls)
	}
	add("auth_user", c.Client.User)
	line("client", "{ %s }", strings.Join(client, ", "))
	line("sender", "%s", quoted(c.Sender))
	line("recipients", "[%s]", strings.Join(quotedAll(c.Recipients), ", "))
	if c.Size != nil {
		line("size", "%d", *c.Size)
	}
	if c.Subject != nil {
		line("subject", "%s", quoted(*c.Subject))
	}
	table(line, "header", c.Header)
	if c.Body != "" {
		line("body", "%s", quoted(c.Body))
	}
	table(line, "dns", c.DNS)
	table(line, "wrote", c.Wrote)
	if c.Passed {
		line("greylist_passed", "true")
	}
	line("time", "%s", c.Time.Format(time.RFC3339))
	e := &c.Expect
	line("expect.verdict", "%s", quoted(e.Verdict))
	if w, ok := e.Weight.(float64); ok {
		line("expect.weight", "%s", strconv.FormatFloat(w, 'f', -1, 64))
	}
	if e.Rules != nil {
		line("expect.rules", "[%s]", strings.Join(quotedAll(*e.Rules), ", "))
	}
	optional(line, "expect.rule", e.Rule)
	optional(line, "expect.reply", e.Reply)
	optional(line, "expect.subject", e.Subject)
	table(line, "expect.header", e.Header)
	if len(e.Refused) > 0 {
		refused := map[string]any{}
		for k, v := range e.Refused {
			refused[k] = v
		}
		table(line, "expect.refused", refused)
	}
	return b.String()
}

func optional(line func(string, string, ...any), key string, v *string) {
	if v != nil {
		line(key, "%s", quoted(*v))
	}
}

// table writes a table in one line; an empty one is left out.
func table(line func(string, string, ...any), key string, t map[string]any) {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(t)) {
		name := k
		if strings.Trim(k, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			name = quoted(k)
		}
		switch v := t[k].(type) {
		case string:
			all = append(all, name+" = "+quoted(v))
		case bool:
			all = append(all, fmt.Sprintf("%s = %t", name, v))
		case []any:
			var each []string
			for _, one := range v {
				each = append(each, quoted(fmt.Sprint(one)))
			}
			all = append(all, fmt.Sprintf("%s = [%s]", name, strings.Join(each, ", ")))
		}
	}
	if len(all) > 0 {
		line(key, "{ %s }", strings.Join(all, ", "))
	}
}

// quoted is a text as TOML has it (basic string).
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quotedAll(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = quoted(s)
	}
	return out
}
