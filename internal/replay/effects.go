package replay

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/policydiff"
	"github.com/tollgate-mail/tollgate/internal/trial"
	"github.com/tollgate-mail/tollgate/rules"
)

// Effects is what one policy would have done otherwise than another with the mail
// in the journals, as far as these know it.
type Effects struct {
	Messages int      `json:"messages"` // judged
	Changed  int      `json:"changed"`  // another verdict, or of a recipient
	Marked   int      `json:"marked"`   // with the verdict as it was, but other marks
	Turns    []Turn   `json:"turns"`    // the most frequent first
	Effects  []Effect `json:"effects"`  // the first of them
	More     int      `json:"more"`     // that are not among them
	// Unknown are messages of which nothing changes by what the journal has, but
	// could by what it does not have: by attribute in Attributes.
	Unknown    int       `json:"unknown"`
	Attributes []Unknown `json:"attributes"`
	// NotReproduced are those that the first policy itself would treat otherwise
	// than was done, by what the journal has: nothing is said of them. LeftOut are
	// those that rules have no part in: given up, or refused for what was wrong with
	// them.
	NotReproduced int `json:"not_reproduced"`
	LeftOut       int `json:"left_out"`
	// Unpaired are messages whose refusals came so long before their own entry that
	// they were not kept until then; nothing is said of those either.
	Unpaired int `json:"unpaired"`
	// Broken are lines of the journals that are no entry, Unsearched files that are
	// compressed in another way than we read, Unread those that could not be read, or
	// not to their end, and why: what they have is not in any of these numbers.
	Broken     int64    `json:"broken"`
	Unsearched []string `json:"unsearched"`
	Unread     []string `json:"unread"`
}

// Turn is how many messages go from one verdict to another.
type Turn struct {
	Before   string `json:"before"`
	After    string `json:"after"`
	Messages int    `json:"messages"`
}

// Effect is a message that the second policy treats otherwise.
type Effect struct {
	Ref        string   `json:"ref"`
	Sender     string   `json:"sender"`
	Recipients []string `json:"recipients"` // those of which the verdict changes
	Before     string   `json:"before"`     // verdict
	After      string   `json:"after"`      // verdict; Beyond: it would have come further than it did
	Marks      bool     `json:"marks"`      // the verdict stays, the marks do not
	Rule       string   `json:"rule"`       // that decides then; "" where none does
	Weight     string   `json:"weight"`     // then
	// Unknown are attributes that the journal does not have and that could change
	// this again.
	Unknown []string `json:"unknown"`
}

// Beyond is the verdict on a message that was refused before its header came, and
// would not have been: what then, nobody knows.
const Beyond = "beyond"

// mostEffects bounds the messages that are told one by one, mostPending those whose
// blocks wait for the entry of their message.
const (
	mostEffects = 1000
	mostPending = 100_000
)

// Comparison are two policies and the journals that they are compared by.
type Comparison struct {
	Before, After *config.Config
	// Shared is what the version that judged a message has in common with Before and
	// After, nil where it is not known any more.
	Shared func(version string) (before, after *policydiff.Shared)
	// Both is what Before and After have in common; nil: it is not known.
	Both  *policydiff.Shared
	Dir   string
	Since time.Time
}

// comparing is one under way.
type comparing struct {
	Comparison
	now           time.Time
	before, after *trial.Bench
	turns         map[[2]string]int
	unknown       map[string]int
	pending       *pending
	out           Effects
}

// Effects judges what the journals have.
func (c Comparison) Effects(ctx context.Context) (_ *Effects, err error) {
	r := &comparing{
		Comparison: c, turns: map[[2]string]int{}, unknown: map[string]int{}, pending: newPending(mostPending),
		out: Effects{Turns: []Turn{}, Effects: []Effect{}, Attributes: []Unknown{}, Unsearched: []string{}, Unread: []string{}},
	}
	bench := func(cfg *config.Config) (*trial.Bench, error) {
		return trial.New(ctx, trial.Options{
			Config: cfg, Clients: assemble.KeptClients(cfg).Directory(), Recall: true, Memory: trial.Memory{Passed: true}, Now: func() time.Time { return r.now },
		})
	}
	if r.before, err = bench(c.Before); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.before.Close()) }()
	if r.after, err = bench(c.After); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.after.Close()) }()
	q := journal.Query{Kinds: []string{journal.Messages, journal.Blocks, journal.Antivirus}, Since: c.Since}
	report, err := journal.SearchReadable(ctx, c.Dir, q, func(e journal.Entry) error {
		if e.Kind == journal.Messages {
			lines, whole := r.pending.take(e.Ref)
			if !whole {
				r.out.Unpaired++
				return nil
			}
			return r.message(ctx, e, lines)
		}
		// What is done later to a message on hold belongs to no judgement.
		e.Line = ""
		r.pending.add(e)
		return nil
	})
	r.out.Broken, r.out.Unsearched = report.Broken, append(r.out.Unsearched, report.Unsearched...)
	for _, err := range report.Unread {
		r.out.Unread = append(r.out.Unread, err.Error())
	}
	for turn, n := range r.turns {
		r.out.Turns = append(r.out.Turns, Turn{turn[0], turn[1], n})
	}
	slices.SortFunc(r.out.Turns, func(a, b Turn) int {
		return cmp.Or(b.Messages-a.Messages, strings.Compare(a.Before+" "+a.After, b.Before+" "+b.After))
	})
	f := figures{unknown: r.unknown}
	r.out.Attributes = f.unknowns()
	return &r.out, err
}

// message judges one by both policies.
func (r *comparing) message(ctx context.Context, e journal.Entry, lines []journal.Entry) error {
	m, known := r.recorded(&e, lines)
	if m == nil {
		r.out.LeftOut++
		return nil
	}
	shared, sharedAfter := r.Shared(e.Policy)
	known.shared = shared
	was, err := r.before.Judge(ctx, *m)
	if err != nil {
		return err
	}
	after := *known
	after.shared = sharedAfter
	m.Known = &after
	is, err := r.after.Judge(ctx, *m)
	if err != nil {
		return err
	}
	r.out.Messages++
	before, then := string(was.Result.Verdict), string(is.Result.Verdict)
	if e.Policy == r.Before.Gate.Version && before != e.Verdict {
		r.out.NotReproduced++
		return nil
	}
	if m.Text == nil && then == string(gate.Accepted) && before != then {
		then = Beyond
	}
	hung := hanging(was, is)
	var changed []string
	for i, to := range was.Recipients {
		if fate(to, before) != fate(is.Recipients[i], then) {
			changed = append(changed, to.Address)
		}
	}
	switch {
	case len(changed) > 0:
		r.out.Changed++
		r.turns[[2]string{before, then}]++
		r.effect(is, Effect{Ref: e.Ref, Sender: e.Sender, Recipients: changed, Before: before, After: then, Unknown: hung})
	case before == then && otherMarks(was, is):
		r.out.Marked++
		r.effect(is, Effect{Ref: e.Ref, Sender: e.Sender, Recipients: m.Recipients, Before: before, After: then, Marks: true, Unknown: hung})
	case len(hung) > 0 && !r.alike(was, is):
		r.out.Unknown++
		for _, name := range hung {
			r.unknown[name]++
		}
	}
	return nil
}

// fate is what becomes of a recipient: what RCPT was answered, or the verdict on the
// message.
func fate(to trial.Recipient, message string) string {
	if to.Verdict != gate.Pass {
		return string(to.Verdict)
	}
	return message
}

func (r *comparing) effect(is *trial.Outcome, one Effect) {
	if len(r.out.Effects) == mostEffects {
		r.out.More++
		return
	}
	x := trial.Explain(is)
	one.Rule, one.Weight = x.Rule, x.Weight
	r.out.Effects = append(r.out.Effects, one)
}

// recorded is a message as the journals have it; nil where rules had no part in
// what became of it.
func (r *comparing) recorded(e *journal.Entry, lines []journal.Entry) (*trial.Message, *entry) {
	if e.Verdict == string(gate.Aborted) || e.Reason == "skip_clients" {
		return nil, nil
	}
	known := &entry{e: e, blocks: map[string]*journal.Entry{}, stage: e.Stage, rule: e.Rule}
	var scan *journal.Entry
	m := &trial.Message{Known: known, Recipients: slices.Clone(e.Recipients)}
	for i := range lines {
		b := &lines[i]
		switch {
		case b.Kind == journal.Antivirus:
			scan = b
		case b.Recipient == "" || b.Verdict == string(gate.Greylisted) || b.Reason == "refused by the MTA":
		case len(e.Recipients) == 0 || !slices.Contains(e.Recipients, b.Recipient):
			known.blocks[b.Recipient] = b
			if !slices.Contains(m.Recipients, b.Recipient) {
				m.Recipients = append(m.Recipients, b.Recipient)
			}
			if len(e.Recipients) == 0 && b.Rule != "" && order(b.Stage) < order(rules.RcptTo.String()) {
				known.stage, known.rule = b.Stage, b.Rule // a refusal that was pending
			}
		}
	}
	passes := e.Verdict == string(gate.Accepted)
	byWeight := strings.HasPrefix(e.Reason, "weight ") && e.Rule == ""
	if len(m.Recipients) == 0 || !passes && len(e.Recipients) > 0 && e.Rule == "" && !byWeight && scan == nil {
		return nil, nil
	}
	if known.rule == "" {
		known.stage = ""
	}
	if a := answersOf(e, scan); a != nil {
		known.answers = *a
	}
	Sent{e.ClientIP, e.ClientHost, e.Helo, e.TLS, e.AuthUser, e.Sender, e.QueueID, e.Time, m.Recipients, nil}.into(m)
	m.Envelope.QueueID = cmp.Or(e.QueueID, "JOURNAL")
	if len(e.Recipients) > 0 {
		m.Text = []byte("\n") // whoever asks for it asks known
	}
	r.now = e.Time
	return m, known
}
