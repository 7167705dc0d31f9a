package policytest

import (
	"math"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// Coverage is what of a policy no case reached.
type Coverage struct {
	Rules        int      `json:"rules"` // that are enabled
	Thresholds   int      `json:"thresholds"`
	States       int      `json:"states"`        // that the policy's clients can be in
	NoRules      []string `json:"no_rules"`      // that matched in no case
	NoThresholds []string `json:"no_thresholds"` // that no case passed, by what they are above
	NoStates     []string `json:"no_states"`     // that no recipient of a case was in
}

// Covered tells what of a policy the cases did not reach.
func Covered(cfg *config.Config, results []Result) Coverage {
	c := Coverage{NoRules: []string{}, NoThresholds: []string{}, NoStates: []string{}}
	hit, reasons, passed := map[string]bool{}, map[string]bool{}, map[*rules.Threshold]bool{}
	for _, r := range results {
		if r.outcome == nil {
			continue
		}
		for _, e := range r.outcome.Events {
			switch e := e.(type) {
			case gate.Hit:
				hit[e.Rule.Name] = true
			case gate.Decided:
				reasons[e.Reason] = true
			}
		}
		for _, t := range cfg.Gate.Rules.Thresholds(r.outcome.Result.Weight) {
			passed[t] = true
		}
	}
	for _, r := range cfg.Gate.Rules.Rules() {
		c.Rules++
		if !hit[r.Name] {
			c.NoRules = append(c.NoRules, r.Name)
		}
	}
	for _, t := range cfg.Gate.Rules.Thresholds(math.MaxInt64) {
		c.Thresholds++
		if !passed[t] {
			c.NoThresholds = append(c.NoThresholds, t.Above.String())
		}
	}
	for _, s := range states(cfg) {
		c.States++
		if !reasons[s] {
			c.NoStates = append(c.NoStates, s)
		}
	}
	return c
}

// states are the reasons for which a policy refuses recipients by themselves.
func states(cfg *config.Config) []string {
	all := []string{"unknown", "foreign"}
	var can accounting.Block
	for _, client := range cfg.Gate.Directory.Clients() {
		if client.Disabled {
			can |= accounting.Disabled
		}
		if !client.Expires.IsZero() {
			can |= accounting.Expired
		}
		if !client.ValidFrom.IsZero() {
			can |= accounting.NotYetValid
		}
		if client.Schedule != nil {
			can |= accounting.OutOfSchedule
		}
	}
	for _, b := range []accounting.Block{accounting.Disabled, accounting.Expired, accounting.NotYetValid, accounting.OutOfSchedule} {
		if can&cfg.Gate.Refuse&b != 0 {
			all = append(all, b.String())
		}
	}
	return all
}
