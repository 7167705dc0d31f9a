package config

import (
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/config/values"
	"github.com/tollgate-mail/tollgate/rules"
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
	var found []string
	for name, fields := range d.schema() {
		if _, ok := values.Find(fields, key); ok && name[0] == '[' {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// otherNames are what other programs call the keys of a rule.
var otherNames = map[string]string{
	"score": "weight", "points": "weight", "describe": "comment", "description": "comment", "note": "comment",
	"when": "match", "if": "match", "conditions": "match", "condition": "match", "where": "match", "filter": "match",
	"or": "any", "except": "unless", "not": "unless", "exceptions": "unless", "unless_any": "unless",
	"disabled": "enabled = false", "disable": "enabled = false", "dry_run": "shadow", "test": "shadow", "warn_if_reject": "shadow",
	"message": "reply", "response": "reply", "text": "reply", "code": "reply", "smtp_message": "reply", "reject": "action = \"reject\"",
	"accept": "action = \"accept\"", "verdict": "action", "then": "action", "policy": "action", "do": "action",
	"event": "stage", "phase": "stage", "on": "stage", "id": "name", "title": "name", "symbol": "name", "group": "comment",
	"subject_tag": "tag_subject", "rewrite_subject": "tag_subject", "prefix_subject": "tag_subject", "add_header": "tag_header", "header": "tag_header", "prepend": "tag_header",
	"stop": "last", "final": "last", "quit": "last", "priority": "the order in the file",
}

// otherName says what a key of a rule is called here.
func otherName(table, key string) string {
	if table != "[[rule]]" && table != "[[threshold]]" {
		return ""
	}
	return otherNames[strings.ToLower(strings.ReplaceAll(key, "-", "_"))]
}

// meant is what may have been meant by a key that a table does not have.
func (d *decoder) meant(table, key string) string {
	if holder := d.holder(key); holder != "" {
		return "; it belongs in " + holder
	}
	if name := otherName(table, key); name != "" {
		return "; here it is " + name
	}
	return ""
}
