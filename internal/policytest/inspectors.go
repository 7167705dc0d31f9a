package policytest

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/rules"
)

// Said is what inspectors say in a case, by their names in the policy: "antivirus",
// and those of modules.
type Said map[string]module.Result

// errSaid is what an inspector says that gives no answer.
var errSaid = errors.New("it gives no answer in this case")

// Inspected implements trial.Known.
func (s Said) Inspected(name string) (module.Result, bool) {
	r, ok := s[name]
	return r, ok
}

// Value implements gate.Recall: everything else is looked at.
func (Said) Value(rules.Key) (rules.Value, bool, error) { return rules.Value{}, false, nil }

// Rule implements gate.Recall.
func (Said) Rule(*rules.Rule, string) (rules.Weight, bool, bool) { return 0, false, false }

// check tells which names the policy does not have.
func (s Said) check(cfg *config.Config) error {
	have := map[string]bool{"antivirus": cfg.Antivirus != nil}
	for _, m := range cfg.Modules {
		have[m.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !have[name] {
			return fmt.Errorf("inspectors.%s: the policy has no such inspector", name)
		}
	}
	return nil
}

// inspectors reads what they say: "error", or what was found.
func (r *reader) inspectors(into *Said) func(*document.Node) {
	return func(n *document.Node) {
		*into = Said{}
		r.entries(`antivirus = { virus = "Eicar-Test-Signature" }, rspamd = { score = 7.5, symbols = ["BAYES_SPAM"] }, other = "error"`, func(n *document.Node) {
			if n.Value == "error" {
				(*into)[n.Key] = module.Result{Err: errSaid}
				return
			}
			var f module.Finding
			fields := []values.Field{
				{Key: "score", Read: func(n *document.Node) {
					var v int64
					r.Thousandths(&v)(n)
					f.Score = rules.Weight(v)
				}},
				{Key: "symbols", Read: r.list(&f.Symbols)},
				{Key: "action", Read: r.Text(&f.Action)},
			}
			if n.Key == "antivirus" {
				fields = []values.Field{{Key: "virus", Read: r.Text(&f.Virus)}}
			}
			if n.Kind != document.Table {
				r.Errorf(n, "%s must be \"error\" or a table of what it finds, {} for nothing, not %s", document.QuoteKey(n.Key), n.What())
				return
			}
			r.Read(n, "inspectors."+n.Key, fields)
			(*into)[n.Key] = module.Result{Finding: f}
		})(n)
	}
}

// Unasked are the inspectors of a policy that ask a service and that no case says
// anything of: nobody was asked, and rules on them were not tried.
func Unasked(cfg *config.Config, cases []*Case) []string {
	var names []string
	unsaid := func(i config.Inspector) {
		if !trial.AsksNobody(i) && !slices.ContainsFunc(cases, func(c *Case) bool { _, said := c.Inspectors[i.Name]; return said }) {
			names = append(names, i.Name)
		}
	}
	if cfg.Antivirus != nil {
		unsaid(cfg.Antivirus.Inspector)
	}
	for _, m := range cfg.Modules {
		unsaid(m.Inspector)
	}
	return names
}
