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
	of   func(e *journal.Entry) []counts
}{
	{"verdict", one(func(e *journal.Entry) string { return e.Verdict })},
	{"rule", rulesOf},
	{"stage", one(func(e *journal.Entry) string { return e.Stage })},
	{"reason", one(func(e *journal.Entry) string { return e.Reason })},
	{"sender", one(func(e *journal.Entry) string { return "<" + mailbox(e.Sender) + ">" })},
	{"sender_domain", one(func(e *journal.Entry) string { return domainOf(e.Sender) })},
	{"recipient", many(recipientsOf)},
	{"recipient_domain", many(recipientDomainsOf)},
	{"client_ip", one(func(e *journal.Entry) string { return e.ClientIP })},
	{"client_host", one(func(e *journal.Entry) string { return e.ClientHost })},
	{"helo", one(func(e *journal.Entry) string { return e.Helo })},
	{"direction", one(func(e *journal.Entry) string { return e.Direction })},
	{"gateway", one(func(e *journal.Entry) string { return e.Gateway })},
	{"signature", one(func(e *journal.Entry) string { return e.Signature })},
	{"kind", one(func(e *journal.Entry) string { return e.Kind })},
	{"day", one(func(e *journal.Entry) string { return e.Time.Local().Format("2006-01-02") })},
	{"hour", one(func(e *journal.Entry) string { return e.Time.Local().Format("2006-01-02 15:00") })},
}

// counts is a value that is counted.
type counts struct {
	text   string
	shadow bool // of a rule: without effect
}

func one(of func(*journal.Entry) string) func(*journal.Entry) []counts {
	return func(e *journal.Entry) []counts { return []counts{{text: of(e)}} }
}

func many(of func(*journal.Entry) []string) func(*journal.Entry) []counts {
	return func(e *journal.Entry) (all []counts) {
		for _, text := range of(e) {
			all = append(all, counts{text: text})
		}
		return all
	}
}

func countFields() []string {
	names := make([]string, len(countable))
	for i, c := range countable {
		names[i] = c.name
	}
	return names
}

// rulesOf are of mail that passed all rules that matched, in shadow, too, and the
// thresholds that marked it, and of what
// did not pass what decided: the rule, the threshold, or else, in parentheses, what no
// rule is.
func rulesOf(e *journal.Entry) []counts {
	switch {
	case e.Kind == journal.Shadow && e.BesideRule != "":
		return []counts{{text: e.BesideRule}}
	case e.Kind == journal.Shadow:
		return []counts{{text: "(none)"}}
	}
	switch e.Verdict {
	case "reject", "tempfail", "discard", "hold", "greylist", "released", "deleted", "voided", "closed":
		return deciders(e)
	}
	var all []counts
	for _, r := range e.Rules {
		all = append(all, counts{r.Name, r.Shadow})
	}
	for _, name := range e.Thresholds {
		all = append(all, counts{text: name})
	}
	if e.Rule != "" && !slices.Contains(all, counts{text: e.Rule}) {
		all = append(all, counts{text: e.Rule})
	}
	if len(all) == 0 {
		all = []counts{{text: "(none)"}}
	}
	return all
}

func deciders(e *journal.Entry) []counts {
	switch {
	case afterwards(e.Verdict):
		return []counts{{text: "(" + e.Verdict + ")"}}
	case e.Rule != "":
		return []counts{{text: e.Rule}}
	case journal.Threshold(e) != "":
		return []counts{{text: journal.Threshold(e)}}
	case e.Reason != "":
		return []counts{{text: "(" + causeOf(e.Reason) + ")"}}
	}
	// Of a message none of whose recipients was accepted the blocks have the reasons;
	// this entry has what matched.
	var all []counts
	for _, r := range e.Rules {
		refuses := r.Action == "reject" || r.Action == "tempfail" || r.Action == "greylist"
		if refuses && !r.Shadow && !slices.Contains(all, counts{text: r.Name}) {
			all = append(all, counts{text: r.Name})
		}
	}
	if len(all) == 0 {
		return []counts{{text: "(recipients refused)"}}
	}
	return all
}

// causeOf is what refused where no rule and no threshold did, in a word.
func causeOf(reason string) string {
	for prefix, cause := range map[string]string{
		"refused by the MTA": "mta", "virus ": "antivirus", "not scanned for viruses": "antivirus", "a tag cannot be added": "fault", "blocks journal": "fault",
		"internal fault": "fault",
	} {
		if strings.HasPrefix(reason, prefix) {
			return cause
		}
	}
	cause, _, _ := strings.Cut(reason, ": ")
	return cause
}

func domainOf(addr string) string {
	_, domain := address.Split(addr)
	return address.FoldDomain(domain)
}

func recipientsOf(e *journal.Entry) []string {
	if e.Recipient != "" {
		return []string{mailbox(e.Recipient)}
	}
	all := make([]string, len(e.Recipients))
	for i, r := range e.Recipients {
		all[i] = mailbox(r)
	}
	return all
}

// mailbox is the one form of an address, whatever its spelling in the session was.
func mailbox(s string) string {
	if s == "" {
		return ""
	}
	return address.Parse(address.Fold(s)).Text()
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
	of    map[counts]int64
}

func (c *counting) entry(e journal.Entry) error {
	for _, f := range countable {
		if !strings.EqualFold(f.name, c.field) {
			continue
		}
		values := f.of(&e)
		if len(values) == 0 {
			values = []counts{{}}
		}
		for _, v := range values {
			c.of[v]++
		}
	}
	return nil
}

// countRow is a value and how many entries have it, in JSON.
type countRow struct {
	Value  string `json:"value"`
	Count  int64  `json:"count"`
	Shadow bool   `json:"shadow,omitempty"` // a rule without effect
}

func (*counting) counts() unit { return entriesCount }

func (c *counting) done() error {
	rows := []countRow{}
	for v, n := range c.of {
		rows = append(rows, countRow{v.text, n, v.shadow})
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
		text := or(shorten(r.Value, 200))
		if r.Shadow {
			text += " (shadow)"
		}
		fmt.Fprintf(w, "%d\t  %s\n", r.Count, text)
	}
	return away(w.Flush())
}
