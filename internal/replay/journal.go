package replay

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/rules"
)

// Judged is what the rules of a policy did to the mail in its journals.
type Judged struct {
	Messages int          `json:"messages"`
	Rules    []RuleEffect `json:"rules"` // those that decided most first; of the policy, and others that matched
	// Versions are how many messages each version of the policy has judged.
	Versions map[string]int `json:"versions"`
	// Unknown are those versions whose thresholds are not known any more: those of
	// the policy were taken.
	Unknown []string `json:"unknown_versions"`
	// Unread are files of the journals that could not be read, and why: what they have
	// is in none of these numbers.
	Unread []string `json:"unread"`
}

// RuleEffect is what a rule did.
type RuleEffect struct {
	Rule string `json:"rule"`
	Hits int    `json:"hits"`
	// Alone are messages whose verdict it alone decided: it refused, deferred,
	// discarded or held them itself, or without its weight they would not have
	// passed the threshold that did; or of their recipients, none of whom was
	// accepted, it refused some.
	Alone int `json:"alone"`
	// Recipients are those that it refused or deferred by themselves, up to RCPT.
	Recipients int  `json:"recipients"`
	Unknown    bool `json:"unknown,omitempty"` // the policy has no such rule
}

// Journal goes through the journals of a folder, from a time on. What weights come
// to is judged by the version that judged a message: past has it, or nil.
func Journal(ctx context.Context, cfg *config.Config, past func(version string) *config.Config, dir string, since time.Time) (*Judged, error) {
	j := &Judged{Rules: []RuleEffect{}, Versions: map[string]int{}, Unknown: []string{}}
	versions := map[string]*rules.Policy{cfg.Gate.Version: cfg.Gate.Rules}
	judge := func(version string) *rules.Policy {
		p, known := versions[version]
		if !known {
			p = cfg.Gate.Rules
			if was := past(version); was != nil {
				p = was.Gate.Rules
			} else {
				j.Unknown = append(j.Unknown, version)
			}
			versions[version] = p
		}
		return p
	}
	effects := map[string]*RuleEffect{}
	of := func(name string) *RuleEffect {
		e := effects[name]
		if e == nil {
			e = &RuleEffect{Rule: name, Unknown: true}
			effects[name] = e
		}
		return e
	}
	for _, r := range cfg.Gate.Rules.Rules() {
		of(r.Name).Unknown = false
	}
	refused := map[string][]string{} // rules by the reference of a message whose entry is to come
	q := journal.Query{Kinds: []string{journal.Messages, journal.Blocks}, Since: since}
	report, err := journal.SearchReadable(ctx, dir, q, func(e journal.Entry) error {
		if e.Kind == journal.Blocks {
			if e.Rule == "" || !refusesRecipient(&e) {
				return nil
			}
			of(e.Rule).Recipients++
			if by := refused[e.Ref]; !slices.Contains(by, e.Rule) && (by != nil || len(refused) < mostPending) {
				refused[e.Ref] = append(by, e.Rule)
			}
			return nil
		}
		by := refused[e.Ref]
		delete(refused, e.Ref)
		j.Messages++
		j.Versions[e.Policy]++
		for _, h := range e.Rules {
			of(h.Name).Hits++
		}
		for _, name := range alone(judge(e.Policy), &e, by) {
			of(name).Alone++
		}
		return nil
	})
	j.Unread = report.Missing()
	for _, e := range effects {
		j.Rules = append(j.Rules, *e)
	}
	slices.SortFunc(j.Rules, func(a, b RuleEffect) int {
		return cmp.Or(b.Alone-a.Alone, b.Recipients-a.Recipients, b.Hits-a.Hits, strings.Compare(a.Rule, b.Rule))
	})
	return j, err
}

// refusesRecipient tells a block of one recipient: what a rule refuses before RCPT is
// answered there, too.
func refusesRecipient(e *journal.Entry) bool {
	at := order(e.Stage)
	return at >= 0 && at <= int(rules.RcptTo) && (e.Verdict == "reject" || e.Verdict == "tempfail" || e.Verdict == "greylist")
}

// alone are the rules of which each, taken away, would have changed what became
// of a message. Refused are those that refused recipients of it.
func alone(p *rules.Policy, e *journal.Entry, refused []string) []string {
	if e.Rule != "" {
		return []string{e.Rule}
	}
	if len(e.Recipients) == 0 && (e.Verdict == "reject" || e.Verdict == "tempfail") {
		return refused // nobody was left: the message itself was never judged
	}
	total, ok := weight(e.Weight)
	if !ok || e.Verdict == "aborted" {
		return nil
	}
	stands := strictest(p, total)
	if stands == rules.Continue && e.Verdict != "accept" {
		return nil // something else refused it
	}
	var names []string
	for _, h := range e.Rules {
		if w, ok := weight(h.Weight); ok && !h.Shadow && w > 0 && strictest(p, total-w) != stands {
			names = append(names, h.Name)
		}
	}
	return names
}

// strictest is the action that the thresholds take on a weight.
func strictest(p *rules.Policy, total rules.Weight) rules.Action {
	severity := map[rules.Action]int{rules.Hold: 1, rules.Discard: 2, rules.Tempfail: 3, rules.Reject: 4}
	stands := rules.Continue
	for _, t := range p.Thresholds(total) {
		if !t.Shadow && severity[t.Action] > severity[stands] {
			stands = t.Action
		}
	}
	return stands
}

// weight reads a decimal of a journal.
func weight(s string) (rules.Weight, bool) {
	whole, part, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || len(part) > 3 || len(whole) > 15 {
		return 0, false
	}
	var n rules.Weight
	for _, c := range whole + (part + "000")[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + rules.Weight(c-'0')
	}
	if strings.HasPrefix(s, "-") {
		n = -n
	}
	return n, true
}
