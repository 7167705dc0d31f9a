package trial

import (
	"context"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// Known is what was found of one message when it was judged before.
type Known interface {
	gate.Recall
	// Inspected is what an inspector said, by its name in the policy; false: it is
	// not known, and one that asks nobody has a look.
	Inspected(name string) (module.Result, bool)
}

// recalled is a part that has stand-ins for the inspectors that ask a service: they
// say what is known of the message under way.
type recalled struct {
	known    Known // nil: nothing
	standIns map[string]bool
}

// Prepare gives the policy its stand-ins.
func (r *recalled) Prepare(_ context.Context, d *assemble.Draft) (assemble.Step, error) {
	r.standIns = map[string]bool{}
	add := func(i config.Inspector) *module.Guard {
		r.standIns[i.Name] = true
		return module.NewGuard(i.Name, standIn{}, i.Limits, time.Now)
	}
	if a := d.Config.Antivirus; a != nil && !AsksNobody(a.Inspector) {
		d.Policy.Antivirus = &gate.Antivirus{
			Scanner: add(a.Inspector), Engine: a.Type, Action: a.Action, Reply: a.Reply, Tags: a.Tags, OnError: a.OnError, Oversize: a.Oversize,
		}
	}
	for _, m := range d.Config.Modules {
		if !AsksNobody(m.Inspector) {
			d.Policy.Modules = append(d.Policy.Modules, gate.Module{Inspector: add(m.Inspector), Factor: m.Factor, OnError: m.OnError})
		}
	}
	return step{}, nil
}

// Close does nothing.
func (r *recalled) Close() error { return nil }

// begin takes what is known of the next message.
func (r *recalled) begin(ctx context.Context, k Known) context.Context {
	r.known = k
	return module.WithRecall(ctx, func(g *module.Guard, _ *module.Message) (module.Result, bool) {
		if k != nil {
			if found, ok := k.Inspected(g.Name()); ok {
				return found, true
			}
		}
		return module.Result{Err: module.ErrUnknown}, r.standIns[g.Name()]
	})
}

// Value implements gate.Recall.
func (r *recalled) Value(k rules.Key) (v rules.Value, known bool, err error) {
	if r.known == nil {
		return rules.Value{}, false, nil
	}
	return r.known.Value(k)
}

// Rule implements gate.Recall.
func (r *recalled) Rule(rule *rules.Rule, recipient string) (gave rules.Weight, matched, known bool) {
	if r.known == nil {
		return 0, false, false
	}
	return r.known.Rule(rule, recipient)
}

// standIn is never asked.
type standIn struct{}

func (standIn) Inspect(context.Context, *module.Message) (module.Finding, error) {
	return module.Finding{}, module.ErrUnknown
}
func (standIn) Ping(context.Context) error { return nil }
func (standIn) Close() error               { return nil }
