package assemble

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/rules"
)

// roster is the clients of a source, as they were read last. It does
// not change; another takes its place.
type roster struct {
	source  string // its name in the table of sources
	version string
	// highest is the highest version that was ever read: a server that was set back
	// counts on from an older one, and what it lost is not removed by that.
	highest string
	read    time.Time
	entries []entry // by id
	basis   string  // what they were read under
	servers string  // who served them; "" after a start
}

// update is the roster after the source was read. A definition that cannot be
// read leaves the one before in force: one client's mistake must cost nobody
// his mail.
func (r *roster) update(cfg *config.Config, version string, list []accounting.Definition, now time.Time) *roster {
	next := &roster{source: cfg.ClientSource.Type, version: version, read: now, entries: make([]entry, 0, len(list)), basis: cfg.Basis()}
	var old []entry
	if r != nil {
		old = r.under(cfg).entries
	}
	definer := cfg.Definer()
	before := ""
	if r != nil {
		before = r.highest
	}
	ahead := advanced(before, version)
	if next.highest = before; ahead {
		next.highest = version
	}
	skip := func(e entry) {
		if !ahead {
			e.problem, e.refused = gone(before, version), ""
			next.entries = append(next.entries, e)
		}
	}
	for _, d := range list {
		e := entry{id: d.ID}
		for len(old) > 0 && old[0].id < d.ID {
			skip(old[0])
			old = old[1:]
		}
		if len(old) > 0 && old[0].id == d.ID {
			e, old = old[0], old[1:]
		}
		next.entries = append(next.entries, e.with(definer, d))
	}
	for _, e := range old {
		skip(e)
	}
	return next
}

// advanced tells whether somebody has changed definitions since the highest version: only
// then is one that is not there any more believed to be removed. A server that was set
// back, or came back empty, has an older version, the same or none, and its clients
// are clients still, however often it counts on from there.
func advanced(before, version string) bool {
	was, err := strconv.ParseUint(before, 10, 64)
	is, err2 := strconv.ParseUint(version, 10, 64)
	if err == nil && err2 == nil {
		return is > was
	}
	return version != "" && version != before
}

func gone(before, version string) string {
	if before == version {
		return fmt.Sprintf("its definition is gone, and version %q is as it was: it stays in force until the version is incremented", version)
	}
	return fmt.Sprintf("its definition is gone, and version %q is older than %q: it stays in force until the version is above that", version, before)
}

// of tells whether these are the clients that a policy follows. One that follows
// none does not mind.
func (r *roster) of(cfg *config.Config) bool {
	return r == nil || cfg.ClientSource == nil || cfg.ClientSource.Type == r.source
}

// under is the roster under a policy that may be another than the one it was
// read under.
func (r *roster) under(cfg *config.Config) *roster {
	if r == nil || r.basis == cfg.Basis() {
		return r
	}
	next := &roster{source: r.source, version: r.version, highest: r.highest, read: r.read, entries: make([]entry, len(r.entries)), basis: cfg.Basis()}
	definer := cfg.Definer()
	for i, e := range r.entries {
		fresh := entry{id: e.id}
		if e.text != "" {
			fresh = fresh.with(definer, accounting.Definition{ID: e.id, Text: e.text})
		}
		if e.problem != "" {
			// What the policy now has may be what it lacked.
			if e.refused != "" {
				fresh = fresh.with(definer, accounting.Definition{ID: e.id, Text: e.refused})
			} else {
				fresh.problem = cmp.Or(fresh.problem, e.problem)
			}
		}
		next.entries[i] = fresh
	}
	return next
}

// directory is the clients of the policy and those of the roster, and what is
// wrong with these. It is nil while the roster was never read.
func (r *roster) directory(cfg *config.Config) (*directory.Directory, []problem) {
	if cfg.ClientSource == nil {
		return cfg.Gate.Directory, nil
	}
	if r == nil {
		return nil, nil
	}
	var problems []problem
	var clients []*accounting.Client
	incomplete := false
	for _, e := range r.entries {
		if e.problem != "" {
			problems = append(problems, problem{e.id, e.problem})
		}
		if e.client == nil {
			incomplete = true
			continue
		}
		clients = append(clients, e.client)
	}
	dir, clashes := cfg.DirectoryOf(clients, incomplete)
	for _, c := range clashes {
		text := c.Error()
		if errors.Is(c.Err, directory.ErrSameID) {
			text = "a client of the policy has this id already"
		}
		problems = append(problems, problem{c.Client, text})
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return strings.Compare(a.client, b.client) })
	return dir, problems
}

// lost are the clients that the roster has in force and another not: a policy
// that takes away what they name.
func (r *roster) lost(next *roster) error {
	if r == nil {
		return nil
	}
	return r.without(next, func(i int) bool { return r.entries[i].client != nil })
}

// unfit are the clients of a roster that a gateway had in force when it kept them,
// and that cannot be had under the policy that it was read under.
func (r *roster) unfit() error {
	return r.without(r, func(i int) bool { return r.entries[i].had })
}

// without tells of clients that are had, and that another roster has not.
func (r *roster) without(next *roster, had func(i int) bool) error {
	var list []string
	count := 0
	for i, e := range r.entries {
		if !had(i) || next.entries[i].client != nil {
			continue
		}
		if count++; count <= mostTold {
			list = append(list, problem{e.id, next.entries[i].problem}.String())
		}
	}
	if count == 0 {
		return nil
	}
	return fmt.Errorf("clients of %s cannot be had under it (%d): %s", r.source, count, strings.Join(list, "; "))
}

// missingIn names the clients that another roster has no more, the first of them.
func (r *roster) missingIn(next *roster) string {
	var ids []string
	count := 0
	for _, e := range r.entries {
		if _, there := slices.BinarySearchFunc(next.entries, e.id, func(e entry, id string) int { return strings.Compare(e.id, id) }); there {
			continue
		}
		if count++; count <= mostTold {
			ids = append(ids, e.id)
		}
	}
	if more := count - len(ids); more > 0 {
		ids = append(ids, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(ids, ", ")
}

// mostTold bounds the clients that are named.
const mostTold = 20

// check tells what is wrong with definitions that are to be written.
func (r *roster) check(cfg *config.Config, list []config.Definition) ([]accounting.Definition, rules.Problems) {
	definer := cfg.Definer()
	var problems rules.Problems
	changed := map[string]*accounting.Client{}
	places := map[string]config.Definition{}
	out := make([]accounting.Definition, 0, len(list))
	for _, d := range list {
		c, found := definer.Parts(d)
		for _, p := range found {
			if p.Pos.Line == 0 {
				p.Pos = d.Pos
			}
			problems = append(problems, p)
		}
		if c == nil || c.ID == "" {
			continue
		}
		if first, twice := places[c.ID]; twice {
			problems = append(problems, rules.Problem{Pos: d.Pos, Msg: fmt.Sprintf("client %s stands there twice: here and at %s", c.ID, first.Pos)})
			continue
		}
		changed[c.ID], places[c.ID] = c, d
		out = append(out, accounting.Definition{ID: c.ID, Text: d.Compact()})
	}
	var all []*accounting.Client
	var there []entry
	if r != nil {
		there = r.entries
	}
	for _, e := range there {
		if changed[e.id] == nil && e.client != nil {
			all = append(all, e.client)
		}
	}
	// Those of the file come last, so that what clashes is told at their places.
	for _, d := range out {
		all = append(all, changed[d.ID])
	}
	_, clashes := cfg.DirectoryOf(all, false)
	for _, c := range clashes {
		d, ours := places[c.Client]
		if !ours {
			continue // it was there before
		}
		at := d.Pos
		if c.Text != "" {
			at = d.Place(c)
		}
		text := c.Error()
		if errors.Is(c.Err, directory.ErrSameID) {
			text = fmt.Sprintf("client %q stands in the policy", c.Client)
		}
		problems = append(problems, rules.Problem{Pos: at, Msg: text})
	}
	problems.Sort()
	return out, problems
}
