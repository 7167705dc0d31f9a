package gate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tollgate-mail/tollgate/internal/mailauth"
	"github.com/tollgate-mail/tollgate/internal/results"
	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// authTimeout is how long all keys and records of one message may take.
const authTimeout = 15 * time.Second

// authentication is what DKIM and DMARC say of a message, each found once.
type authentication struct {
	m *Message

	checked    bool
	signatures []mailauth.Signature
	err        error // the signatures could not be checked

	evaluation *mailauth.Evaluation // of DMARC; nil: not made

	asking *asking // nil: nothing was asked
}

// asking is the time in which at least one question is under way: the keys of
// several signatures are asked for side by side.
type asking struct {
	mu    sync.Mutex
	under int
	since time.Time // under is above zero
	spent time.Duration
}

func (a *authentication) lookup(ctx context.Context, name string) ([]string, error) {
	a.count(1)
	defer a.count(-1)
	return a.m.j.DNS.LookupTXT(ctx, name)
}

func (a *authentication) count(more int) {
	now := a.m.s.g.Now()
	a.asking.mu.Lock()
	defer a.asking.mu.Unlock()
	if a.asking.under > 0 {
		a.asking.spent += now.Sub(a.asking.since)
	}
	a.asking.under += more
	a.asking.since = now
}

// timed begins to measure, and ends it with what it returns.
func (a *authentication) timed() (end func()) {
	a.asking = &asking{}
	return a.spend
}

// spend counts the time of the questions that have been answered.
func (a *authentication) spend() {
	a.asking.mu.Lock()
	defer a.asking.mu.Unlock()
	if a.asking.spent > 0 {
		a.m.s.stopwatch.times.Add(took.DNS, a.asking.spent)
	}
}

// dkim verifies the message's signatures.
func (a *authentication) dkim(ctx context.Context) ([]mailauth.Signature, error) {
	if a.checked {
		return a.signatures, a.err
	}
	a.checked = true
	if a.m.header.Count("DKIM-Signature") == 0 {
		return nil, nil
	}
	if a.m.inspection.stash == nil || a.m.j.DNS == nil {
		a.err = errUninspected
		return nil, a.err
	}
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	defer a.timed()()
	a.signatures, a.err = mailauth.VerifyDKIM(ctx, walk(ctx), a.m.inspection.stash.Open(ctx), a.lookup)
	return a.signatures, a.err
}

// dkimResult is the best result.
func (a *authentication) dkimResult(ctx context.Context) (rules.Value, error) {
	all, err := a.dkim(ctx)
	if err != nil {
		a.m.s.g.Log.Info("DKIM cannot be checked", "ref", a.m.ref, "error", err)
		return rules.EnumValue(results.TempError), nil
	}
	return rules.EnumValue(mailauth.Best(all)), nil
}

// dmarc evaluates what the author's domain says.
func (a *authentication) dmarc(ctx context.Context) *mailauth.Evaluation {
	if a.evaluation != nil {
		return a.evaluation
	}
	e := mailauth.Evidence{SPFDomain: a.m.spfDomain()}
	for _, f := range a.m.header.Fields {
		if f.Named("From") {
			e.From = append(e.From, f.Value)
		}
	}
	spf, _ := a.m.lookups.Answer(ctx, &a.m.s.group, rules.Key{Attr: rules.SPF}, a.m.question)
	e.SPF = results.Auth(spf.Text)
	var err error
	if e.Signatures, err = a.dkim(ctx); err != nil {
		// They may be good: whoever they are of, the message cannot fail for
		// want of them.
		a.evaluation = &mailauth.Evaluation{Result: results.TempError}
		return a.evaluation
	}
	if a.m.j.DNS == nil {
		return &mailauth.Evaluation{Result: results.TempError}
	}
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	defer a.timed()()
	found := mailauth.DMARC(ctx, e, a.lookup)
	a.evaluation = &found
	return a.evaluation
}

// spfDomain is the domain that SPF is about: of the sender or, for the null
// sender, the name in HELO (RFC 7208 §2.4).
func (m *Message) spfDomain() string {
	if m.from.Null() {
		return m.s.helo
	}
	return m.from.Domain
}

// report adds the field that tells what was found, where the policy asks
// for any of it (RFC 8601): at the top, with the fields of the same hop.
func (a *authentication) report(ctx context.Context, edits []Edit) []Edit {
	if a.m.outbound() || a.m.j.DNS == nil {
		return edits
	}
	var r mailauth.Results
	if a.m.j.resultsWanted.spf {
		spf, err := a.m.lookups.Answer(ctx, &a.m.s.group, rules.Key{Attr: rules.SPF}, a.m.question)
		if err == nil && spf.Known {
			r.SPF, r.SPFSender = results.Auth(spf.Text), a.m.from.ASCII()
			if a.m.from.Null() {
				r.SPFHelo = a.m.s.helo
			}
		}
	}
	if a.m.j.resultsWanted.dkim {
		v, _ := a.dkimResult(ctx)
		r.DKIM, r.Signatures = results.Auth(v.Text), a.signatures
	}
	if a.m.j.resultsWanted.dmarc {
		r.DMARC = a.dmarc(ctx)
	}
	if value := r.Value(a.m.j.Gateway); value != "" {
		edits = append(edits, Edit{Kind: InsertField, Index: 0, Name: mailauth.FieldName, Value: value})
	}
	return edits
}

// forgedResults removes Authentication-Results that say they are ours, from the
// highest index down (RFC 8601 §5).
func (m *Message) forgedResults(edits []Edit) []Edit {
	n := m.header.Count(mailauth.FieldName)
	if n == 0 {
		return edits
	}
	for i := len(m.header.Fields) - 1; i >= 0; i-- {
		f := m.header.Fields[i]
		if !f.Named(mailauth.FieldName) {
			continue
		}
		if mailauth.IsOf(f.Value, m.j.Gateway) {
			edits = append(edits, Edit{Kind: DeleteField, Name: mailauth.FieldName, Index: n})
		}
		n--
	}
	return edits
}

// dkimDomains are the domains of signatures that are good. While there is one of which
// nobody can tell, there may be more.
func (a *authentication) dkimDomains(ctx context.Context) (rules.Value, error) {
	signatures, err := a.dkim(ctx)
	if err != nil {
		return rules.Value{}, err
	}
	var domains []string
	open := false
	for _, s := range signatures {
		if s.Result == results.Pass && !slices.Contains(domains, s.Domain) {
			domains = append(domains, s.Domain)
		}
		open = open || s.Result == results.TempError
	}
	v := rules.TextValues(domains)
	v.Partial = open
	return v, nil
}
