package gate_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// fates writes down what it is told.
type fates struct{ told []string }

func (f *fates) Count(x gate.Fate) {
	var hits []string
	for _, h := range x.Hits {
		hits = append(hits, h.Rule.Name)
	}
	f.told = append(f.told, fmt.Sprintf("%s at %s, weight %s, rules %v, recipients %d %d %d", x.Verdict, x.Stage, x.Weight, hits, x.Accepted, x.Deferred, x.Refused))
}

// Each message has one fate, whatever becomes of it.
func TestFate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules []rules.SourceRule
		to    []string
		want  string
	}{
		"accepted": {
			[]rules.SourceRule{weighing("hello", "headers", 1500, "subject", "hello")},
			[]string{"ivan@example.org"}, "accept at complete, weight 1.5, rules [hello], recipients 1 0 0",
		},
		"refused at the end": {
			[]rules.SourceRule{rule("no-hello", "headers", "reject", "subject", "hello")},
			[]string{"ivan@example.org"}, "reject at headers, weight 0, rules [no-hello], recipients 1 0 0",
		},
		"one of two refused": {
			[]rules.SourceRule{rule("no-sales", "rcptto", "reject", "recipient", "^sales@")},
			[]string{"ivan@example.org", "sales@example.org"}, "accept at complete, weight 0, rules [no-sales], recipients 1 0 1",
		},
		"nobody received": {
			[]rules.SourceRule{rule("no-sales", "rcptto", "tempfail", "recipient", "^sales@")},
			[]string{"sales@example.org"}, "tempfail at rcptto, weight 0, rules [no-sales], recipients 0 1 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, source(c.rules...))
			f := &fates{}
			parts := w.Parts
			parts.Counters = []gate.Counter{f}
			w.Gate = gate.New(w.policy, parts)
			w.send(sending{to: c.to})
			if !slices.Equal(f.told, []string{c.want}) {
				t.Errorf("%q, want %q", f.told, c.want)
			}
		})
	}
}
