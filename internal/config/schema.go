package config

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/foreign"
)

// schema has the keys of every table that has fixed ones, by the name that
// messages call it.
func (d *decoder) schema() map[string][]field {
	return map[string][]field{
		"[gateway]":        d.gatewayFields(),
		"[recipients]":     d.recipientsFields(),
		"[outbound]":       d.outboundFields(),
		"[clients]":        d.clientsFields(newClientSources()),
		"[[client]]":       d.clientFields(&listed{Client: &accounting.Client{}}),
		"a list":           d.listFields(&listSource{}),
		"[[rule]]":         d.ruleFields(&rules.SourceRule{}),
		"[[threshold]]":    d.thresholdFields(&rules.SourceThreshold{}),
		"[replies]":        d.repliesFields(),
		"[greylist]":       d.greylistFields(),
		"[correspondents]": d.correspondentsFields(),
		"[antivirus]":      d.antivirusFields(newAntivirus(nil)),
		"[[module]]":       d.moduleFields(&extension{}),
		"[journal]":        d.journalFields(),
		"trace":            d.traceFields(),
		"[metrics]":        d.metricsFields(),
		"[accounting]":     d.accountingFields(),
		"[[tariff]]":       d.tariffFields(&tariffEntry{}),
		"[[tariff.band]]":  d.bandFields(&price.Band{}, new(int)),
		"[redis]":          d.redisFields(&Redis{}),
	}
}

// Table is a table of the policy that has fixed keys.
type Table struct {
	Name string // as messages call it: "[gateway]", "[[rule]]", "a list", "trace"
	Keys []string
}

// Tables are all of them, by their names.
func Tables() []Table {
	var all []Table
	for name, fields := range newDecoder().schema() {
		t := Table{Name: name}
		for _, f := range fields {
			if f.Read != nil && !slices.Contains(t.Keys, f.Key) {
				t.Keys = append(t.Keys, f.Key)
			}
		}
		slices.Sort(t.Keys)
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// holder is the section that has a key, "" where none or more than one has it.
func (d *decoder) holder(key string) string {
	if found := d.holding(key); len(found) == 1 {
		return found[0]
	}
	return ""
}

// holders are the sections that have a key, "" where none has it.
func (d *decoder) holders(key string) string { return strings.Join(d.holding(key), " or ") }

func (d *decoder) holding(key string) (found []string) {
	for name, fields := range d.schema() {
		if _, ok := values.Find(fields, key); ok && name[0] == '[' {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// otherName says what a key that a table does not have is called here, or where it is
// done otherwise.
func otherName(table, key string) string {
	if key == "include" {
		return "include stands at the top of the file, before the first section"
	}
	switch table {
	case "[[rule]]", "[[threshold]]":
		if name := foreign.RuleKey(key); name != "" {
			return "here it is " + name
		}
		return foreign.Needless(key)
	case "[[client]]":
		return foreign.ClientKey(key)
	case "[[tariff]]":
		return foreign.TariffKey(key)
	}
	return ""
}

// meant is what may have been meant by a key that a table does not have.
func (d *decoder) meant(table, key string) string {
	if name := otherName(table, key); name != "" {
		return "; " + name
	}
	if holder := d.holder(key); holder != "" {
		return "; it belongs in " + holder
	}
	return ""
}
