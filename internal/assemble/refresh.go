package assemble

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/rules"
)

// wholeEvery is how often all definitions are read although nobody said that
// one has changed: a store that was set back may say what it said before.
const wholeEvery = 10 * time.Minute

// maxReads bounds how often definitions are read that change meanwhile.
const maxReads = 3

// Refresh reads the clients of the source where they have changed. It returns
// when at the earliest it is worth while to ask again.
func (a *Accounts) Refresh(ctx context.Context) (time.Duration, error) {
	const soon = time.Second
	a.mu.Lock()
	cfg, from, was, again := a.cfg, a.source, a.roster, a.again
	a.mu.Unlock()
	if from == nil {
		return soon, nil
	}
	began := time.Now()
	version, err := from.ClientsVersion(ctx)
	if err != nil {
		return soon, a.fail(err)
	}
	servers, err := from.servedBy(ctx)
	if err != nil {
		return soon, a.fail(err)
	}
	if !again && was != nil && was.version == version && was.servers == servers && began.Sub(was.read).Abs() < wholeEvery {
		return soon, a.fail(nil)
	}
	list, version, err := definitions(ctx, from, version)
	if err != nil {
		return soon, a.fail(err)
	}
	if version == "" && len(list) == 0 {
		// Nobody wrote a client yet, or the source is empty for another reason:
		// that is no reason to refuse anybody's mail.
		return soon, a.fail(errors.New("no clients have been written there yet"))
	}
	next := was.update(cfg, version, list, began)
	next.servers = servers
	a.replace(cfg, was, next)
	// A source with many clients that change all the time has other work, too.
	return max(soon, 3*time.Since(began)), a.fail(nil)
}

// definitions reads all clients and the version they are of. One that changes while
// they are read is read again; where it never rests, they are of the version before
// them: what was written meanwhile may lack in the list, and the next look finds
// another version.
func definitions(ctx context.Context, from *following, version string) (list []accounting.Definition, of string, err error) {
	for range maxReads {
		of = version
		if list, err = from.Definitions(ctx); err != nil {
			return nil, "", err
		}
		if version, err = from.ClientsVersion(ctx); err != nil {
			return nil, "", err
		}
		if version == of {
			break
		}
	}
	return list, of, nil
}

// replace puts a roster in force, unless another policy is meanwhile.
func (a *Accounts) replace(cfg *config.Config, was, next *roster) {
	clients, problems := next.directory(cfg)
	a.mu.Lock()
	if a.cfg != cfg || a.roster != was {
		a.again = true
		a.mu.Unlock()
		return
	}
	changed := was == nil || !sameEntries(was.entries, next.entries)
	a.roster, a.again = next, false
	a.unsaved = a.unsaved || changed || was.highest != next.highest
	if changed {
		a.Live.Replace(clients)
		a.tell(problems)
	}
	a.mu.Unlock()
	if !changed {
		return
	}
	a.Log.Info("clients in force", "source", next.source, "version", next.version, "clients", len(next.entries), "problems", len(problems))
	if was != nil && len(next.entries) < len(was.entries) {
		a.Log.Warn("there are fewer clients than before", "source", next.source, "clients", len(next.entries), "before", len(was.entries), "removed", was.missingIn(next))
	}
	if a.Changed != nil {
		a.Changed()
	}
}

func sameEntries(a, b []entry) bool {
	return slices.EqualFunc(a, b, func(x, y entry) bool {
		return x.id == y.id && x.text == y.text && x.client == y.client && x.problem == y.problem && x.refused == y.refused
	})
}

// tell notes what is wrong with clients of the source, and says what is new in
// the log. The lock is held.
func (a *Accounts) tell(problems []problem) {
	had := make(map[problem]bool, len(a.problems))
	for _, p := range a.problems {
		had[p] = true
	}
	said := 0
	for _, p := range problems {
		if had[p] {
			continue
		}
		if said++; said <= mostTold {
			a.Log.Error("the definition of a client is not in force", "client", p.client, "problem", p.text)
		}
	}
	a.problems = problems
}

// fail notes that the source was, or could not be, asked.
func (a *Accounts) fail(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil && a.failed != "":
		a.Log.Info("clients can be read again", "source", a.sourceName())
		a.failed, a.since = "", time.Time{}
		// What was missed its version may not tell.
		a.again = true
	case err != nil:
		if a.failed == "" {
			a.since = time.Now()
			a.Log.Error("clients cannot be read; those known before stay in force", "source", a.sourceName(), "error", err)
		}
		a.failed = err.Error()
	}
	return err
}

// Check tells what is wrong with definitions that are to be written into the
// store, each at its place, and gives them as they are to be written.
func (a *Accounts) Check(list []config.Definition) ([]accounting.Definition, rules.Problems) {
	a.mu.Lock()
	cfg, r := a.cfg, a.roster
	a.mu.Unlock()
	return r.check(cfg, list)
}

// Defined is the definition of a client of the source that is in force; false
// where there is none.
func (a *Accounts) Defined(id string) (text string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.roster == nil {
		return "", false
	}
	i, ok := slices.BinarySearchFunc(a.roster.entries, id, func(e entry, id string) int { return strings.Compare(e.id, id) })
	if !ok || a.roster.entries[i].client == nil {
		return "", false
	}
	return a.roster.entries[i].text, true
}

// ClientsStatus is how the clients of a source that is followed fare.
type ClientsStatus struct {
	Source   string    `json:"source"`  // its name in the table of sources: "redis"
	Version  string    `json:"version"` // as read last
	Read     time.Time `json:"read"`    // when that was; zero: never
	Clients  int       `json:"clients"`
	Problems []string  `json:"problems"` // the first of them
	Count    int       `json:"problem_count"`
	Error    string    `json:"error"` // why they cannot be read now; "" when they can
	Since    time.Time `json:"error_since"`
}

// Status is how the clients of the source fare; nil where the policy follows none.
func (a *Accounts) Status() *ClientsStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cfg == nil || a.cfg.ClientSource == nil {
		return nil
	}
	s := &ClientsStatus{Source: a.sourceName(), Problems: []string{}, Count: len(a.problems), Error: a.failed, Since: a.since}
	if a.roster != nil {
		s.Version, s.Read, s.Clients = a.roster.version, a.roster.read, len(a.roster.entries)
	}
	for _, p := range a.problems[:min(len(a.problems), mostTold)] {
		s.Problems = append(s.Problems, p.String())
	}
	return s
}
