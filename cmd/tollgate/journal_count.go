package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tollgate-mail/tollgate/internal/address"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// countable are the fields by which entries can be counted; one entry may have
// several values of one.
var countable = []struct {
	name string
	of   func(e *journal.Entry) []string
}{
	{"verdict", func(e *journal.Entry) []string { return []string{e.Verdict} }},
	{"rule", ruleOf},
	{"stage", func(e *journal.Entry) []string { return []string{e.Stage} }},
	{"reason", func(e *journal.Entry) []string { return []string{e.Reason} }},
	{"sender", func(e *journal.Entry) []string { return []string{"<" + e.Sender + ">"} }},
	{"sender_domain", func(e *journal.Entry) []string { return []string{domainOf(e.Sender)} }},
	{"recipient", recipientsOf},
	{"recipient_domain", recipientDomainsOf},
	{"client_ip", func(e *journal.Entry) []string { return []string{e.ClientIP} }},
	{"client_host", func(e *journal.Entry) []string { return []string{e.ClientHost} }},
	{"helo", func(e *journal.Entry) []string { return []string{e.Helo} }},
	{"direction", func(e *journal.Entry) []string { return []string{e.Direction} }},
	{"gateway", func(e *journal.Entry) []string { return []string{e.Gateway} }},
	{"signature", func(e *journal.Entry) []string { return []string{e.Signature} }},
	{"kind", func(e *journal.Entry) []string { return []string{e.Kind} }},
	{"day", func(e *journal.Entry) []string { return []string{e.Time.Local().Format("2006-01-02")} }},
	{"hour", func(e *journal.Entry) []string { return []string{e.Time.Local().Format("2006-01-02 15:00")} }},
}

func countFields() []string {
	names := make([]string, len(countable))
	for i, c := range countable {
		names[i] = c.name
	}
	return names
}

func ruleOf(e *journal.Entry) []string {
	var all []string
	for _, r := range e.Rules {
		all = append(all, r.Name)
	}
	if e.Rule != "" && !slices.Contains(all, e.Rule) {
		all = append(all, e.Rule)
	}
	return all
}

func domainOf(addr string) string {
	_, domain := address.Split(addr)
	return address.FoldDomain(domain)
}

func recipientsOf(e *journal.Entry) []string {
	if e.Recipient != "" {
		return []string{e.Recipient}
	}
	return e.Recipients
}

func recipientDomainsOf(e *journal.Entry) []string {
	var all []string
	for _, r := range recipientsOf(e) {
		if d := domainOf(r); !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

// counting counts entries by a field.
type counting struct {
	*app
	field string
	top   int // rows; 0: all
	of    map[string]int64
}

func (c *counting) entry(e journal.Entry) error {
	for _, f := range countable {
		if !strings.EqualFold(f.name, c.field) {
			continue
		}
		values := f.of(&e)
		if len(values) == 0 {
			values = []string{""}
		}
		for _, v := range values {
			c.of[v]++
		}
	}
	return nil
}

// countRow is a value and how many entries have it, in JSON.
type countRow struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

func (c *counting) done() error {
	rows := []countRow{}
	for v, n := range c.of {
		rows = append(rows, countRow{v, n})
	}
	slices.SortFunc(rows, func(a, b countRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	if c.top > 0 && len(rows) > c.top {
		others := countRow{Value: "_other"}
		for _, r := range rows[c.top:] {
			others.Count += r.Count
		}
		rows = append(rows[:c.top:c.top], others)
	}
	if c.json {
		return printJSON(c.out, rows)
	}
	if len(rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "COUNT\t  %s\n", strings.ToUpper(c.field))
	for _, r := range rows {
		// What stands last is not aligned: texts are of any length.
		fmt.Fprintf(w, "%d\t  %s\n", r.Count, or(shorten(r.Value, 200)))
	}
	return away(w.Flush())
}
