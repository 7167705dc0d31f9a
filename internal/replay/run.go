package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// Options of a replay.
type Options struct {
	Policy  *config.Config
	Against *config.Config // another one to compare with; nil: none
	// Answers is what DNS says; nil: nothing is looked up.
	Answers *trial.Answers
	// Changed is a folder that messages which the other policy treats otherwise
	// are copied to; "" for none.
	Changed string
	// Sent are envelopes from the journal, by reference; nil: none.
	Sent map[string]Sent
	// Done is told how many octets of all there are have been read; nil: nobody.
	Done func(read, all int64)
}

// Summary is how a replay went.
type Summary struct {
	Messages int      `json:"messages"`
	Unread   []string `json:"unread"`  // could not be read or judged, and why
	Guessed  int      `json:"guessed"` // recipients taken from To and Cc
	// FromJournal are messages whose envelope the journal had.
	FromJournal int            `json:"from_journal"`
	Verdicts    map[string]int `json:"verdicts"`
	Against     map[string]int `json:"against,omitempty"` // the verdicts of the other policy
	Rules       []RuleCount    `json:"rules"`             // that matched, the most frequent first
	Weights     []WeightCount  `json:"weights"`
	Unknown     []Unknown      `json:"unknown"`
	Changes     []Changed      `json:"changes"`      // in the order of their paths, the first that were found
	More        int            `json:"more_changes"` // that are not among them
	// Clients is what was known of the clients of a source; nil where the policy
	// follows none.
	Clients *assemble.KeptSource `json:"clients,omitempty"`
}

// RuleCount is how often a rule matched, under each policy.
type RuleCount struct {
	Rule    string `json:"rule"`
	Hits    int    `json:"hits"`
	Against int    `json:"against"`
}

// Changed is a message that the other policy treats otherwise.
type Changed struct {
	Path   string  `json:"path"`
	Before Outcome `json:"before"`
	After  Outcome `json:"after"`
}

// Outcome is what a policy does to a message.
type Outcome struct {
	Verdict string `json:"verdict"`
	Weight  string `json:"weight"`
	Subject string `json:"subject"`
	Tags    string `json:"tags"` // names of the fields that it adds
	Charged int64  `json:"charged"`
	Rule    string `json:"rule"` // that decided
}

// differs tells whether anybody would notice: of the weight alone nobody does.
func (o Outcome) differs(other Outcome) bool {
	return o.Verdict != other.Verdict || o.Subject != other.Subject || o.Tags != other.Tags || o.Charged != other.Charged
}

// mostChanges bounds the changes that are told one by one.
const mostChanges = 10_000

// mostUnread bounds how many messages that cannot be read are named.
const mostUnread = 1000

// Run judges every stored message below the paths, as many at once as there are
// processors. Nothing is delivered, remembered or charged.
func Run(ctx context.Context, o Options, paths []string) (*Summary, error) {
	r := &replay{Options: o, rules: map[string]*RuleCount{}, figures: figures{map[int]int{}, map[string]int{}}, summary: Summary{
		Unread: []string{}, Verdicts: map[string]int{}, Rules: []RuleCount{}, Changes: []Changed{},
	}}
	kept := assemble.KeptClients(o.Policy)
	r.clients, r.summary.Clients = kept.Directory(), kept.About()
	if o.Against != nil {
		r.summary.Against = map[string]int{}
		r.clientsAgainst = assemble.KeptClients(o.Against).Directory()
	}
	work := make(chan Stored)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var under sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		under.Go(func() {
			if err := r.worker(ctx, work); err != nil {
				cancel(err)
			}
		})
	}
	all, read := sizes(paths), int64(0)
	err := Walk(ctx, paths, func(s Stored) error {
		if read += int64(len(s.Text)); o.Done != nil {
			o.Done(read, all)
		}
		s.Text = slices.Clone(s.Text)
		select {
		case work <- s:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(work)
	under.Wait()
	if err = errors.Join(err, context.Cause(ctx)); err != nil {
		return nil, err
	}
	r.summary.Weights, r.summary.Unknown = r.figures.histogram(), r.figures.unknowns()
	for _, c := range r.rules {
		r.summary.Rules = append(r.summary.Rules, *c)
	}
	slices.SortFunc(r.summary.Rules, func(a, b RuleCount) int { return cmp.Or(b.Hits-a.Hits, strings.Compare(a.Rule, b.Rule)) })
	slices.SortFunc(r.summary.Changes, func(a, b Changed) int { return strings.Compare(a.Path, b.Path) })
	return &r.summary, nil
}

// replay is one under way.
type replay struct {
	Options
	clients, clientsAgainst *directory.Directory
	mu                      sync.Mutex
	summary                 Summary
	rules                   map[string]*RuleCount
	figures                 figures
}

// benches are what one worker judges with.
type benches struct {
	now             time.Time
	before, against *trial.Bench // against: nil for none
}

func (r *replay) worker(ctx context.Context, work <-chan Stored) (err error) {
	b := &benches{}
	defer func() { err = errors.Join(err, b.close()) }()
	if b.before, err = r.bench(ctx, r.Policy, r.clients, b); err != nil {
		return err
	}
	if r.Against != nil {
		if b.against, err = r.bench(ctx, r.Against, r.clientsAgainst, b); err != nil {
			return err
		}
	}
	strip := newStripper(r.Policy)
	strip.sent = r.Sent
	for s := range work {
		if s.Err == nil {
			s.Err = r.judge(ctx, b, strip, s)
		}
		if s.Err != nil && ctx.Err() == nil {
			r.unread(s)
		}
	}
	return nil
}

func (b *benches) close() error {
	var errs []error
	for _, one := range []*trial.Bench{b.before, b.against} {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}

func (r *replay) bench(ctx context.Context, cfg *config.Config, clients *directory.Directory, b *benches) (*trial.Bench, error) {
	o := trial.Options{
		Config: cfg, Clients: clients,
		Recall: r.Sent != nil,
		// What lies in a mailbox has passed greylisting.
		Memory: trial.Memory{Passed: true},
		Now:    func() time.Time { return b.now },
	}
	if r.Answers != nil {
		o.Lookups = &trial.Answers{Records: r.Answers.Records}
	}
	return trial.New(ctx, o)
}

func (r *replay) unread(s Stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.summary.Unread) < mostUnread {
		r.summary.Unread = append(r.summary.Unread, fmt.Sprintf("%s: %v", s.Path, s.Err))
	}
}

var errNobody = errors.New("nothing tells to whom it was sent")

// judge has a message judged by one policy or both.
func (r *replay) judge(ctx context.Context, b *benches, strip *stripper, s Stored) error {
	m, when, from := strip.message(s.Text)
	if len(m.Recipients) == 0 {
		return errNobody
	}
	if b.now = when; when.IsZero() {
		b.now = time.Now()
	}
	before, err := b.before.Judge(ctx, m)
	if err != nil {
		return err
	}
	var against *trial.Outcome
	if b.against != nil {
		if against, err = b.against.Judge(ctx, m); err != nil {
			return err
		}
	}
	changed := r.count(s, from, absent(m, from), before, against)
	if changed && r.Changed != "" {
		return keep(r.Changed, s)
	}
	return nil
}

// count takes the outcomes into the summary, and tells whether they differ.
func (r *replay) count(s Stored, from origin, absent []string, before, against *trial.Outcome) bool {
	was := outcome(before)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.Messages++
	switch from {
	case fromHeader:
		r.summary.Guessed++
	case fromJournal:
		r.summary.FromJournal++
	}
	r.figures.count(before, against, absent)
	r.summary.Verdicts[was.Verdict]++
	r.hits(before, func(c *RuleCount) { c.Hits++ })
	if against == nil {
		return false
	}
	is := outcome(against)
	r.summary.Against[is.Verdict]++
	r.hits(against, func(c *RuleCount) { c.Against++ })
	if !was.differs(is) {
		return false
	}
	if len(r.summary.Changes) < mostChanges {
		r.summary.Changes = append(r.summary.Changes, Changed{s.Path, was, is})
	} else {
		r.summary.More++
	}
	return true
}

func (r *replay) hits(o *trial.Outcome, add func(*RuleCount)) {
	for _, h := range o.Result.Hits {
		c := r.rules[h.Rule.Name]
		if c == nil {
			c = &RuleCount{Rule: h.Rule.Name}
			r.rules[h.Rule.Name] = c
		}
		add(c)
	}
}
