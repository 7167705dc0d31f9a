package mutation

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/policytest"
	"github.com/tollgate-mail/tollgate/internal/proof"
	"github.com/tollgate-mail/tollgate/rules"
)

// Options of a run.
type Options struct {
	Config *config.Config
	Policy proof.Policy
	Cases  []*policytest.Case
	// Spent tells that no further mutant is to be tried; nil: never.
	Spent func() bool
}

// Report is how a run went.
type Report struct {
	Mutants int `json:"mutants"` // that were made, those of Left and Untried among them
	Killed  int `json:"killed"`  // noticed by a case
	Runs    int `json:"runs"`    // of cases under a mutant
	// Alive are those that no case notices.
	Alive []*Mutant `json:"alive"`
	// Left are how many were left out because they are no other policy, by why.
	Left map[string]int `json:"left"`
	// Untried are those for which there was no time.
	Untried []*Mutant `json:"untried"`
}

// ErrFailing: cases fail with the policy as it is.
var ErrFailing = errors.New("the cases fail with the policy as it is: mend them first")

// Run changes the policy in all ways and has the cases judged that the change
// may matter to.
func Run(ctx context.Context, o Options) (*Report, error) {
	results := policytest.Run(ctx, o.Config, o.Cases)
	for i := range results {
		if !results[i].Passed {
			return nil, fmt.Errorf("%s: %w", o.Cases[i], ErrFailing)
		}
	}
	r := &run{Options: o, results: results, maker: newMaker(&o.Policy)}
	r.world = newWorld(o.Config, o.Cases, results)
	mutants := r.maker.all()
	report := &Report{Mutants: len(mutants), Alive: []*Mutant{}, Left: map[string]int{}, Untried: []*Mutant{}}
	var live []*Mutant
	for _, m := range mutants {
		if m.Why != "" {
			report.Left[m.Why]++
			continue
		}
		live = append(live, m)
	}
	if err := r.reach(ctx, live); err != nil {
		return nil, err
	}
	if err := r.each(ctx, live); err != nil {
		return nil, err
	}
	for _, m := range live {
		switch r.fates[m] {
		case killed:
			report.Killed++
		case alive:
			report.Alive = append(report.Alive, m)
		default:
			report.Untried = append(report.Untried, m)
		}
	}
	report.Runs = r.runs
	return report, ctx.Err()
}

// fate is what became of a mutant.
type fate uint8

const (
	untried fate = iota
	killed
	alive
)

type run struct {
	Options
	results []policytest.Result
	maker   *maker
	world   *world

	mu     sync.Mutex
	others map[*rules.Rule][]int // cases in which a changed rule answers otherwise
	fates  map[*Mutant]fate
	runs   int
}

// reach has every case judged once more, with all changed conditions tried
// beside their rules: where none answers otherwise, nothing is otherwise.
func (r *run) reach(ctx context.Context, live []*Mutant) error {
	beside := map[*rules.Rule][]*rules.Rule{}
	for _, m := range live {
		if m.truth != nil {
			of := r.maker.rules[m.truth.Name]
			beside[of] = append(beside[of], m.truth)
		}
	}
	r.others, r.fates = map[*rules.Rule][]int{}, map[*Mutant]fate{}
	return parallel(len(r.Cases), func(i int) error {
		differing := map[*rules.Rule]bool{}
		made := r.maker.variants.Beside(beside, func(v *rules.Rule) { differing[v] = true })
		if _, err := policytest.Judge(ctx, r.with(made), r.Cases[i]); err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for v := range differing {
			r.others[v] = append(r.others[v], i)
		}
		return nil
	})
}

// parallel does something n times, as often at once as there are processors.
func parallel(n int, do func(int) error) error {
	next := make(chan int)
	var mu sync.Mutex
	var first error
	var under sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		under.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					mu.Lock()
					first = errors.Join(first, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	under.Wait()
	return first
}

// with is the policy with other rules.
func (r *run) with(p *rules.Policy) *config.Config {
	cfg := *r.Config
	cfg.Gate.Rules = p
	return &cfg
}

func (r *run) each(ctx context.Context, live []*Mutant) error {
	return parallel(len(live), func(i int) error {
		m := live[i]
		if r.Spent != nil && r.Spent() || ctx.Err() != nil {
			return nil
		}
		f, err := r.try(ctx, m)
		if err == nil && f == alive {
			m.Case, err = r.write(ctx, m)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fates[m] = f
		return err
	})
}

// try has the cases judged that a mutant may matter to.
func (r *run) try(ctx context.Context, m *Mutant) (fate, error) {
	r.mu.Lock()
	cases := r.candidates(m)
	r.mu.Unlock()
	slices.Sort(cases)
	for _, i := range cases {
		o, err := policytest.Judge(ctx, r.with(m.made), r.Cases[i])
		if err != nil {
			return untried, err
		}
		r.mu.Lock()
		r.runs++
		r.mu.Unlock()
		if len(policytest.Compare(&r.Cases[i].Expect, o)) > 0 {
			return killed, nil
		}
	}
	return alive, nil
}

// candidates are the cases that reach the place of a mutant.
func (r *run) candidates(m *Mutant) (cases []int) {
	if m.truth != nil {
		return slices.Clone(r.others[m.truth])
	}
	for i := range r.results {
		o := r.results[i].Outcome()
		if m.above != nil {
			if w := o.Result.Weight; m.above[0] < w && w <= m.above[1] {
				cases = append(cases, i)
			}
			continue
		}
		for _, e := range o.Events {
			if hit, ok := e.(gate.Hit); ok && slices.Contains(m.of, hit.Rule) {
				cases = append(cases, i)
				break
			}
		}
	}
	return cases
}
