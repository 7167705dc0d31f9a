package shadow

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/tape"
)

// What a second judgement is for.
const (
	Candidate = "shadow"     // a policy that may come in force
	Canary    = "canary"     // the old policy, on mail that the candidate judged
	SelfCheck = "self_check" // the same policy
)

const (
	waiting = 256              // tapes for one policy; further ones are left out
	slow    = time.Second      // a judgement that takes longer counts as slow
	giveUp  = 10 * time.Second // and is given up
)

// Counts are how judgements beside the live ones went.
type Counts struct {
	Judged     int64            `json:"judged"`
	Same       int64            `json:"same"`
	Different  int64            `json:"different"`   // verdict, tags, or of a self-check anything
	WeightOnly int64            `json:"weight_only"` // the weight alone
	Beyond     int64            `json:"beyond"`      // the live verdict did not let the message come so far that the other is known
	Unknown    int64            `json:"unknown"`     // judged with questions that had no answer
	LeftOut    int64            `json:"left_out"`    // there was no room for them
	Panics     int64            `json:"panics"`
	Slow       int64            `json:"slow"`
	Changes    map[string]int64 `json:"changes"` // "accept -> reject" and so on: recipients
}

// Plus are these counts and others together.
func (c Counts) Plus(o Counts) Counts {
	changes := maps.Clone(o.Changes)
	for what, n := range c.Changes {
		changes[what] += n
	}
	return Counts{
		Judged: c.Judged + o.Judged, Same: c.Same + o.Same, Different: c.Different + o.Different, WeightOnly: c.WeightOnly + o.WeightOnly,
		Beyond: c.Beyond + o.Beyond, Unknown: c.Unknown + o.Unknown, LeftOut: c.LeftOut + o.LeftOut, Panics: c.Panics + o.Panics,
		Slow: c.Slow + o.Slow, Changes: changes,
	}
}

// Pair is one message as both judged it.
type Pair struct {
	Tape         *tape.Tape
	Live, Beside Outcome
	Panicked     bool
}

// Options of a Beside.
type Options struct {
	Purpose string // Candidate, Canary, SelfCheck
	Policy  *gate.Policy
	Journal gate.Journal
	Asking  *tape.Asking
	Log     *slog.Logger
	Dir     string     // for long messages
	Paired  func(Pair) // nil: nobody is told; must not keep the tape
}

// Beside judges tapes by one policy, in a goroutine of its own.
type Beside struct {
	o       Options
	version string
	tapes   chan *tape.Tape
	done    chan struct{}

	mu     sync.Mutex
	closed bool
	counts Counts
}

// New begins to judge. Close ends it, and retires the policy.
func New(o Options) *Beside {
	b := &Beside{o: o, version: o.Policy.Version, tapes: make(chan *tape.Tape, waiting), done: make(chan struct{})}
	b.counts.Changes = map[string]int64{}
	go b.run(newSecond(o.Policy, o.Dir))
	return b
}

// Take has a tape judged, unless there is no room. It does not wait, and closes
// the tape in the end.
func (b *Beside) Take(t *tape.Tape) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		select {
		case b.tapes <- t:
			return
		default:
		}
	}
	b.counts.LeftOut++
	t.Close()
}

// Version is the policy's.
func (b *Beside) Version() string { return b.version }

// Counts are those since the beginning.
func (b *Beside) Counts() Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.counts
	c.Changes = map[string]int64{}
	for k, n := range b.counts.Changes {
		c.Changes[k] = n
	}
	return c
}

// Close ends judging: what waits is left out.
func (b *Beside) Close() {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	if !again {
		close(b.tapes)
	}
	b.mu.Unlock()
	<-b.done
}

func (b *Beside) run(s *second) {
	defer close(b.done)
	defer s.gate.Retire()
	for t := range b.tapes {
		b.mu.Lock()
		closed := b.closed
		b.mu.Unlock()
		if !closed {
			b.one(s, t)
		}
		t.Close()
	}
}

// one judges a tape and compares.
func (b *Beside) one(s *second, t *tape.Tape) {
	began := time.Now()
	recall := tape.NewRecall(t, b.o.Asking)
	ctx, cancel := context.WithTimeout(context.Background(), giveUp)
	defer cancel()
	p := Pair{Tape: t, Live: live(t, s.gate.Policy().ReportHeader)}
	p.Beside, p.Panicked = b.guarded(recall.Context(ctx), s, t)
	took := time.Since(began)
	changes := b.compare(&p)

	b.mu.Lock()
	b.counts.Judged++
	if took > slow {
		b.counts.Slow++
	}
	if recall.Unknown() > 0 {
		b.counts.Unknown++
	}
	switch {
	case p.Panicked:
		b.counts.Panics++
	case len(changes) > 0:
		b.counts.Different++
		for _, c := range changes {
			b.counts.Changes[c.Verdict+" -> "+c.Beside]++
		}
	case p.Beside.Verdict == Unknown:
		b.counts.Beyond++
	case p.Live.Weight != p.Beside.Weight:
		b.counts.WeightOnly++
	default:
		b.counts.Same++
	}
	b.mu.Unlock()
	if len(changes) > 0 {
		if err := b.o.Journal.Write(b.entry(s, &p, changes, recall.Unknown())); err != nil {
			b.o.Log.Warn("a difference between two judgements cannot be journalled", "ref", t.Ref, "error", err)
		}
	}
	if b.o.Paired != nil {
		b.o.Paired(p)
	}
}

// guarded judges; a panic is an outcome.
func (b *Beside) guarded(ctx context.Context, s *second, t *tape.Tape) (o Outcome, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			b.o.Log.Error("internal fault in a judgement beside the live one", "purpose", b.o.Purpose, "policy", b.version, "ref", t.Ref, "detail", fmt.Sprint(p))
			o, panicked = Outcome{}, true
		}
	}()
	return s.judge(ctx, t), false
}

// compare has the recipients that would fare otherwise. With equal verdicts and
// other tags it is all of them.
func (b *Beside) compare(p *Pair) []journal.Change {
	var all []journal.Change
	if p.Panicked || p.Tape.Faulted {
		return nil
	}
	l, s := &p.Live, &p.Beside
	for i, r := range p.Tape.Recipients {
		if i >= len(s.Recipients) || r.Refused != nil {
			break
		}
		was, is := l.Recipients[i], s.Recipients[i]
		if was == is || is == Unknown || was == gate.Aborted || is == gate.Aborted {
			continue
		}
		all = append(all, journal.Change{Recipient: r.Address, Verdict: string(was), Beside: string(is)})
	}
	other := l.Verdict == s.Verdict && (l.Verdict == gate.Accepted || l.Verdict == gate.Held) && l.Tags != s.Tags
	if b.o.Purpose == SelfCheck && p.Tape.Complete && !p.Tape.Cut {
		other = other || l.Weight != s.Weight || l.Hits != s.Hits || l.Charged != s.Charged
	}
	if len(all) == 0 && other {
		for i, r := range p.Tape.Recipients {
			if l.Recipients[i] == l.Verdict {
				all = append(all, journal.Change{Recipient: r.Address, Verdict: string(l.Verdict), Beside: string(s.Verdict), Tags: true})
			}
		}
	}
	return all
}

// entry is a difference for the journal.
func (b *Beside) entry(s *second, p *Pair, changes []journal.Change, unknown int64) *journal.Entry {
	e := &journal.Entry{}
	if s.sink.last != nil {
		*e = *s.sink.last
	}
	e.Kind, e.Time, e.Event = journal.Shadow, time.Now(), b.o.Purpose
	e.Gateway = s.gate.Policy().Gateway
	e.Ref, e.QueueID, e.Policy = p.Tape.Ref, p.Tape.Envelope.QueueID, p.Tape.Version
	e.Verdict, e.Weight, e.Reply = string(p.Live.Verdict), p.Live.Weight.String(), p.Live.Reply
	e.Stage, e.Rule, e.Reason, e.Rules, e.Modules = "", "", "", nil, nil
	e.Beside, e.BesideVerdict, e.BesideStage, e.BesideRule = b.version, string(p.Beside.Verdict), p.Beside.Stage, p.Beside.Rule
	e.BesideWeight, e.BesideReply, e.BesideReason = p.Beside.Weight.String(), p.Beside.Reply, p.Beside.Reason
	e.Changes, e.Unknown = changes, unknown
	e.Recipients = nil
	for _, c := range changes {
		if !slices.Contains(e.Recipients, c.Recipient) && len(e.Recipients) < 1000 {
			e.Recipients = append(e.Recipients, c.Recipient)
		}
	}
	if b.o.Purpose == SelfCheck {
		e.Detail = strings.TrimSpace(fmt.Sprintf("hits %q, again %q; charged %q, again %q", p.Live.Hits, p.Beside.Hits, p.Live.Charged, p.Beside.Charged))
	}
	return e
}
