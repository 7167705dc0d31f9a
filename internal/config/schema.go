package config

import (
	"slices"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/rules"
)

// schema has the keys of every table that has fixed ones, by the name that
// messages call it.
func (d *decoder) schema() map[string][]field {
	return map[string][]field{
		"[gateway]":        d.gatewayFields(),
		"[recipients]":     d.recipientsFields(),
		"[outbound]":       d.outboundFields(),
		"[clients]":        d.clientsFields(),
		"[[client]]":       d.clientFields(&listed{Client: &accounting.Client{}}),
		"a list":           d.listFields(&listSource{}),
		"[[rule]]":         d.ruleFields(&rules.SourceRule{}),
		"[[threshold]]":    d.thresholdFields(&rules.SourceThreshold{}),
		"[replies]":        d.repliesFields(),
		"[greylist]":       d.greylistFields(),
		"[correspondents]": d.correspondentsFields(),
		"[antivirus]":      d.antivirusFields(&antivirus{}),
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

// holder is the section that has a key, "" where none or more than one has it.
func (d *decoder) holder(key string) string {
	var found []string
	for name, fields := range d.schema() {
		if _, ok := find(fields, key); ok && name[0] == '[' {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
